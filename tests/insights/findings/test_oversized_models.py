import pytest

from insights.planted import Conversation, history_of, tool_round, user
from modicum.insights.findings.oversized_models import find, find_smaller_model


def test_a_conversation_that_only_looked_things_up_could_have_been_smaller():
    looked = Conversation("a").call(user("where?", 1000)).call(*tool_round("Grep", "x", "there"))
    wrote = Conversation("b").call(user("do", 1000)).call(*tool_round("Edit", "x", "done"))
    explained = Conversation("c").call(user("why?", 1000), output=400)

    found = find(history_of(looked, wrote, explained))

    assert found.change.model_calls.tolist() == [True, True, False, False, False]
    assert found.change.models == {"claude-opus-4-5": "claude-haiku-4-5"}


@pytest.mark.parametrize(
    ("model", "small"),
    [
        ("claude-opus-4-5-20251101", "claude-haiku-4-5"),
        ("claude-haiku-4-5", ""),
        ("gpt-5-mini", ""),
        ("gpt-5.1-codex", "gpt-5-mini"),
        ("gpt-4o-2024-08-06", "gpt-4o-mini"),
        ("gpt-4o-mini", ""),
        ("some-model", ""),
    ],
)
def test_a_smaller_model_of_the_same_maker(model, small):
    assert find_smaller_model(model) == small
