import json

from modicum.calls import Basis, CallStatus
from modicum.importers.format import Reading
from modicum.importers.recorded.openai import read


def test_a_recorded_stream_that_failed_midway_and_told_no_usage_is_not_free(tmp_path):
    head = {"id": "gen-1", "object": "chat.completion.chunk", "model": "gpt-4o", "created": 1780000000}
    said = head | {"choices": [{"index": 0, "delta": {"content": "Par"}}]}
    failed = head | {"error": {"code": 502}, "choices": [{"index": 0, "delta": {}, "finish_reason": "error"}]}
    path = tmp_path / "log.jsonl"
    stream = "".join(f"data: {json.dumps(event)}\n\n" for event in (said, failed))
    path.write_text(json.dumps({"request": {"model": "gpt-4o"}, "response": stream}))

    (call,) = read(path, Reading())

    assert (call.status, call.usage_basis) == (CallStatus.ERROR, Basis.UNKNOWN)
