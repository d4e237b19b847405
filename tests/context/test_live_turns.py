import json

import pytest

from modicum.context import live_turns
from modicum.context.live_turns import LiveTurns
from modicum.providers.dialects import DIALECTS

CHAT, ANTHROPIC, RESPONSES = (DIALECTS[name] for name in ("openai-chat", "anthropic-messages", "openai-responses"))
SYSTEM = {"role": "system", "content": "be brief"}


def talk(turns, opening="the task"):
    """The messages of a call after so many turns."""
    messages = [SYSTEM, {"role": "user", "content": opening}]
    for turn in range(turns):
        messages += [{"role": "assistant", "content": f"step {turn}"}, {"role": "user", "content": f"go on {turn}"}]
    return messages


class Calls:
    """Calls of one process; each is recorded."""

    def __init__(self):
        self.turns = LiveTurns()
        self.now_s = 1_000.0

    def __call__(self, messages, scope="key", name="", cached=None, dialect=CHAT, **fields):
        field = "input" if dialect is RESPONSES else "messages"
        place = self.turns.find(dialect, json.dumps({field: messages, **fields}).encode(), scope, name)
        if place is not None:
            self.turns.record(place, self.now_s, cached)
        self.now_s += 10
        return place


def test_a_conversation_is_counted_and_says_what_it_left_in_the_cache():
    call = Calls()
    places = [call(talk(turns), cached=100 * (turns + 1)) for turns in range(4)]

    assert [place.turn for place in places] == [0, 1, 2, 3]
    assert [place.cached_tokens for place in places] == [None, 100, 200, 300]
    assert [place.seconds_since_last(1_000.0 + 10 * turn) for turn, place in enumerate(places)] == [None, 10, 10, 10]
    assert [place.age_s(1_000.0 + 10 * turn) for turn, place in enumerate(places)] == [0, 10, 20, 30]


def test_conversations_that_begin_otherwise_or_belong_to_others_are_apart():
    call = Calls()
    call(talk(0))
    call(talk(0, "another task"))

    assert call(talk(1, "another task")).turn == 1
    assert call(talk(1), scope="another key").turn is None
    assert call(talk(1)).turn == 1


def test_of_a_conversation_that_began_elsewhere_nothing_is_said_but_that():
    call = Calls()
    first, second = call(talk(3), cached=70), call(talk(4))

    assert (first.turn, first.cached_tokens, first.age_s(5_000)) == (None, None, None)
    assert (second.turn, second.cached_tokens, second.age_s(5_000)) == (None, 70, None)


def test_a_context_that_does_not_hold_what_was_sent_last_is_not_its_continuation():
    call = Calls()
    for turns in range(3):
        call(talk(turns))
    rewritten = [*talk(2)[:-1], {"role": "user", "content": "something else"}, *talk(3)[-2:]]

    assert call(rewritten).turn is None


def test_conversations_that_begin_alike_each_have_a_first_call():
    call = Calls()

    assert [call(talk(0)).turn for _ in range(3)] == [0, 0, 0]
    assert call(talk(1)).turn == 1


def test_a_name_goes_on_whatever_becomes_of_the_context():
    call = Calls()
    call(talk(0), name="pr-12")
    call(talk(5), name="pr-12")

    assert call([SYSTEM, {"role": "user", "content": "a summary"}], name="pr-12").turn == 2
    assert call(talk(0), name="pr-13").turn == 0


def test_marks_that_move_and_keys_in_another_order_change_nothing():
    def anthropic(*texts):
        roles = ["user", "assistant"] * len(texts)
        found = [
            {"role": role, "content": [{"type": "text", "text": text}]}
            for role, text in zip(roles, texts, strict=False)
        ]
        found[-1]["content"][0]["cache_control"] = {"type": "ephemeral"}
        return found

    call = Calls()
    one = call(anthropic("a"), dialect=ANTHROPIC)
    two = call(anthropic("a", "b", "c"), dialect=ANTHROPIC)
    three = [dict(reversed(message.items())) for message in anthropic("a", "b", "c", "d", "e")]

    assert (one.turn, two.turn, call(three, dialect=ANTHROPIC).turn) == (0, 1, 2)


def test_a_call_that_nobody_counted_leaves_what_was_known_of_the_cache():
    call = Calls()
    call(talk(0), cached=500)
    call(talk(1), cached=None)

    assert call(talk(2)).cached_tokens == 500


@pytest.mark.parametrize("fields", [{"previous_response_id": "resp_1"}, {"conversation": "conv_1"}])
def test_what_the_provider_keeps_is_not_known_here(fields):
    call = Calls()
    items = [{"role": "user", "content": "hi"}]

    assert call(items, dialect=RESPONSES, **fields) is None
    assert call(items, dialect=RESPONSES, previous_response_id=None).turn == 0


@pytest.mark.parametrize("body", [b"", b"[]", b'{"messages": "x"}', b'{"messages": []}', b'{"input": "one text"}'])
def test_requests_without_messages_have_no_place(body):
    assert LiveTurns().find(CHAT, body, "", "") is None


def test_odd_messages_have_a_place_all_the_same():
    body = b'{"messages":[{"role":7},{"content":{}},{"role":"user","content":[null,3]}]}'

    assert LiveTurns().find(CHAT, body, "", "").turn == 0


def test_memory_is_bounded_and_the_oldest_is_forgotten(monkeypatch):
    monkeypatch.setattr(live_turns, "MOST_CONVERSATIONS", 2)
    call = Calls()
    for opening in ("a", "b", "c"):
        call(talk(0, opening))

    assert (call(talk(1, "c")).turn, call(talk(1, "a")).turn) == (1, None)


def test_a_ping_renews_what_stands_in_the_cache_and_is_no_call():
    turns, dialect = LiveTurns(), DIALECTS["anthropic-messages"]
    body = b'{"messages":[{"role":"user","content":"hi"}]}'
    first = turns.find(dialect, body, "me", "talk")
    turns.record(first, 1_000.0, 50_000)

    turns.renew(first.key, 1_270.0)

    place = turns.find(dialect, body, "me", "talk")
    assert place.cached_for_s == 570
    assert place.seconds_since_last(1_400.0) == 400
    assert turns.find(dialect, body, "me", "other").cached_for_s == 300
    assert turns.beginning(dialect, body, "me", "talk") == turns.beginning(dialect, b'{"messages":[{}]}', "me", "talk")
    assert turns.beginning(dialect, b"{}", "me", "talk") is None


def test_how_conversations_go_on_is_known_once_enough_were_seen():
    turns, dialect = LiveTurns(), DIALECTS["anthropic-messages"]
    body = b'{"messages":[{"role":"user","content":"hi"}]}'
    assert turns.later_calls(0) is None
    for number in range(20):
        for at in range(1 + number % 2):
            turns.record(turns.find(dialect, body, "me", str(number)), float(at), None)

    assert turns.later_calls(0) == 0.5
    assert turns.later_calls(1) is None
    assert turns.later_calls(None) is None
