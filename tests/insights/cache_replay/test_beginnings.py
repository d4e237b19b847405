import pytest

from insights.planted import Conversation, history_of, said, user
from modicum.calls import Usage
from modicum.insights.cache_replay.beginnings import find_shared


def shared_of(*conversations):
    history = history_of(*conversations)
    shared = find_shared(history)
    rows = zip(shared.call, shared.tokens, strict=True)
    return shared, sorted((history.entry_ids[call], tokens) for call, tokens in rows)


def test_conversations_that_begin_alike_share_the_longest_beginning():
    shared, rows = shared_of(
        Conversation("a").call(user("s", 5000), user("x", 10)),
        Conversation("b").call(user("s", 5000), user("y", 10)),
        Conversation("c").call(user("other", 5000)),
    )

    assert rows == [("a.0", 5000), ("b.0", 5000)]
    assert (shared.root >= 0).tolist() == [True, True, False]
    assert shared.lone.tolist() == [True, True, False]


def test_a_longer_beginning_of_some_stands_beside_the_shorter_one_of_all():
    shared, rows = shared_of(
        Conversation("a").call(user("s", 5000), user("t", 700), user("x", 10)),
        Conversation("b").call(user("s", 5000), user("t", 700), user("y", 10)),
        Conversation("c").call(user("s", 5000), user("z", 10)),
    )

    assert rows == [("a.0", 5000), ("a.0", 5700), ("b.0", 5000), ("b.0", 5700), ("c.0", 5000)]
    assert shared.root_tokens.tolist() == [5000, 5000, 5000]


def test_a_beginning_ends_with_the_call_that_no_longer_has_it():
    talk = Conversation("a").call(user("s", 5000), user("x", 10)).call(said("reply"))
    talk.compact(user("summary", 50), kept=0)
    shared, rows = shared_of(talk, Conversation("b").call(user("s", 5000), user("y", 10)))

    assert rows == [("a.0", 5000), ("a.1", 5000), ("b.0", 5000)]
    assert not shared.lone.any()


def test_another_model_shares_nothing():
    _, rows = shared_of(
        Conversation("a").call(user("s", 5000)), Conversation("b", model="claude-haiku-4-5").call(user("s", 5000))
    )

    assert rows == []


@pytest.mark.parametrize(("other", "is_shared"), [(3000, True), (3200, True), (6000, False)])
def test_unlogged_beginnings_of_one_project_are_alike_if_they_are_as_long(other, is_shared):
    talks = [
        Conversation(name).call(user(name, 1000), usage=Usage(0, 0, 1000 + hidden, 0, 9))
        for name, hidden in (("a", 3000), ("b", 3000), ("c", other))
    ]
    shared, _ = shared_of(*talks)

    assert (shared.root >= 0).tolist() == [True, True, is_shared]
    assert shared.root_tokens[0] == 3000
