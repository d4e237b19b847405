"""How the prompts that a provider counted hang together with the segments that a log holds of them.

Our counts differ from the provider's by a factor, and a log may hold a prompt only in part: a system prompt that nobody
wrote down is a segment of its own, in front of all others. The two are told apart by how prompts grow: what a
conversation adds shows the factor, and what the factor does not explain of a whole prompt was not logged.

Arrays are one value per call, (C,).
"""

from dataclasses import dataclass

import numpy as np

from modicum.insights.history import Flags, Floats, History, Ints, once_per_history

FITTED_WITHIN = 0.005
"""Segments that sum to the prompt within this share are fitted to it already: their reader did that."""
FEWEST_GROWN = 20
"""Tokens, by our count, below which a step of growth says nothing of the factor."""
PLAUSIBLE = 0.6, 1.5
"""Tokens of a provider for one of ours, between which two tokenizers can differ; what lies above was not logged."""


@dataclass(frozen=True)
class LoggedShare:
    """How to get from our counts of segments to the provider's count of prompts."""

    scale: Floats
    """Tokens of the provider for one of ours; 0 where a call has no segments."""
    unlogged: Floats
    """Tokens at the front of the prompt that no segment of the log holds, in the provider's count."""
    kept: Floats
    """Tokens at the front that stood in the call before, in the provider's count. Means nothing without anatomy."""

    @classmethod
    def fit(cls, history: History) -> "LoggedShare":
        return _fit(history)


@once_per_history
def _fit(history: History) -> LoggedShare:
    prompt, context = history.prompt.astype(np.float64), history.context_tokens.astype(np.float64)
    plain = np.divide(prompt, context, out=np.zeros(history.calls), where=context > 0)
    scale, unlogged, kept = plain, np.zeros(history.calls), np.asarray(history.kept_tokens * plain, dtype=np.float64)
    partial = _find_partial(history)
    if partial.any():
        scale = np.where(partial, np.minimum(_fit_scale(history, partial, plain), plain), plain)
        unlogged = np.where(partial, np.maximum(prompt - scale * context, 0), 0)
        kept = np.where(partial, _fit_kept(history, scale), kept)
    return LoggedShare(scale, unlogged, kept)


def _find_partial(history: History) -> Flags:
    """Calls of conversations whose segments do not sum to their prompts."""
    off = np.abs(history.prompt - history.context_tokens) > FITTED_WITHIN * history.prompt
    off &= history.has_anatomy & (history.context_tokens > 0)
    chosen: Flags = np.isin(history.conversation, history.conversation[off]) & (history.context_tokens > 0)
    return chosen


def find_grown(history: History) -> Flags:
    """Calls that kept all segments of the call before them, and whose prompt did not shrink."""
    held = np.maximum(history.kept_segments, 0) + np.bincount(history.segment_call, minlength=history.calls)
    grown = np.zeros(history.calls, dtype=bool)
    grown[1:] = (
        ~history.first[1:] & (history.kept_segments[1:] == held[:-1]) & (history.prompt[1:] >= history.prompt[:-1])
    )
    return grown & (history.kept_segments > 0)


def _fit_scale(history: History, partial: Flags, plain: Floats) -> Floats:
    """Tokens of the provider for one of ours by how prompts grew: the median over the calls of one source and model."""
    more, counted = np.diff(history.prompt, prepend=0), np.diff(history.context_tokens, prepend=0)
    shows = find_grown(history) & partial & (counted >= FEWEST_GROWN) & (more > 0)
    lowest, highest = PLAUSIBLE
    scale = np.where((plain >= lowest) & (plain <= highest), plain, 1.0)
    for lot in _lots(history, partial):
        steps = lot & shows
        if steps.any():
            scale[lot] = np.clip(np.median(more[steps] / counted[steps]), lowest, highest)
    return scale


def _lots(history: History, partial: Flags) -> list[Flags]:
    key: Ints = history.source * len(history.models) + history.model
    return [partial & (key == one) for one in np.unique(key[partial])]


def _fit_kept(history: History, scale: Floats) -> Floats:
    """What stood, by the provider's count of the call before: all of it if all was kept, else without what was lost."""
    before, context_before = np.zeros(history.calls), np.zeros(history.calls)
    before[1:], context_before[1:] = history.prompt[:-1], history.context_tokens[:-1]
    lost = np.maximum(context_before - np.maximum(history.kept_tokens, 0), 0) * scale
    stood = np.clip(before - lost, 0, history.prompt)
    return np.where(history.first, 0, np.where(find_grown(history), before, stood))
