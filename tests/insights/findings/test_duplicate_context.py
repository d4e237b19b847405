import pytest

from insights.planted import READ, WRITE, Conversation, history_of, said, tool_round, user
from modicum.insights.findings.duplicate_context import find


def test_a_block_pasted_twice_pays_its_write_and_every_read():
    talk = Conversation().call(user("log", 3000)).call(said("a"), user("log", 3000)).call(said("b")).call(said("c"))

    found = find(history_of(talk))

    assert (found.calls, found.tokens) == (1, 3 * 3000)
    assert found.gross_usd == pytest.approx(3000 * WRITE + 2 * 3000 * READ)
    assert found.change.segment_tokens.tolist() == [3000, 20, 0, 20, 20]


def test_short_blocks_and_what_the_model_said_may_repeat():
    talk = Conversation().call(user("ok", 99)).call(said("x", 500), user("ok", 99)).call(said("x", 500))

    assert find(history_of(talk)).calls == 0


def test_after_a_compaction_the_first_copy_is_gone():
    talk = Conversation().call(user("task", 50), user("log", 3000)).compact(user("log", 3000))

    assert find(history_of(talk)).calls == 0


def test_another_conversation_has_a_context_of_its_own():
    assert (
        find(history_of(Conversation("a").call(user("log", 3000)), Conversation("b").call(user("log", 3000)))).calls
        == 0
    )


def test_the_same_result_of_another_call_is_a_duplicate_and_of_the_same_call_a_reread():
    talk = Conversation().call(*tool_round("Read", "a.py", "text")).call(*tool_round("Read", "./a.py", "text"))
    same = Conversation("u").call(*tool_round("Read", "a.py", "text")).call(*tool_round("Read", "a.py", "text"))

    assert find(history_of(talk)).details["blocks"] == 1
    assert find(history_of(same)).details["blocks"] == 0
