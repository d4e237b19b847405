from datetime import date
from decimal import Decimal

from modicum.library.shown_figures import currency_of, person_rule
from modicum.settings import Settings
from modicum.settings.showing.currency import CurrencyRate, CurrencySettings
from modicum.settings.showing.people import PeopleSettings

EUROS = CurrencySettings(
    name="EUR",
    rate=(
        CurrencyRate(since=date(2026, 2, 1), per_usd=Decimal("0.8")),
        CurrencyRate(since=date(2026, 1, 1), per_usd=Decimal("0.9")),
    ),
)


def test_oneself_is_named_by_settings_or_login(monkeypatch):
    assert person_rule(Settings(people=PeopleSettings(me=("ada", "ada@x")))).me == {"ada", "ada@x"}
    monkeypatch.setattr("getpass.getuser", lambda: "root")
    assert person_rule(Settings()) == (frozenset({"root"}), False)
    assert person_rule(Settings(people=PeopleSettings(show="everyone"))).shows_everyone

    def fail():
        raise KeyError("uid not found")

    monkeypatch.setattr("getpass.getuser", fail)
    assert person_rule(Settings()).me == frozenset()


def test_a_currency_is_typed_or_set():
    settings = Settings(currency=EUROS)

    assert [rate for _, rate in currency_of(settings, None).rates] == [Decimal("0.9"), Decimal("0.8")]
    assert currency_of(settings, "eur") == currency_of(settings, None)
    assert currency_of(settings, "GBP=0.7").name == "GBP"
    assert currency_of(settings, "usd") is None
    assert currency_of(Settings(), None) is None
