"""What an address of the console asks for, in the words of the verbs: `?since=7d&where=team%3Dsearch&by=model`."""

import re
import shlex
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import urlencode

import msgspec

from modicum.calls import UserError
from modicum.insights.scoping.call_choice import NONE
from modicum.insights.scoping.scope import Scope, check_dimension, parse_where
from modicum.insights.scoping.time_span import EVER, NEVER, parse_time
from modicum.settings import UserZone, user_zone

MOST_WORDS = 40
OF_SCOPE = ("since", "until", "timezone")


class View(msgspec.Struct, frozen=True, kw_only=True):
    """Which calls a page is about, and what else its address says."""

    scope: Scope
    zone: UserZone
    typed: Mapping[str, str] = {}
    """Times and zone as they were typed."""
    words: Mapping[str, str] = {}
    """What only the page itself knows, as `by` or `task`."""

    def word(self, name: str, otherwise: str = "") -> str:
        """What the address says under a name."""
        return self.words.get(name) or otherwise

    def with_scope(self, scope: Scope) -> "View":
        """The same address, about these calls."""
        return msgspec.structs.replace(self, scope=scope)

    def query(self, *, where: Mapping[str, str] | None = None, **words: str | None) -> str:
        """The query of an address with the same calls in view, and other words; an empty one is left out.

        Args:
            where: in the place of the conditions; None: these.
            words: words of the next page, times and zone among them; words of this page do not come along.
        """
        conditions = self.scope.where if where is None else where
        pairs = {**self.typed, **{name: word or "" for name, word in words.items()}}
        fields = [(name, word) for name, word in pairs.items() if word]
        fields += [("where", f"{dimension}={name}") for dimension, name in conditions.items()]
        return f"?{urlencode(fields)}" if fields else "?"

    def narrowed(self, dimension: str, name: str, **words: str | None) -> str:
        """The query of an address with one condition more."""
        return self.query(where={**self.scope.where, dimension: name}, **words)

    def widened(self, dimension: str, **words: str | None) -> str:
        """The query of an address with one condition less."""
        return self.query(where={one: name for one, name in self.scope.where.items() if one != dimension}, **words)

    def options(self, *, takes_where: bool = True) -> str:
        """The options of a verb that looks at the same calls, as a shell takes them."""
        pairs = [(f"--{name}", word) for name, word in self.typed.items() if word]
        if takes_where:
            pairs += [("--where", f"{dimension}={_pattern(name)}") for dimension, name in self.scope.where.items()]
        return "".join(f" {option} {shlex.quote(word)}" for option, word in pairs)


def _pattern(name: str) -> str:
    """The name as verbs take it, where `*`, `?` and `[` stand for any, and no name is asked for by a word."""
    return re.sub(r"([*?[])", r"[\1]", name) or NONE


def read_view(pairs: Sequence[tuple[str, str]], settings_zone: str) -> View:
    """The view of an address.

    Args:
        pairs: what stands behind its question mark.
        settings_zone: the zone of the settings; empty for none.

    Raises:
        UserError: a time, a zone or a condition cannot be understood.
    """
    if len(pairs) > MOST_WORDS:
        raise UserError(f"the address has {len(pairs)} words; {MOST_WORDS} are the most")
    typed = {name: word.strip() for name, word in pairs if name in OF_SCOPE and word.strip()}
    conditions = [word for name, word in pairs if name == "where" and word]
    _check_conditions(conditions)
    where = parse_where(conditions)
    narrowing = dict(pairs)
    if dimension := narrowing.get("dimension"):  # as the form of the page sends it
        check_dimension(dimension)
        where[dimension] = narrowing.get("name", "")
    zone = user_zone(settings_zone, typed.get("timezone"))
    minute = datetime.now(UTC).replace(second=0, microsecond=0)  # so that all who look at `7d` share answers
    scope = Scope(
        since=parse_time(typed.get("since"), zone.zone, EVER, minute),
        until=parse_time(typed.get("until"), zone.zone, NEVER, minute),
        zone=zone.name,
        where=where,
    )
    others = {name: word for name, word in pairs if name not in {*OF_SCOPE, "where", "dimension", "name"}}
    return View(scope=scope, zone=zone, typed=typed, words=others)


def _check_conditions(conditions: Sequence[str]) -> None:
    """Says in words of pages what is wrong, where verbs would say it of their options.

    Raises:
        UserError: one is no condition, or two contradict each other.
    """
    names: dict[str, str] = {}
    for text in conditions:
        dimension, sign, name = text.partition("=")
        if not sign:
            raise UserError(f"'{text:.80}' is no condition: choose one under 'only' on a page, as team called search")
        if names.setdefault(dimension, name) != name:
            raise UserError(f"no call has two names in '{dimension:.80}': take one of the two conditions away")
