import random

import numpy as np
import pytest

from insights.planted import Conversation, history_of, said, tool_round, user
from modicum.calls import Anatomy, Charges, Segment, SegmentKind, Usage
from modicum.insights.cache_replay.break_causes import name_causes
from modicum.insights.caching import Caching
from modicum.insights.findings.prefix_break import find_broken_calls

FRONT = 16_000
TRUE = {"skill": 0.5, "skill_ended": 0.7, "thinking": 0.25, "command": 0.8}
"""How often the cache breaks behind events that have to do with it."""
DECOYS = ("permission_mode", "interrupt", "client_version", "api_error", "shell_command")


class Planted:
    """Sessions whose breaks are planted: by events, and now and then by nothing."""

    def __init__(self, seed, *, sessions=60, calls=60, lost=0.005, **fields):
        self.draw = random.Random(seed)  # noqa: S311 - the same draws on every run
        self.causes: dict[str, str] = {}
        self.sessions = [self._session(f"s{seed}.{number}", calls, lost, fields) for number in range(sessions)]
        self.history = history_of(*self.sessions)

    def _session(self, name, calls, lost, fields):
        talk = Conversation(name, **fields)
        talk.call(Segment(SegmentKind.PREFIX, FRONT), user("q", 20_000))
        for number in range(calls):
            is_prompt = self.draw.random() < 0.2
            added = (
                (said("a"), user(f"{name}{number}", 300)) if is_prompt else tool_round("Read", f"{number}", f"{number}")
            )
            event = self._draw_event(is_prompt=is_prompt)
            cause = event if self.draw.random() < TRUE.get(event, 0) else ""
            is_lost = self.draw.random() < lost * (4 if is_prompt else 1)
            more = {}
            if cause or is_lost:
                grown = sum(part.tokens for part in added)
                more["usage"] = Usage(0, FRONT, talk.tokens + grown - FRONT, 0, 30)
                self.causes[f"{name}.{number + 1}"] = cause
            anatomy = Anatomy(talk.held, talk.tokens, added, events=(event,) if event else ())
            talk.call(*added, anatomy=anatomy, client_version=f"1.{self.draw.randrange(3)}", **more)
        return talk

    def _draw_event(self, *, is_prompt):
        if self.draw.random() > 0.12:
            return ""
        prompts = ("skill_ended", "thinking", "command", *DECOYS)
        return self.draw.choice(prompts if is_prompt else ("skill", "interrupt", "api_error"))

    def name(self):
        broken = find_broken_calls(self.history, Caching.compute(self.history))
        causes = name_causes(self.history, broken)
        named = {self.history.entry_ids[call]: one.cause for one in causes for call in one.calls}
        return causes, named, broken


def test_planted_causes_are_named_with_a_precision_of_95_percent_on_many_draws():
    right = wrong = planted = 0
    for seed in range(6):
        sessions = Planted(seed)
        _, named, broken = sessions.name()
        assert {sessions.history.entry_ids[call] for call in np.flatnonzero(broken)} == set(sessions.causes)
        right += sum(sessions.causes[call] == cause for call, cause in named.items())
        wrong += sum(sessions.causes[call] != cause for call, cause in named.items())
        planted += sum(bool(cause) for cause in sessions.causes.values())

    assert right / (right + wrong) >= 0.95
    assert right / planted >= 0.8


def test_events_that_have_nothing_to_do_with_it_name_nothing():
    sessions = Planted(7, lost=0.02)
    sessions_without = set(sessions.name()[1].values()) & set(DECOYS)

    assert not sessions_without


def test_a_circumstance_is_no_cause_and_few_sessions_name_nothing():
    few = Planted(1, sessions=1)
    _, named, broken = few.name()

    assert broken.any()
    assert set(named.values()) <= {"thinking"}  # documented, whatever else is known


def pair(read=FRONT, event="thinking", model="claude-opus-4-5", **fields):
    talk = Conversation(model=model).call(Segment(SegmentKind.PREFIX, FRONT), user("q", 20_000))
    anatomy = Anatomy(2, FRONT + 20_000, (user("r", 100),), events=(event,))
    usage = Usage(0, read, FRONT + 20_100 - read, 0, 9)
    history = history_of(talk.call(user("r", 100), usage=usage, anatomy=anatomy, **fields))
    return name_causes(history, find_broken_calls(history, Caching.compute(history)))


@pytest.mark.parametrize("event", ["thinking", "tool_choice", "image"])
def test_a_documented_change_needs_no_other_sessions(event):
    (found,) = pair(event=event)

    assert (found.cause, found.evidence, found.lift_low) == (event, "documented", None)


def test_a_documented_change_must_fit_what_was_read():
    assert pair(read=0) == []  # system prompt and tools were lost, too
    assert pair(read=FRONT + 9000) == []  # a part of the messages was read
    assert pair(event="interrupt") == []


def test_the_providers_word_stands_above_what_we_conclude():
    (found,) = pair(charges=Charges(cache_miss="tools_changed"))
    assert (found.cause, found.evidence, found.contradicted) == ("tools_changed", "provider", 0)

    (found,) = pair(charges=Charges(cache_miss="messages_changed"))
    assert (found.cause, found.evidence, found.contradicted) == ("thinking", "documented", 0)

    (found,) = pair(event="interrupt", charges=Charges(cache_miss="messages_changed"))
    assert (found.cause, found.evidence) == ("messages_changed", "provider")
