"""`modicum calibrate`: which calibrations a user's own records yield, and whether they beat the shipped ones."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from modicum.metering.calibration import KINDS, Calibration, Calibrations, Pair, calibrate, error_of

CLEARLY = 0.95
"""An own calibration stands where its error is smaller by a twentieth: the shipped ones rest on many sessions."""


class Compared(msgspec.Struct, frozen=True):
    """A calibration from the user's records beside the shipped one."""

    own: Calibration
    shipped_ratio: float | None
    shipped_error: float | None
    """The median error of the shipped one on the same pairs; None: nothing is shipped for that family."""
    used: bool
    """Whether the own one is clearly better, and so stands from now on."""


def compare(
    pairs: Mapping[str, Sequence[Pair]], models: Mapping[str, Iterable[str]], shipped: Calibrations
) -> list[Compared]:
    """All calibrations that the pairs of each family carry, by kind of content.

    An own one is judged by its error on held-out pairs, so the comparison does not favour it.
    """
    found = []
    for family, steps in sorted(pairs.items()):
        for kind in KINDS:
            own = calibrate(steps, family, content=kind, models=models.get(family, ()))
            if own is None:
                continue
            known = shipped.of(family, kind)
            theirs = known[0] if known else None
            error = error_of(msgspec.structs.replace(theirs, content=kind), steps) if theirs else None
            used = error is None or own.error < error * CLEARLY
            found.append(Compared(own, theirs.ratio if theirs else None, error, used))
    return found
