import json

import pytest

from modicum.providers.batches.gemini import GeminiBatches
from modicum.providers.dialects import DIALECTS
from modicum.providers.facts import DialectError

SHAPE = GeminiBatches()
CREATE = "/v1beta/models/gemini-2.5-flash:batchGenerateContent"
REPLY = {"responseId": "r", "candidates": [], "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 4}}


@pytest.mark.parametrize(
    ("method", "path", "wanted"),
    [
        ("GET", "/v1beta/batches/abc", {"path": "/batches/abc", "subject": "batches/abc", "is_batch": True}),
        ("POST", "/v1beta/batches/abc:cancel", {"subject": "batches/abc", "is_batch": True}),
        ("GET", "/v1beta/batches", {"subject": "", "is_batch": False}),
        (
            "GET",
            "/download/v1beta/files/x:download",
            {"path": "/files/x:download", "root": "/download", "subject": "files/x", "is_results": True},
        ),
        ("GET", "/v1beta/files/x:download", {"root": "", "subject": "files/x", "is_results": True}),
        ("POST", "/upload/v1beta/files", {"path": "/files", "root": "/upload", "is_results": False}),
        ("DELETE", "/v1beta/files/x", {"subject": "files/x", "is_results": False}),
        ("POST", "/v1beta/files/x", None),
        ("GET", "/upload/v1beta/files", None),
        ("POST", "/v1beta/batches:cancel", None),
        ("GET", "/v1beta/models/x", None),
    ],
)
def test_what_a_path_asks_for(method, path, wanted):
    found = SHAPE.find(method, path)
    assert (found is None) is (wanted is None)
    assert all(getattr(found, name) == value for name, value in (wanted or {}).items())


def test_a_new_batch_has_its_model_in_the_path():
    dialect = DIALECTS["gemini-batches"]
    target = dialect.find("POST", CREATE)
    assert (target.path, target.is_call) == ("/models/gemini-2.5-flash:batchGenerateContent", True)
    assert dialect.request(b"{}", CREATE).model == "gemini-2.5-flash"
    assert dialect.target_for(target.path, "gemini-3-pro") == "/models/gemini-3-pro:batchGenerateContent"
    assert dialect.target_for("/batches/x", "gemini-3-pro") == "/batches/x"
    for body, path in ((b"[", CREATE), (b"{}", "/v1beta/batches")):
        with pytest.raises(DialectError):
            dialect.request(body, path)


@pytest.mark.parametrize("where", ["response", "dest"])
def test_results_stand_in_the_object_or_in_a_file(where):
    rows = [{"response": REPLY, "metadata": {"key": "a"}}, {"error": {"code": 400}}, {"response": REPLY}]
    batch = {"name": "batches/x", "done": True, where: {"inlinedResponses": {"inlinedResponses": rows}}}
    lines = SHAPE.inline_results(batch).splitlines()
    assert [SHAPE.row(line).key for line in lines] == ["a", "#2"]
    assert DIALECTS["gemini-batches"].row_reply(bytes(SHAPE.row(lines[0]).reply)).usage.output_visible == 4
    assert SHAPE.facts({"name": "batches/x", where: {"responsesFile": "files/y"}}).files == ("files/y",)
    assert SHAPE.facts({"name": "models/x"}) is None
    assert SHAPE.inline_results({"name": "batches/x", "metadata": {"state": "BATCH_STATE_RUNNING"}}) == b""


@pytest.mark.parametrize("line", [b"", b"[", b"{}", json.dumps({"key": "a", "error": {}}).encode()])
def test_rows_that_failed_are_none(line):
    assert SHAPE.row(line) is None
    assert SHAPE.is_result_file({"source": "GENERATED"})
    assert not SHAPE.is_result_file({"source": "UPLOADED"})
