"""Agents that go in circles: what comes a third time says so to the model, and what comes a fifth time is not shown.

Both are functions of what stands before the result, so they make the same of it in every later call. Twice is left
alone: it happens by care (`repeats.py` makes a reference of it).
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from modicum.calls import SegmentKind
from modicum.calls.change import NO_CHANGE, Change
from modicum.calls.facts import Facts
from modicum.calls.prompt import AGENT_REMINDER, Prompt, Unit
from modicum.calls.rule import NetSaving, Rule, Safety
from modicum.calls.words.counted_nouns import number_of

NUDGE_AT, STOP_AT = 3, 5
LONGEST_PERIOD = 6
MOST_ROUNDS = 40
"""That are looked back at."""
CYCLES = 3
"""How often a cycle of two and more calls has to be gone through."""
_WAITS = re.compile(
    r"sleep|wait|poll|status|progress|monitor|watch|health|ready|\blogs?\b|task_?output|bash_?output", re.IGNORECASE
)
"""Tools by which one waits: asking them again is their use."""
_TRANSIENT = re.compile(
    r"\b(?:429|50[0234])\b|rate.?limit|overloaded|timed? ?out|temporarily|unavailable|try again", re.IGNORECASE
)
_LONGEST_ERROR = 600
"""Characters; a longer text that has such words speaks of them."""


class ToolRound(NamedTuple):
    """A call of a tool and what came back."""

    call: bytes
    """The same for the same tool with the same arguments; empty: nobody knows."""
    result: bytes
    """The same for the same text."""
    waits: bool = False
    """The agent waits for a change: a tool for that, or an error that passes."""


class Repetition(NamedTuple):
    """How often the newest round has come now, with nothing new in between."""

    times: int
    period: int
    """How many rounds make one turn of the circle."""


ONCE = Repetition(1, 1)


def repetition(rounds: Sequence[ToolRound]) -> Repetition:
    """The circle that ends with the newest round. One that waits is in none."""
    if not rounds or not _counts(rounds[-1]):
        return ONCE
    times = 1
    while times < len(rounds) and _same(rounds[-1 - times], rounds[-1]):
        times += 1
    if times > 1:
        return Repetition(times, 1)
    for period in range(2, LONGEST_PERIOD + 1):
        turns = 1
        while (turns + 1) * period <= len(rounds) and _is_turn(rounds, period, turns):
            turns += 1
        if turns >= CYCLES:
            return Repetition(turns, period)
    return ONCE


def rounds_of(prompt: Prompt) -> list[tuple[Unit, list[ToolRound]]]:
    """Each tool result with the rounds up to it, since the user last wrote something."""
    found: list[tuple[Unit, list[ToolRound]]] = []
    rounds: list[ToolRound] = []
    for unit in prompt.units:
        if unit.kind is SegmentKind.USER and not (prompt.holds_text and (unit.text or "").startswith(AGENT_REMINDER)):
            rounds = []
        elif unit.kind is SegmentKind.TOOL_RESULT:
            rounds = [*rounds[-MOST_ROUNDS:], _round(unit, holds_text=prompt.holds_text)]
            found.append((unit, rounds))
    return found


def waits(tool: str, text: str | None) -> bool:
    """Whether asking again is what one does with this tool, or after this answer."""
    is_transient = text is not None and len(text) <= _LONGEST_ERROR and bool(_TRANSIENT.search(text))
    return is_transient or bool(_WAITS.search(tool))


def _round(unit: Unit, *, holds_text: bool) -> ToolRound:
    # Without text nobody knows of an error whether it passes.
    is_waiting = waits(unit.tool, unit.text) if holds_text else unit.is_error or waits(unit.tool, None)
    return ToolRound(unit.detail, unit.digest, is_waiting)


def _counts(one: ToolRound) -> bool:
    return bool(one.call) and bool(one.result) and not one.waits


def _same(one: ToolRound, other: ToolRound) -> bool:
    return _counts(one) and one.call == other.call and one.result == other.result


def _is_turn(rounds: Sequence[ToolRound], period: int, turns: int) -> bool:
    """Whether the turn before the last `turns` is like them."""
    start = len(rounds) - (turns + 1) * period
    return all(_same(rounds[start + step], rounds[len(rounds) - period + step]) for step in range(period))


def nudge(prompt: Prompt, _facts: Facts) -> Change:
    """Says in the place of the third result, and of the fourth, that it is the same again."""
    return _replace(prompt, NUDGE_AT, STOP_AT, "loops are pointed out")


def stop(prompt: Prompt, _facts: Facts) -> Change:
    """Says in the place of the fifth result and of all behind it that it is not shown again."""
    return _replace(prompt, STOP_AT, None, "loops are stopped")


def _replace(prompt: Prompt, first: int, last: int | None, purpose: str) -> Change:
    replaced: dict[int, str] = {}
    for unit, rounds in rounds_of(prompt):
        times, period = repetition(rounds)
        if times >= first and (last is None or times < last) and (not prompt.holds_text or unit.text is not None):
            replaced[unit.place] = note(unit.tool, times, period)
    if not replaced:
        return NO_CHANGE
    return Change(replaced=replaced, why=f"{purpose}: {number_of(len(replaced), 'result')}")


def note(tool: str, times: int, period: int) -> str:
    """What the model is shown in the place of a result."""
    what = (
        f"the same call of {tool or 'this tool'}"
        if period == 1
        else f"the same {number_of(period, 'call')} in a circle"
    )
    if times < STOP_AT:
        return (
            f"[modicum: {what}, {times} times in a row, with the same result, which stands above. Nothing has changed: "
            "try something else, or say what is missing.]"
        )
    return (
        f"[modicum: stopped: {what}, {times} times in a row, with the same result. It is not shown again. Do not "
        "repeat it: answer with what you have, or say what is missing.]"
    )


def _is_chosen(_prompt: Prompt, _facts: Facts, _change: Change) -> NetSaving:
    """A guard is not weighed by its tokens: what it is for, rounds that do not come, stands in no prompt."""
    return NetSaving(is_certain=True)


LOOP_NUDGE = Rule(
    "guard.loop_nudge",
    nudge,
    Safety.REVERSIBLE,
    is_cache_safe=True,
    purpose="a third identical call and result says so",
    weigh=_is_chosen,
)
LOOP_STOP = Rule(
    "guard.loop_stop",
    stop,
    Safety.LOSSY,
    is_cache_safe=True,
    purpose="a fifth identical call and result is not shown again",
    weigh=_is_chosen,
)
