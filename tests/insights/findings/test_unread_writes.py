import pytest

from insights.planted import WRITE, Conversation, history_of, said, user
from modicum.insights.findings.unread_writes import find


def test_a_lone_call_that_writes_to_the_cache_pays_for_nothing():
    found = find(history_of(Conversation("a").call(user("once", 4000))))

    assert (found.calls, found.tokens) == (1, 4000)
    assert found.gross_usd == pytest.approx(4000 * WRITE)
    assert found.change.ttl_seconds.tolist() == [0]


def test_a_conversation_that_reads_has_used_its_writes_even_the_last():
    assert find(history_of(Conversation("a").call(user("long", 4000)).call(said("b", 300)))).calls == 0


def test_a_beginning_that_another_conversation_reads_was_not_for_nothing():
    writes, reads = Conversation("a"), Conversation("b")
    reads.tokens = 4000  # found in the cache what the other had written
    history = history_of(writes.call(user("shared", 4000)), reads.call(user("own", 10)))

    assert find(history).calls == 0
