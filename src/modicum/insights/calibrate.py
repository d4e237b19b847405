"""`modicum calibrate`: which calibrations a user's own records yield, and whether they beat the shipped ones. And
whether an exact counter, where one is installed, is right about those records.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from modicum.metering.calibration import KINDS, Calibration, CalibrationPair, Calibrations, measure_error
from modicum.metering.calibration_fit import calibrate, check_counter
from modicum.metering.claude_tokens import CounterCheck

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


class CheckedSteps:
    """The steps that an exact counter counts too. It is slow, so they are limited, and taken from many sessions.

    Args:
        most_chars: of one family of models.
        most_of_group: steps of one session.
    """

    def __init__(self, most_chars: int = 4_000_000, most_of_group: int = 40) -> None:
        self._most_chars, self._most_of_group = most_chars, most_of_group
        self._chars: Counter[str] = Counter()
        self._steps: Counter[tuple[str, str]] = Counter()
        self._pairs: dict[str, list[tuple[CalibrationPair, CalibrationPair]]] = defaultdict(list)

    def has_room(self, family: str, group: str, chars: int) -> bool:
        """Whether a step of that size is to be counted."""
        return self._chars[family] + chars <= self._most_chars and self._steps[family, group] < self._most_of_group

    def add(self, family: str, chars: int, line: CalibrationPair, exact: CalibrationPair) -> None:
        """A step with both counts."""
        self._chars[family] += chars
        self._steps[family, line.group] += 1
        self._pairs[family].append((line, exact))

    def check(self, counter: str, models: Mapping[str, Iterable[str]], shipped: Calibrations) -> list[CounterCheck]:
        """For each family what the counter is worth, beside the better of the lines on the same steps."""
        found = []
        for family, pairs in sorted(self._pairs.items()):
            lines = [line for line, _ in pairs]
            own, known = calibrate(lines, family), shipped.find(family)
            errors = [own.error] if own else []
            errors += [error] if known and (error := measure_error(known[0], lines)) is not None else []
            exact = [exact for _, exact in pairs]
            check = check_counter(exact, min(errors, default=1.0), family, counter, models.get(family, ()))
            found += [check] if check else []
        return found
