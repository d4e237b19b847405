"""How a figure is known. Figures of different basis are never added up silently."""

from enum import StrEnum


class Basis(StrEnum):
    EXACT = "exact"
    """The provider counted it."""
    LOWER_BOUND = "lower_bound"
    """The provider counted it, but the log was written before the count was final: the true figure is this or more."""
    ESTIMATED = "estimated"
    """We counted it, with a stated error."""
    UNKNOWN = "unknown"
    """Nobody counted it. The figure is absent, never 0."""

    @classmethod
    def counted(cls, is_counted: bool) -> "Basis":
        """How a provider's figure is known: exactly, or not at all."""
        return cls.EXACT if is_counted else cls.UNKNOWN

    def __or__(self, other: "Basis") -> "Basis":
        """What a sum of two figures is known by: the weaker of the two."""
        return self if _WEAKNESS[self] >= _WEAKNESS[other] else other


_WEAKNESS = {basis: rank for rank, basis in enumerate(Basis)}
