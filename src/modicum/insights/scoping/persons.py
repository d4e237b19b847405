"""Figures about persons: one's own by name, those of others only as sums over groups of five and more.

A table of what colleagues cost is soon a table of what colleagues are worth, which it is not. So this is what verbs
show by default, wherever a dimension names persons; `[people] show = "everyone"` is a decision that somebody has to
write down. Rows of persons stand in the order of their names: nobody is ranked.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from modicum.calls import UserError
from modicum.calls.words.counted_nouns import number_of
from modicum.insights.scoping.call_choice import NONE, Condition
from modicum.ledger.asking.several_dimensions import BETWEEN

PERSONAL = frozenset({"user", "owner"})
"""Dimensions that name persons."""
LEAST_GROUP = 5
SMALL_GROUPS = "(groups below five)"
OPENING = "show = 'everyone' under [people] of modicum.toml shows each by name"


class PersonRule(NamedTuple):
    """Who is shown by name.

    Attributes:
        me: names of oneself.
        shows_everyone: whether everybody is.
    """

    me: frozenset[str]
    shows_everyone: bool = False

    def hides(self, person: str) -> bool:
        return bool(person) and not self.shows_everyone and person not in self.me


def group_persons(
    cells: Iterable[Mapping[str, Any]], dimensions: Sequence[str], rule: PersonRule
) -> list[Mapping[str, Any]]:
    """Cells with other persons' names taken for the name of their group.

    Args:
        cells: rows with a `name`, which holds one name for each dimension.
        dimensions: in their order.
        rule: who is shown by name.
    """
    rows = list(cells)
    places = [place for place, one in enumerate(dimensions) if one in PERSONAL]
    if not places or rule.shows_everyone:
        return rows
    names = [str(row["name"]).split(BETWEEN) for row in rows]
    persons: dict[tuple[str, ...], set[str]] = {}
    for own in names:
        for place in places:
            if rule.hides(person := _person_in(own[place], dimensions[place])):
                persons.setdefault(_group_of(own, place, dimensions), set()).add(person)
    return [
        {**row, "name": BETWEEN.join(_hide(own, places, dimensions, rule, persons))}
        for row, own in zip(rows, names, strict=True)
    ]


def show_names(names: Iterable[str], dimension: str, rule: PersonRule) -> dict[str, str]:
    """How each of these names of one dimension is shown."""
    own = list(dict.fromkeys(names))
    shown = group_persons([{"name": name} for name in own], [dimension], rule)
    return {name: str(row["name"]) for name, row in zip(own, shown, strict=True)}


def check_persons(conditions: Sequence[Condition], rule: PersonRule) -> None:
    """Nobody is looked up one by one.

    Raises:
        UserError: a condition names persons other than oneself.
    """
    for one in conditions:
        if one.by not in PERSONAL or rule.shows_everyone:
            continue
        others = [name for name in one.patterns if name not in {NONE, ""} and _person_in(name, one.by) not in rule.me]
        if others:
            raise UserError(
                f"--{one.dimension} {others[0]}: figures of other persons are shown only as sums over five and more; "
                f"{OPENING}"
            )


def persons_note(dimensions: Sequence[str], rule: PersonRule, names: Iterable[str] | None = None) -> str:
    """What a reader of the table must know; empty: it names no persons, or all of them.

    Args:
        dimensions: of the table.
        rule: who is shown by name.
        names: of its rows, each with a name for each dimension. None: it may name some.
    """
    if rule.shows_everyone or PERSONAL.isdisjoint(dimensions):
        return ""
    places = [place for place, one in enumerate(dimensions) if one in PERSONAL]
    parts = (name.split(BETWEEN) for name in names or ())
    if names is not None and not any(_person_in(own[place], dimensions[place]) for own in parts for place in places):
        return ""
    own = ", ".join(sorted(rule.me)) or "nobody"
    return f"by name: {own}; other persons as sums over five and more ({OPENING})"


def _person_in(name: str, dimension: str) -> str:
    """The person in a name; an owner is team/app/user/key."""
    parts = name.split("/")
    return name if dimension != "owner" else parts[-2] if len(parts) > 1 else ""


def _group_of(names: Sequence[str], place: int, dimensions: Sequence[str]) -> tuple[str, ...]:
    rest = [name for other, name in enumerate(names) if other != place]
    if dimensions[place] == "owner":
        rest.append("/".join(names[place].split("/")[:-2]))
    return tuple(rest)


def _hide(
    names: Sequence[str],
    places: Sequence[int],
    dimensions: Sequence[str],
    rule: PersonRule,
    persons: Mapping[tuple[str, ...], set[str]],
) -> list[str]:
    hidden = list(names)
    for place in places:
        if not rule.hides(_person_in(names[place], dimensions[place])):
            continue
        count = len(persons[_group_of(names, place, dimensions)])
        if count < LEAST_GROUP and (len(dimensions) > 1 or dimensions[place] == "owner"):
            return [SMALL_GROUPS] * len(names)
        group = names[place].rsplit("/", 2)[0] + "/" if dimensions[place] == "owner" else ""
        hidden[place] = f"{group}({number_of(count, 'other person')})" if count >= LEAST_GROUP else "(other persons)"
    return hidden
