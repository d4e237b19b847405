import msgspec
import pytest

from modicum.providers.batches.anthropic import AnthropicBatches
from modicum.providers.facts import DialectError

SHAPE = AnthropicBatches()


@pytest.mark.parametrize(
    ("method", "path", "is_batch", "is_results"),
    [
        ("GET", "/v1/messages/batches", False, False),
        ("GET", "/v1/messages/batches/msgbatch_1", True, False),
        ("DELETE", "/v1/messages/batches/msgbatch_1", True, False),
        ("POST", "/v1/messages/batches/msgbatch_1/cancel", True, False),
        ("GET", "/v1/messages/batches/msgbatch_1/results", False, True),
        ("POST", "/v1/files", False, False),
        ("GET", "/v1/files/file_1/content", False, False),
    ],
)
def test_what_a_path_asks_for(method, path, is_batch, is_results):
    found = SHAPE.find(method, path)
    assert (found.path, found.is_batch, found.is_results) == (path.removeprefix("/v1"), is_batch, is_results)


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/v1/messages/batches/b"), ("GET", "/v1/messages/batches/b/cancel"), ("GET", "/v1/x")]
)
def test_what_is_none(method, path):
    assert SHAPE.find(method, path) is None


def test_a_batch_names_one_model():
    def batch(*models):
        return msgspec.json.encode({"requests": [{"custom_id": "a", "params": {"model": model}} for model in models]})

    assert SHAPE.model(batch("claude-a", "claude-a"), "") == "claude-a"
    for body in (batch("claude-a", "claude-b"), batch(), b"{", b'{"requests":[{}]}', batch(7)):
        with pytest.raises(DialectError):
            SHAPE.model(body, "")


def test_only_what_succeeded_is_charged():
    row = SHAPE.row(b'{"custom_id":"a","result":{"type":"succeeded","message":{"id":"m"}}}')
    assert (row.key, bytes(row.reply)) == ("a", b'{"id":"m"}')
    for line in (b"{", b'{"custom_id":"a","result":{"type":"errored"}}', b'{"custom_id":"a"}'):
        assert SHAPE.row(line) is None
    assert SHAPE.facts({"type": "message_batch", "id": "msgbatch_1"}).batch_id == "msgbatch_1"
    assert SHAPE.facts({"type": "message"}) is None
    assert not SHAPE.is_result_file({"purpose": "batch_output"})
