import pytest

from insights.planted import PRICES, Conversation, history_of, tool_round, user
from modicum.calls import UserError
from modicum.insights.changes.ttl_by_pauses import ttl_by_pauses
from modicum.insights.replay import Replay
from modicum.insights.what_if import parse_what_if
from modicum.optimizers.cache_lifetimes import FEWEST_PAUSES


def planted(conversations=12, pause_s=1800.0, **fields):
    """Conversations that begin one after another, each with ten calls after the first."""
    made, start = [], None
    for number in range(conversations):
        one = Conversation(f"m{number}", **fields | ({} if start is None else {"start": start}))
        one.call(user(f"q{number}", 30_000))
        for step in range(10):
            one.call(*tool_round("Read", f"{number}.{step}", f"text {number}.{step}", 200), after=pause_s)
        made.append(one)
        start = one.at
    return made


def test_conversations_that_begin_after_enough_pauses_get_the_time_that_pays():
    history = history_of(*planted())
    what_if = parse_what_if("cache_ttl=by_pauses", history, PRICES)
    ttl = dict(zip(history.entry_ids, what_if.change.ttl_seconds, strict=True))
    by_conversation = {}
    for place, entry_id in enumerate(history.entry_ids):
        by_conversation.setdefault(history.conversations[history.conversation[place]], set()).add(int(ttl[entry_id]))

    known = FEWEST_PAUSES // 10
    assert [len(times) for times in by_conversation.values()] == [1] * 12
    assert sum(times == {3600} for times in by_conversation.values()) == 12 - known
    assert sum(times == {-1} for times in by_conversation.values()) == known
    whole = parse_what_if("cache_ttl=1h", history, PRICES).change
    replays = Replay(history, PRICES)
    assert 0 < replays.run([what_if.change]).saving_share < replays.run([whole]).saving_share
    assert [note.split(":")[0] for note in what_if.notes] == [
        "the vendor's own setting, 5m for all",
        "the vendor's own setting, 1h for all",
    ]


def test_subagents_are_a_kind_of_their_own():
    history = history_of(*planted(), *planted(pause_s=5.0, agent="a", conversation="sub", task="sub"))

    ttl = ttl_by_pauses(history, PRICES)
    is_main = history.agent == history.code_of(history.agents, "")
    assert set(ttl[is_main].tolist()) == {-1, 3600}
    assert 3600 not in ttl[~is_main]


def test_too_few_pauses_leave_all_as_it_was_and_say_so():
    what_if = parse_what_if("cache_ttl=by_pauses", history_of(*planted(2)), PRICES)

    assert what_if.change.ttl_seconds is None
    assert f"has {FEWEST_PAUSES} pauses" in what_if.notes[-1]


def test_where_no_time_can_be_set_the_reason_is_said():
    with pytest.raises(UserError, match="cannot be set for deepseek-chat"):
        parse_what_if("cache_ttl=by_pauses", history_of(*planted(1, model="deepseek-chat")), PRICES)
