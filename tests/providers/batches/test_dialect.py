import pytest

from modicum.providers.dialects import DIALECTS
from modicum.providers.facts import DialectError

OPENAI, ANTHROPIC = DIALECTS["openai-batches"], DIALECTS["anthropic-batches"]


def test_to_ask_for_a_batch_is_a_call_and_all_else_is_aside():
    assert OPENAI.find("POST", "/v1/batches").is_call
    assert ANTHROPIC.find("POST", "/v1/messages/batches").is_call
    found = ANTHROPIC.find("GET", "/v1/messages/batches/msgbatch_1/results")
    assert (found.is_call, found.batch.is_results, found.is_streamed) == (False, True, True)
    assert OPENAI.find("GET", "/v1/other") is None


def test_its_model_is_named_or_its_path_stands_for_it():
    assert OPENAI.request(b'{"input_file_id":"f"}', "/v1/batches").model == "path:/v1/batches"
    body = b'{"requests":[{"custom_id":"a","params":{"model":"claude-x"}}]}'
    assert ANTHROPIC.request(body, "/v1/messages/batches").model == "claude-x"
    assert (OPENAI.has_model, ANTHROPIC.has_model) == (False, True)
    with pytest.raises(DialectError):
        OPENAI.request(b"{", "/v1/batches")


def test_a_batch_that_was_taken_is_pending_and_an_error_is_one():
    facts = OPENAI.reply(b'{"id":"batch_1","object":"batch","status":"validating"}')
    assert (facts.reply_id, facts.pending, facts.usage) == ("batch_1", True, None)
    assert OPENAI.reply(b'{"error":{"type":"x"}}').error_kind == "x"
    assert OPENAI.reply(b"<").problem
    assert (
        ANTHROPIC.row_reply(b'{"type":"message","usage":{"input_tokens":1,"output_tokens":1}}').usage.total_tokens == 2
    )
    assert (OPENAI.segments(b"{"), OPENAI.blocks_of({}), OPENAI.tail(usage_asked=True).facts().usage) == ([], [], None)
    assert b'"type":"error"' in ANTHROPIC.error(404, "no", "x")
