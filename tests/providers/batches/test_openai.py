import pytest

from modicum.calls import Usage
from modicum.providers.batches.facts import BatchFacts
from modicum.providers.batches.openai import OpenAIBatches

SHAPE = OpenAIBatches()
BATCH = {"id": "batch_1", "object": "batch", "status": "completed", "model": "gpt-4o", "output_file_id": "file-o"}
USAGE = {"input_tokens": 5, "output_tokens": 2, "total_tokens": 7}


@pytest.mark.parametrize(
    ("method", "path", "subject", "kind"),
    [
        ("GET", "/v1/batches", "", ""),
        ("GET", "/v1/batches/batch_1", "batch_1", "batch"),
        ("POST", "/v1/batches/batch_1/cancel", "batch_1", "batch"),
        ("POST", "/v1/files", "", "file"),
        ("GET", "/v1/files/file-1", "file-1", "file"),
        ("DELETE", "/v1/files/file-1", "file-1", "file"),
        ("GET", "/v1/files/file-1/content", "file-1", "results"),
        ("POST", "/v1/uploads", "", ""),
        ("POST", "/v1/uploads/u_1/parts", "", ""),
    ],
)
def test_what_a_path_asks_for(method, path, subject, kind):
    found = SHAPE.find(method, path)
    assert (found.path, found.subject) == (path.removeprefix("/v1"), subject)
    assert (found.is_batch, found.is_results) == (kind == "batch", kind == "results")


@pytest.mark.parametrize(
    ("method", "path"),
    [("DELETE", "/v1/batches/b"), ("GET", "/v1/batches/b/cancel"), ("POST", "/v1/files/f"), ("GET", "/v1/uploads/u")],
)
def test_what_is_none(method, path):
    assert SHAPE.find(method, path) is None


def test_a_batch_tells_its_files_and_once_it_is_over_its_sum():
    assert SHAPE.facts(BATCH) == BatchFacts(batch_id="batch_1", files=("file-o",), model="gpt-4o")
    assert SHAPE.facts(BATCH | {"usage": USAGE}).usage == Usage(5, output_visible=2)
    assert SHAPE.facts(BATCH | {"usage": USAGE, "status": "in_progress"}).usage is None
    assert SHAPE.facts({"object": "list"}) is None


def test_a_row_that_was_answered_is_a_reply_and_others_are_not_charged():
    row = SHAPE.row(b'{"id":"r1","custom_id":"a","response":{"status_code":200,"body":{"id":"x"}}}')
    assert (row.key, bytes(row.reply)) == ("r1", b'{"id":"x"}')
    for line in (
        b"",
        b"[]",
        b"{",
        b'{"id":"r","response":{"status_code":500,"body":{}}}',
        b'{"id":"r","response":null}',
    ):
        assert SHAPE.row(line) is None
    assert SHAPE.is_result_file({"purpose": "batch_output"})
    assert not SHAPE.is_result_file({"purpose": "batch"})
    assert SHAPE.model(b"{}", "") == ""
