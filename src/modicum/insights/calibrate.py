"""`modicum calibrate`: which calibrations a user's own records yield, and whether they beat the shipped ones."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from modicum.metering.calibration import KINDS, Calibration, CalibrationPair, Calibrations, measure_error
from modicum.metering.calibration_fit import calibrate

CLEARLY = 0.95
"""An own calibration stands where its error is smaller by a twentieth: the shipped ones rest on many sessions."""


class CalibrationComparison(msgspec.Struct, frozen=True):
    """A calibration from the user's records beside the shipped one."""

    own: Calibration
    shipped_ratio: float | None
    shipped_error: float | None
    """The median error of the shipped one on the same pairs; None: nothing is shipped for that family."""
    used: bool
    """Whether the own one is clearly better, and so stands from now on."""


def compare(
    pairs: Mapping[str, Sequence[CalibrationPair]], models: Mapping[str, Iterable[str]], shipped: Calibrations
) -> list[CalibrationComparison]:
    """All calibrations that the pairs of each family carry, by kind of content.

    An own one is judged by its error on held-out pairs, so the comparison does not favour it.
    """
    found = []
    for family, steps in sorted(pairs.items()):
        for kind in KINDS:
            own = calibrate(steps, family, content=kind, models=models.get(family, ()))
            if own is None:
                continue
            known = shipped.find(family, kind)
            theirs = known[0] if known else None
            error = measure_error(msgspec.structs.replace(theirs, content=kind), steps) if theirs else None
            used = error is None or own.error < error * CLEARLY
            found.append(CalibrationComparison(own, theirs.ratio if theirs else None, error, used))
    return found
