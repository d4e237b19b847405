"""The refusal of a request, and what facts hold where nothing is known."""

import msgspec
import pytest

from modicum.providers.facts import DialectError, ReplyFacts, RequestFacts


def test_a_refusal_has_a_status_a_message_for_the_caller_and_a_word_for_programs():
    error = DialectError(404, "there is no such model", "model_missing")

    assert (error.status, error.message, error.kind) == (404, "there is no such model", "model_missing")
    assert str(error) == "there is no such model"
    assert DialectError(400, "it is not JSON").kind == "invalid_request"


def test_a_reply_of_which_nothing_is_known_is_not_complete_and_has_no_usage():
    facts = ReplyFacts()

    assert (facts.usage, facts.usage_final, facts.complete) == (None, False, False)


def test_facts_cannot_be_changed_by_one_of_their_readers():
    with pytest.raises(AttributeError):
        RequestFacts(model="m").model = "another"
    assert msgspec.structs.replace(RequestFacts(model="m"), stream=True).stream
