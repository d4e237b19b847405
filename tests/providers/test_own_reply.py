"""The official clients read these in tests/gateway/teams/test_turns.py; here every dialect's own tail does."""

import pytest

from modicum.providers.dialects import DIALECTS
from modicum.providers.own_reply import OwnText

OWN = OwnText("ab12", "some-model", "nothing to add", 1_700_000_000, stream=False, usage_asked=True)
KNOWN = ("openai-chat", "anthropic-messages", "openai-responses")


@pytest.mark.parametrize("dialect", KNOWN)
def test_a_whole_reply_reads_as_a_complete_one_that_used_nothing(dialect):
    kind, body = DIALECTS[dialect].own_reply(OWN)
    facts = DIALECTS[dialect].reply(body)

    assert kind == b"application/json"
    assert (facts.model, facts.complete, facts.error_kind) == ("some-model", True, "")
    assert facts.problem == "the usage is all zeros"
    assert DIALECTS[dialect].reply_text(body, stream=False) == ("nothing to add", False)


@pytest.mark.parametrize("dialect", KNOWN)
def test_a_stream_ends_as_its_dialect_ends_one(dialect):
    kind, body = DIALECTS[dialect].own_reply(OWN._replace(stream=True))
    tail = DIALECTS[dialect].tail(usage_asked=True)
    tail.feed(body)
    tail.end()

    assert kind.startswith(b"text/event-stream")
    assert (tail.facts().complete, tail.facts().model) == (True, "some-model")
    assert DIALECTS[dialect].reply_text(body, stream=True) == ("nothing to add", False)


def test_of_other_dialects_there_is_none():
    assert DIALECTS["gemini-generate"].own_reply(OWN) is None
    assert DIALECTS["openai-embeddings"].own_reply(OWN) is None
