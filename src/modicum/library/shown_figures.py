"""How a user wants figures shown: whose by name, and in which currency."""

import getpass

from modicum.insights.money.currency import Currency, parse_currency
from modicum.insights.scoping.persons import PersonRule
from modicum.settings import Settings
from modicum.settings.showing.people import EVERYONE


def person_rule(settings: Settings) -> "PersonRule":
    """Who is shown by name: oneself, by the settings or the login, or everybody."""
    people = settings.people
    return PersonRule(frozenset(people.me or _login()), people.show == EVERYONE)


def currency_of(settings: Settings, text: str | None) -> "Currency | None":
    """`--currency`, else that of the settings; None: dollars alone. `usd` on the command line turns it off.

    Raises:
        UserError: the text is no currency with a rate.
    """
    own = settings.currency
    if text is None:
        return Currency(own.name, tuple(sorted((one.since, one.per_usd) for one in own.rate))) if own.name else None
    if text.strip().lower() == "usd":
        return None
    if own.name and text.strip().upper() == own.name.upper():
        return currency_of(settings, None)
    return parse_currency(text)


def _login() -> tuple[str, ...]:
    try:
        return (getpass.getuser(),)
    except (KeyError, OSError):  # no user of that number, as in some containers
        return ()
