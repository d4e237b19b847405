import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.teams import plan
from modicum.agents.guard import Guards
from modicum.agents.plan_rules import EarlyExit, EdgeKind, Mute


def said(name, text="words", **fields):
    return {"role": "assistant", "name": name, "content": text, **fields}


USER = {"role": "user", "content": "the task"}


def test_rounds_are_counted_where_they_are_not_told():
    guard = plan(rounds=2, drop=[("a", 2)]).guard()

    assert [guard.active("a"), guard.active("a")] == [True, False]
    assert guard.active("b")
    assert guard.active("stranger")


def test_would_speak_does_not_count():
    guard = plan(rounds=2, drop=[("a", 2)]).guard()

    assert guard.would_speak("a")
    assert guard.would_speak("a")
    guard.active("a")
    assert not guard.would_speak("a")


def test_a_protected_agent_is_never_stopped():
    guard = plan(rounds=3, stop_after_round=1, protect=("c",), drop=["a"]).guard()

    assert [guard.active("c") for _ in range(3)] == [True] * 3
    assert [guard.active("b") for _ in range(3)] == [True, False, False]


def test_a_dropped_agent_leaves_no_trace():
    guard = plan(rounds=2, drop=["a", ("b", 1)]).guard()
    guard.active("b")
    guard.active("b")
    messages = [USER, said("a", "None."), said("b", "None."), said("b", "second round")]

    assert guard.filter("c", messages, round=2) == [USER, said("b", "second round")]


def test_words_of_a_round_in_which_the_agent_spoke_stay():
    guard = plan(rounds=2, drop=[("a", 2)]).guard()
    for _ in range(2):
        guard.active("a")

    assert guard.filter("b", [USER, said("a", "first round")], round=2) == [USER, said("a", "first round")]


def test_a_muted_edge_is_one_way_one_kind_one_round():
    guard = plan(rounds=2, mute=(Mute("a", "b", EdgeKind.TEMPORAL, 2),)).guard()
    for _ in range(2):
        for name in ("a", "b", "c"):
            guard.active(name)
    messages = [USER, said("a", "one"), said("a", "two")]

    assert guard.filter("b", messages, round=2) == [USER, said("a", "two")]
    assert guard.filter("b", messages[:2], round=1) == messages[:2]
    assert guard.filter("c", messages, round=2) == messages


def test_tool_calls_keep_their_results():
    call = said("a", "", tool_calls=[{"id": "1"}])
    result = {"role": "tool", "tool_call_id": "1", "content": "found"}
    other = said("c", "", tool_calls=[{"id": "2"}])
    other_result = {"role": "tool", "tool_call_id": "2", "content": "found too"}
    messages = [USER, call, result, said("a"), other, other_result]

    muted = plan(mute=(Mute("a", "b"),)).guard()

    assert muted.filter("b", messages) == [USER, other, other_result]
    assert muted.filter("c", messages) == messages


def test_the_shape_of_responses_and_of_anthropic_links_too():
    use = said("a", [{"type": "tool_use", "id": "1"}])
    result = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "1"}]}

    assert plan(mute=(Mute("a", "b"),)).guard().filter("b", [USER, use, result]) == [USER]


def test_a_conversation_is_never_emptied():
    messages = [said("a"), said("a")]

    assert plan(drop=["a"]).guard().filter("b", messages) == messages


def test_ones_own_words_stay():
    assert plan(mute=(Mute("a", "a"),)).guard().filter("a", [USER, said("a")]) == [USER, said("a")]


@given(
    st.lists(st.sampled_from(["a", "b", "c", "user"]), min_size=1, max_size=12),
    st.lists(st.sampled_from(["a", "b"]), max_size=2, unique=True),
)
def test_filtering_keeps_order_and_never_invents_or_empties(authors, dropped):
    messages = [USER if name == "user" else said(name, str(index)) for index, name in enumerate(authors)]

    kept = plan(drop=dropped).guard().filter("c", messages)

    assert kept
    assert [message for message in messages if message in kept] == kept
    if kept != messages:
        assert not {message.get("name") for message in kept} & set(dropped)


def test_agreement_is_of_the_round_that_counts():
    guard = plan(rounds=2, early_exit=EarlyExit(agree=2, of=3)).guard()

    assert guard.agreed(["(B)", "b."], round=1)
    assert guard.agreed_answer(["A", None, "a"]) == "a"
    assert not guard.agreed(["A", "B"])
    assert not guard.agreed(["None.", "None."])
    assert not guard.agreed(["A", "A"], round=2)
    assert not plan().guard().agreed(["A", "A"])


def test_a_guard_counts_rightly_from_many_threads():
    guard = plan(rounds=100, drop=[("a", 100)]).guard()
    verdicts = []

    def ask():
        verdicts.extend(guard.active("a") for _ in range(25))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert verdicts.count(False) == 1


def test_one_guard_per_run_and_the_oldest_are_forgotten():
    guards = Guards(plan().guard, most=2)
    first = guards.of("1")

    assert guards.of("1") is first
    guards.of("2")
    guards.of("3")
    assert guards.of("1") is not first


@pytest.mark.parametrize("why", ["canary", "expired"])
def test_with_the_full_team_everything_passes(why):
    from modicum.agents.guard import Guard

    guard = Guard(plan(drop=["a"], early_exit=EarlyExit(agree=2, of=3)), full_because=why)

    assert guard.active("a")
    assert guard.filter("b", [said("a", "None.")]) == [said("a", "None.")]
    assert not guard.agreed(["A", "A", "A"])


def test_a_turn_that_did_not_come_to_an_end_is_asked_for_again_in_its_round():
    guard = plan(rounds=2, drop=[("a", 2)]).guard()

    assert guard.active("a")
    guard.unfinished.add("a")
    assert guard.active("a")
    guard.unfinished.discard("a")
    assert not guard.active("a")
    assert guard.round_of("a") == 2
