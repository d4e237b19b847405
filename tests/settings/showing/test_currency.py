from datetime import date
from decimal import Decimal

import pytest

from modicum.settings.showing.currency import CurrencyRate, CurrencySettings

RATE = CurrencyRate(since=date(2026, 1, 1), per_usd=Decimal("0.9"))


def test_a_name_and_its_rates_go_together():
    assert CurrencySettings().name == ""
    assert CurrencySettings(name="EUR", rate=(RATE,)).rate[0].per_usd == Decimal("0.9")
    with pytest.raises(ValueError, match="go together"):
        CurrencySettings(name="EUR")
    with pytest.raises(ValueError, match="from the same day"):
        CurrencySettings(name="EUR", rate=(RATE, RATE))


@pytest.mark.parametrize("rate", ["0", "-1", "nan", "inf"])
def test_a_rate_is_a_positive_number(rate):
    with pytest.raises(ValueError, match="how much of the currency"):
        CurrencyRate(since=date(2026, 1, 1), per_usd=Decimal(rate))
