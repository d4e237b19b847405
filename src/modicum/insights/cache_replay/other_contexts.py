"""Calls as a cache sees them where contexts go on in another way than they did: begun anew, or not cut."""

from dataclasses import replace

import numpy as np

from modicum.insights.cache_replay.logged_share import LoggedShare
from modicum.insights.history import Floats, History
from modicum.insights.joined_changes import FRONT_KINDS, JoinedContexts
from modicum.metering.prompt_cache import CallSequence


def measure_front(history: History) -> Floats:
    """System prompt, tools and what no log holds, in the provider's count. (C,)"""
    shown = np.isin(history.segment_kind, [code for code, kind in enumerate(history.kinds) if kind in FRONT_KINDS])
    logged = LoggedShare.fit(history)
    front = history.sum_carried(np.where(shown, history.segment_tokens, 0))
    return np.minimum(front * logged.scale + logged.unlogged, history.prompt)


def follow_contexts(history: History, calls: CallSequence, contexts: JoinedContexts) -> CallSequence:
    """The calls with other prompts, and what of each stood in the call before it.

    Args:
        history: the history.
        calls: with all other changes made.
        contexts: how they go on.
    """
    # What other changes took out of prompts is taken out of what is left of them.
    left = np.divide(calls.prompt, history.prompt, out=np.ones(history.calls), where=history.prompt > 0)
    shift = contexts.shift * np.minimum(left, 1)
    prompt = np.maximum(calls.prompt + shift, 0)
    before = np.zeros(history.calls)
    before[1:] = shift[:-1]
    kept = np.where(np.isfinite(calls.kept) & (calls.kept > 0), np.maximum(calls.kept + before, 0), calls.kept)
    kept = np.where(contexts.starts_over, np.minimum(measure_front(history), prompt), kept)
    kept = np.where(contexts.goes_on, np.inf, kept)
    conversation = calls.conversation if contexts.conversation is None else contexts.conversation
    sure = contexts.goes_on | contexts.starts_over
    return replace(calls, prompt=prompt, kept=kept, conversation=conversation, sure=sure)
