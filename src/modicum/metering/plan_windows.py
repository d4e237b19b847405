"""The windows in which a subscription's usage is limited: five hours from the first call, and seven days.

The vendors publish that a window of five hours begins with the first message, and no rule for its rounding; other tools
round down to the full hour, and so do we. Times are seconds since 1970, because a status line has to be quick.
"""

from collections.abc import Iterable

HOUR_S = 3_600
BLOCK_S = 5 * HOUR_S
WEEK_S = 7 * 24 * HOUR_S


def find_block_starts(times_s: Iterable[float]) -> list[int]:
    """When the blocks began in which these calls lie; the times are in order."""
    starts: list[int] = []
    for at in times_s:
        if not starts or at >= starts[-1] + BLOCK_S:
            starts.append(int(at) // HOUR_S * HOUR_S)
    return starts
