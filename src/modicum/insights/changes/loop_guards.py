"""The history with a guard against agents that go in circles: its rules say where they would have spoken.

What an agent does behind a note is in no log. That it heeds the first one, so that no round behind it in the same
circle comes, is an upper bound.
"""

from datetime import UTC, datetime

import numpy as np

from modicum.calls.change import Change
from modicum.calls.facts import Facts
from modicum.calls.prompt import Prompt, tokens_by_length
from modicum.calls.rule import Rule
from modicum.insights.finding import HistoryChange
from modicum.insights.history import Flags, History
from modicum.insights.rules.rule_replay import prompts_of
from modicum.insights.segment_costs import remove_rounds
from modicum.optimizers.loop_guard import LOOP_STOP

_FACTS = Facts(at=datetime(2000, 1, 1, tzinfo=UTC), model="")
"""Guards ask for none."""


def guard_loops(history: History, rule: Rule) -> HistoryChange:
    """The result at which the rule speaks first is its note. Those behind it in the same circle, and the calls that
    asked for nothing else, are gone.
    """
    notes = find_notes(history, rule)
    if not notes:
        return HistoryChange()
    # Behind a nudge that was not heeded stands what would have been stopped.
    in_circle = np.zeros(history.segments, np.bool_)
    in_circle[[*notes, *(notes if rule is LOOP_STOP else find_notes(history, LOOP_STOP))]] = True
    change = remove_rounds(history, in_circle & _goes_on(history, in_circle)).change or HistoryChange()
    sizes = history.segment_tokens.copy() if change.segment_tokens is None else change.segment_tokens
    for place, note in notes.items():
        sizes[place] = min(sizes[place], tokens_by_length(note))
    return HistoryChange(segment_tokens=sizes, dropped_calls=change.dropped_calls)


def find_notes(history: History, rule: Rule) -> dict[int, str]:
    """What a guard would have put in the place of which results, by their number among the segments."""
    notes: dict[int, str] = {}
    bounds = np.searchsorted(history.segment_call, np.arange(history.calls + 1))
    places: list[int] = []
    fullest: Prompt | None = None
    for number, prompt in enumerate(prompts_of(history)):
        kept = 0 if history.first[number] else int(history.kept_segments[number])
        # What stands before a result decides, so the context just before something leaves it says it of all.
        if fullest is not None and kept < len(places):
            notes |= _notes_in(fullest, places, rule)
        if not prompt.is_known:
            fullest, places = None, []
            continue
        fullest, places = prompt, [*places[:kept], *range(bounds[number], bounds[number + 1])]
    return notes if fullest is None else notes | _notes_in(fullest, places, rule)


def _notes_in(prompt: Prompt, places: list[int], rule: Rule) -> dict[int, str]:
    change = rule.decide(prompt, _FACTS)
    replaced = change.replaced if isinstance(change, Change) else {}
    return {places[at]: text for at, text in replaced.items()}


def _goes_on(history: History, in_circle: Flags) -> Flags:
    """Segments whose call comes behind one of the same conversation that brought such a result, too. (S,)"""
    brings = np.zeros(history.calls, np.bool_)
    brings[history.segment_call[in_circle]] = True
    behind = np.zeros(history.calls, np.bool_)
    behind[1:] = brings[:-1] & ~history.first[1:]
    found: Flags = behind[history.segment_call]
    return found
