"""Why caches broke in time, with content kept: a changed field or an event between two calls that explains the break.

Three kinds of evidence, the strongest first:

- `provider`: the provider's own diagnostics name what differs.
- `measured`: behind the event, breaks are more than three times as frequent as at like steps without any event.
  Sessions are split into two halves that share none; the lower bound of that lift must be above three in both, so that
  a break is never named by its own session alone.
- `documented`: the provider writes that this change loses the messages and keeps system prompt and tools, and that is
  what was read.

A step is like another one if both follow a tool's result, or both follow the user's words, after a pause of the same
kind, in the same version of the same program. That the user spoke, or paused, is a circumstance and no cause.
"""

import zlib
from dataclasses import dataclass, field

import msgspec
import numpy as np

from modicum.calls import PromptEvent
from modicum.insights.caching import Caching, tabulate_rules
from modicum.insights.history import Flags, Floats, History, Ints
from modicum.statistics.proportions import wilson

LIFT = 3.0
LONG_PAUSE_S = 60.0
"""Beyond it providers lose caches more often, whatever else happened."""
PRIOR_STEPS = 50.0
"""Steps of all versions that the rate of one version is drawn towards: most have few breaks."""
FRONT_WITHIN = 1.02
MEASURED = (
    PromptEvent.SKILL,
    PromptEvent.COMMAND,
    PromptEvent.SKILL_ENDED,
    PromptEvent.THINKING,
    PromptEvent.TOOL_CHOICE,
    PromptEvent.IMAGE,
    PromptEvent.CLIENT_VERSION,
    PromptEvent.PERMISSION_MODE,
    PromptEvent.API_ERROR,
    PromptEvent.SHELL_COMMAND,
    PromptEvent.INTERRUPT,
)
"""Where a break follows several, the first of these that is evident names it: what sets others off stands first."""
DOCUMENTED = (PromptEvent.THINKING, PromptEvent.TOOL_CHOICE, PromptEvent.IMAGE)
MESSAGES_MISS = "messages_changed"
"""What diagnostics say where only messages were lost."""


@dataclass(frozen=True)
class BreakCause:
    """Breaks of one cause, in one version of one program."""

    cause: str
    """A `PromptEvent`, or the provider's word."""
    evidence: str
    """`provider`, `measured` or `documented`."""
    source: str
    version: str
    calls: Ints = field(repr=False)
    """The calls that broke."""
    steps: int
    """Calls of that version behind the same event, broken or not."""
    lift_low: float | None
    """The lower bound of how much more often caches break behind the event, in the half of sessions where it is lower;
    None where nothing was measured."""
    contradicted: int = 0
    """Calls of which the provider's diagnostics say something else."""


@dataclass(frozen=True)
class _Steps:
    """Calls that came in time, on the same model, with a context that had only grown. One value per call."""

    eligible: Flags
    broken: Flags
    usual: Floats
    """How often like steps without any event break; NaN where there are none."""
    half: Flags


def name_causes(history: History, broken: Flags) -> list[BreakCause]:
    """The causes of these breaks, those with most calls first. Breaks without one are in none."""
    has = {event: find_event(history, event) for event in MEASURED}
    named = np.full(history.calls, -1, dtype=np.int64)
    words: list[tuple[str, str]] = []
    lifts: dict[PromptEvent, float] = {}

    def give(calls: Flags, cause: str, evidence: str) -> None:
        named[calls & (named < 0)] = len(words)
        words.append((cause, evidence))

    for code, reason in enumerate(history.cache_misses):
        if reason and reason != MESSAGES_MISS:
            give(broken & (history.cache_miss == code), reason, "provider")
    steps = _find_steps(history, broken, has)
    free = steps.eligible.copy()
    for source in range(len(history.sources)):
        of_source = history.source == source
        for event in MEASURED:
            lift = _measure(steps, free & of_source, has[event])
            if lift > LIFT:
                holds = ~_find_refuted(history, steps, free & of_source, has[event])
                lifts[event] = min(lift, lifts.get(event, np.inf))
                give(broken & of_source & has[event] & holds, event.value, "measured")
                free &= ~(has[event] & of_source)
    front_only = _find_front_reads(history)
    for event in DOCUMENTED:
        give(broken & has[event] & front_only & _lose_messages(history, event), event.value, "documented")
    give(
        broken & (history.cache_miss == history.code_of(history.cache_misses, MESSAGES_MISS)),
        MESSAGES_MISS,
        "provider",
    )
    return _list_causes(history, named, words, has, lifts, steps.eligible)


def find_event(history: History, event: PromptEvent) -> Flags:
    """The calls before which this happened."""
    codes = [code for code, listed in enumerate(history.event_lists) if event.value in _read_events(listed)]
    found: Flags = np.isin(history.events, codes)
    return found


def _read_events(listed: str) -> list[str]:
    return msgspec.json.decode(listed, type=list[str]) if listed else []


