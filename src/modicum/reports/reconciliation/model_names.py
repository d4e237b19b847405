"""Names of one model on both sides: programs ask for `claude-opus-4-5`, and a report has `claude-opus-4-5-20251101`."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from modicum.metering.model_names import is_dated, undated

Model = tuple[str, str]
"""Provider and name."""


class JoinedNames(NamedTuple):
    """Names that are taken for one model."""

    ours: tuple[str, ...]
    theirs: tuple[str, ...]

    @property
    def shown(self) -> str:
        """The name of the row: theirs, and ours where it is another."""
        mine, yours = "+".join(self.ours), "+".join(self.theirs)
        return yours if mine in {"", yours} else mine if not yours else f"{mine} = {yours}"


def join_names(ours: Iterable[Model], theirs: Iterable[Model]) -> Mapping[Model, JoinedNames]:
    """For each name the names that are one model with it.

    Names that differ by a date alone are one where one of them has none and the two sides have other names: an alias
    stands for a dated name, and nobody says for which. Two dated names alone are two models.
    """
    groups: dict[Model, tuple[set[str], set[str]]] = {}
    for side, models in enumerate((ours, theirs)):
        for provider, name in models:
            groups.setdefault((provider, undated(name)), (set(), set()))[side].add(name)
    joined: dict[Model, JoinedNames] = {}
    for (provider, _), (mine, yours) in groups.items():
        has_alias = not all(map(is_dated, mine | yours))
        is_one = has_alias and mine and yours and mine != yours
        for name in mine | yours:
            names = (mine, yours) if is_one else ({name} & mine, {name} & yours)
            joined[provider, name] = JoinedNames(tuple(sorted(names[0])), tuple(sorted(names[1])))
    return joined
