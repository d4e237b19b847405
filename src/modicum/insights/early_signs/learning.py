"""A rule that names tasks which will fail: chosen on the older tasks, measured on the newer ones, and on only if false
alarms are few for certain.

A false alarm is an alarm on a task that did not fail. Their share is of all alarms: who is warned wants to know how
often the warning is wrong. It is measured on tasks that had no part in choosing the rule, and what counts is the upper
end of its interval (Clopper and Pearson, one-sided). Without a false alarm that takes 149 alarms.
"""

import math
from dataclasses import dataclass

import msgspec
import numpy as np

from modicum.calls.words.counted_nouns import number_of
from modicum.calls.words.percentages import percent
from modicum.insights.early_signs.signs import SIGNS, WORDS, TaskSigns
from modicum.insights.history import Flags, Ints
from modicum.statistics.proportions import upper_share

LEARNED_SHARE = 0.6
"""Of the tasks with an outcome, the oldest are learned from."""
MOST_FALSE = 0.02
CONFIDENCE = 0.95
LEAST_ALARMS = math.ceil(math.log(1 - CONFIDENCE) / math.log(1 - MOST_FALSE))
"""With fewer, even no false alarm at all leaves more than that share open."""
WITHIN_CALLS = (3, 5, 10, 20, 50, 0)
"""Until which call an alarm may come; 0: at any time."""
MOST_THRESHOLDS = 48


class EarlyRule(msgspec.Struct, frozen=True, kw_only=True):
    """A task is named when a sign has come so far, if that is within its first calls."""

    sign: str
    at_least: float
    within_calls: int
    """0: at any time."""

    @property
    def text(self) -> str:
        until = f" within the first {number_of(self.within_calls, 'call')}" if self.within_calls else ""
        return f"{self.at_least:,.0f} {WORDS[self.sign]} or more{until}"


class EarlyFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule did on tasks that had no part in choosing it."""

    tasks: int
    failed: int
    alarms: int
    false_alarms: int
    false_share_upper: float | None
    """Upper end of the share of alarms that are false, 95 %; None: no alarm."""
    passed_named_share: float | None
    """Of the tasks that did not fail, the share that was named."""
    tokens_to_come: float | None
    """Of the tokens of named tasks that failed, the share that was spent after the alarm."""


class EarlyAdvice(msgspec.Struct, frozen=True, kw_only=True):
    """The rule of one owner, and whether it may name tasks."""

    owner: str
    is_on: bool
    why: str
    tasks_learned: int
    failed_learned: int
    rule: EarlyRule | None = None
    held_out: EarlyFigures | None = None


@dataclass(frozen=True)
class _Alarms:
    at: Ints
    """After which call each task is named; 0: never. (T,)"""

    @property
    def fired(self) -> Flags:
        return np.asarray(self.at > 0, np.bool_)


def learn(signs: TaskSigns, known: Ints, failed: Flags, owner: str = "") -> EarlyAdvice:
    """The rule for these tasks, and whether it is good enough.

    Args:
        signs: of all tasks.
        known: places of the tasks with an outcome, of this owner.
        failed: for each of them, whether it failed.
        owner: whose tasks these are.
    """
    order = np.argsort(signs.began_s[known], kind="stable")
    known, failed = known[order], failed[order]
    count = int(len(known) * LEARNED_SHARE)
    learned, held = slice(0, count), slice(count, None)
    advice = EarlyAdvice(
        owner=owner, is_on=False, why="", tasks_learned=count, failed_learned=int(failed[learned].sum())
    )
    if not failed[learned].any() or failed[learned].all():
        what = "all" if failed[learned].any() else "none"
        why = (
            f"{number_of(len(known), 'task has', 'tasks have')} the outcome, and {what} of the older ones failed: "
            "nothing tells them apart"
        )
        return msgspec.structs.replace(advice, why=why)
    rule = _choose(signs, known[learned], failed[learned])
    if rule is None:
        why = (
            f"no sign tells failures apart in {number_of(count, 'task')} with "
            f"at most {percent(MOST_FALSE, None)} false alarms"
        )
        return msgspec.structs.replace(advice, why=why)
    figures = _measure(signs, known[held], failed[held], rule)
    why = _why_off(figures)
    return msgspec.structs.replace(advice, is_on=not why, why=why or _why_on(figures), rule=rule, held_out=figures)


def find_alarms(signs: TaskSigns, tasks: Ints, rule: EarlyRule) -> Ints:
    """After which call of each of these tasks the rule names it; 0: it does not."""
    return _alarms(signs, tasks, rule).at


def _alarms(signs: TaskSigns, tasks: Ints, rule: EarlyRule) -> _Alarms:
    until = signs.calls_until(rule.sign, rule.at_least)[tasks]
    latest = np.minimum(signs.calls[tasks], rule.within_calls or np.iinfo(np.int64).max)
    return _Alarms(np.where(until <= latest, until, 0))


def _choose(signs: TaskSigns, tasks: Ints, failed: Flags) -> EarlyRule | None:
    """The rule that leaves most tokens unspent in tasks that failed, among those with few false alarms."""
    best: tuple[float, EarlyRule] | None = None
    totals = signs.tokens_in_all[tasks]
    for sign in SIGNS:
        for at_least in _thresholds(signs, tasks, sign):
            until = signs.calls_until(sign, at_least)[tasks]
            came = until <= signs.calls[tasks]
            spent = signs.tokens[signs.first[tasks] + np.minimum(until, signs.calls[tasks]) - 1]
            to_come = totals - spent
            for within in WITHIN_CALLS:
                named = came & (until <= within) if within else came
                false = int((named & ~failed).sum())
                saved = float(to_come[named & failed].sum())
                if named.all() or false > MOST_FALSE * named.sum() or saved <= (best[0] if best else 0.0):
                    continue
                best = saved, EarlyRule(sign=sign, at_least=at_least, within_calls=within)
    return best[1] if best else None


def _thresholds(signs: TaskSigns, tasks: Ints, sign: str) -> list[float]:
    """Values that tasks come to on their way, above 0: all of them where they are few, else a sample that is even."""
    among = np.zeros(len(signs.tasks), np.bool_)
    among[tasks] = True
    reached = signs.running[sign][np.repeat(among, signs.calls)]
    values = np.unique(reached[reached > 0])
    if len(values) > MOST_THRESHOLDS:
        values = values[np.linspace(0, len(values) - 1, MOST_THRESHOLDS).round().astype(int)]
    return [float(value) for value in values]


def _measure(signs: TaskSigns, tasks: Ints, failed: Flags, rule: EarlyRule) -> EarlyFigures:
    alarms = _alarms(signs, tasks, rule)
    fired, count = alarms.fired, int(alarms.fired.sum())
    false = int((fired & ~failed).sum())
    passed = int((~failed).sum())
    right = fired & failed
    totals = signs.tokens_in_all[tasks][right]
    spent = signs.tokens[signs.first[tasks][right] + alarms.at[right] - 1]
    return EarlyFigures(
        tasks=len(tasks),
        failed=int(failed.sum()),
        alarms=count,
        false_alarms=false,
        false_share_upper=upper_share(false, count, confidence=CONFIDENCE) if count else None,
        passed_named_share=false / passed if passed else None,
        tokens_to_come=float((totals - spent).sum() / totals.sum()) if totals.sum() else None,
    )


def _why_off(figures: EarlyFigures) -> str:
    """Why the rule may not name tasks; empty: it may."""
    alarms = (
        f"{figures.false_alarms:,} of {number_of(figures.alarms, 'alarm')} on {figures.tasks:,} newer tasks were false"
    )
    if figures.false_share_upper is None:
        return f"on {figures.tasks:,} newer tasks it gave no alarm, so nobody knows how often one is false"
    if figures.false_share_upper >= MOST_FALSE:
        few = f"; it takes {LEAST_ALARMS} alarms without a false one" if figures.alarms < LEAST_ALARMS else ""
        return (
            f"{alarms}: up to {percent(figures.false_share_upper)} are not ruled out, and on from "
            f"{percent(MOST_FALSE, None)} down{few}"
        )
    if figures.false_share_upper >= 1 - figures.failed / figures.tasks:
        return f"{alarms}, but {figures.failed:,} of these tasks failed: it is no better than to name them all"
    return ""


def _why_on(figures: EarlyFigures) -> str:
    upper = figures.false_share_upper or 0.0
    return (
        f"{figures.false_alarms:,} of {number_of(figures.alarms, 'alarm')} on {figures.tasks:,} newer tasks were "
        f"false: at most {percent(upper)} ({percent(CONFIDENCE, 0)})"
    )