def _find_steps(history: History, broken: Flags, has: dict[PromptEvent, Flags]) -> _Steps:
    predicted = Caching.compute(history).predicted
    eligible = predicted.warm & (predicted.left > 0) & (history.prompt >= predicted.left) & ~history.first
    quiet = eligible & ~np.logical_or.reduce(list(has.values()))
    kind = _number_kinds(history)
    spread = 1 + kind.max(initial=0)
    version = history.source * len(history.client_versions) + history.client_version
    stratum = version * spread + kind
    count, lost = np.bincount(kind[quiet], minlength=spread), np.bincount(kind[quiet & broken], minlength=spread)
    # The upper bound, so that a rate of few steps makes no lift.
    rate = np.array([wilson(int(k), int(n))[1] if n else np.nan for k, n in zip(lost, count, strict=True)])
    _, place = np.unique(stratum, return_inverse=True)
    own, own_lost = np.bincount(place, quiet), np.bincount(place, quiet & broken)
    usual = (own_lost[place] + PRIOR_STEPS * rate[kind]) / (own[place] + PRIOR_STEPS)
    halves = np.array([zlib.crc32(task.encode()) & 1 for task in history.tasks], dtype=bool)
    return _Steps(eligible, broken & eligible, np.maximum(usual, rate[kind]), halves[history.task])


def _number_kinds(history: History) -> Ints:
    """Steps that are alike have the same number: behind a tool's result or the user's words, and by the pause."""
    results = history.segment_kind == history.code_of(history.kinds, "tool_result")
    has_result = np.bincount(history.segment_call[results], minlength=history.calls) > 0
    pause = np.diff(history.started_s, prepend=history.started_s[:1]) > LONG_PAUSE_S
    return (~has_result * 2 + pause).astype(np.int64)


def _measure(steps: _Steps, calls: Flags, has: Flags) -> float:
    """The lower bound of the lift of an event, in the half of sessions where it is lower; 0 where it says nothing."""
    lows = []
    for half in (False, True):
        behind = calls & has & (steps.half == half) & np.isfinite(steps.usual)
        count = int(behind.sum())
        if count == 0:
            return 0.0
        low, _ = wilson(int((behind & steps.broken).sum()), count)
        lows.append(low / float(steps.usual[behind].mean()))
    return min(lows)


def _find_refuted(history: History, steps: _Steps, calls: Flags, has: Flags) -> Flags:
    """Calls of versions whose own steps show that the event does not break caches there."""
    refuted = np.zeros(history.calls, dtype=bool)
    for version in np.unique(history.client_version[calls & has]).tolist():
        of_version = calls & has & (history.client_version == version)
        _, high = wilson(int((of_version & steps.broken).sum()), int(of_version.sum()))
        if high < LIFT * float(np.nanmean(steps.usual[of_version])):
            refuted |= history.client_version == version
    return refuted


def _find_front_reads(history: History) -> Flags:
    """Calls that read no more than system prompt and tools, and at least most of these."""
    shown = [code for code, kind in enumerate(history.kinds) if kind in {"system", "tool_schema", "prefix"}]
    front = history.sum_carried(np.where(np.isin(history.segment_kind, shown), history.segment_tokens, 0))
    read = history.cache_read
    found: Flags = (read > 0) & (read <= FRONT_WITHIN * np.maximum(front, 0))
    return found


def _lose_messages(history: History, event: PromptEvent) -> Flags:
    """Calls to models of which it is documented that this change loses the messages."""
    flags = tabulate_rules(
        history, history.model, history.models, lambda rules: (event.value in rules.messages_lost_by,), (0,)
    )
    found: Flags = flags[0] > 0
    return found


def _list_causes(
    history: History,
    named: Ints,
    words: list[tuple[str, str]],
    has: dict[PromptEvent, Flags],
    lifts: dict[PromptEvent, float],
    eligible: Flags,
) -> list[BreakCause]:
    causes = []
    silent = history.code_of(history.cache_misses, "")
    agreeing = [silent, history.code_of(history.cache_misses, MESSAGES_MISS)]
    groups = np.stack((named, history.source, history.client_version), axis=1)
    for code, source, version in np.unique(groups[named >= 0], axis=0).tolist():
        cause, evidence = words[code]
        there = (history.source == source) & (history.client_version == version)
        calls = np.flatnonzero((named == code) & there)
        happened = has[PromptEvent(cause)] & there & eligible if evidence != "provider" else None
        contradicted = 0 if evidence == "provider" else int((~np.isin(history.cache_miss[calls], agreeing)).sum())
        causes.append(
            BreakCause(
                cause=cause,
                evidence=evidence,
                source=history.sources[source],
                version=history.client_versions[version],
                calls=calls,
                steps=len(calls) if happened is None else int(happened.sum()),
                lift_low=lifts.get(PromptEvent(cause)) if evidence == "measured" else None,
                contradicted=contradicted,
            )
        )
    return sorted(causes, key=lambda one: (-len(one.calls), one.cause, one.version))
