"""Whose prompt caches went cold: the share of prompts that is read from a cache, beside what it was."""

from collections.abc import Sequence

import msgspec

LEAST_DAYS = 7
USUAL_SHARE = 0.3
"""What was read before, at least, for a fall to mean anything."""
FALLEN_TO = 0.5
"""Of the usual share."""
LEAST_TOKENS = 1_000_000
"""In prompts of the day."""


class ColdCache(msgspec.Struct, frozen=True):
    """A day on which far less was read from caches than usual."""

    share: float
    usual_share: float


def find_cold_cache(prompt_tokens: Sequence[int], cache_read_tokens: Sequence[int]) -> ColdCache | None:
    """Whether the caches of the last day were cold; None: they were not, or there is too little to say.

    Args:
        prompt_tokens: of days that follow each other; the last one is judged by the two weeks before it.
        cache_read_tokens: of the same days.
    """
    if len(prompt_tokens) <= LEAST_DAYS or prompt_tokens[-1] < LEAST_TOKENS:
        return None
    before = sum(prompt_tokens[-15:-1])
    usual = sum(cache_read_tokens[-15:-1]) / before if before else 0.0
    share = cache_read_tokens[-1] / prompt_tokens[-1]
    if before < LEAST_TOKENS or usual < USUAL_SHARE or share > usual * FALLEN_TO:
        return None
    return ColdCache(share, usual)
