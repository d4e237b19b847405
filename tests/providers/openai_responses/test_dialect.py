import pytest

from modicum.calls import SegmentKind
from modicum.providers.openai_responses.dialect import DIALECT


def test_a_request_tells_its_facts():
    facts = DIALECT.request(
        b'{"model":"gpt-5","input":"hi","stream":true,"max_output_tokens":50,"safety_identifier":"h-1",'
        b'"conversation":{"id":"conv_1"},"metadata":{"team":"blue"}}',
        "/v1/responses",
    )
    assert (facts.model, facts.stream, facts.usage_asked, facts.most_output_tokens) == ("gpt-5", True, True, 50)
    assert (facts.user, facts.session, facts.metadata) == ("h-1", "conv_1", {"team": "blue"})


@pytest.mark.parametrize("status", ["queued", "in_progress"])
def test_a_response_that_is_still_written_has_no_usage_yet(status):
    facts = DIALECT.reply(b'{"id":"resp_1","status":"%b","background":true,"usage":null}' % status.encode())
    assert (facts.pending, facts.complete, facts.usage, facts.usage_final) == (True, False, None, False)


def test_usage_needs_no_asking():
    body = b'{"model":"gpt-5","stream":true}'
    assert DIALECT.with_usage_asked(body) is body


def test_segments_come_in_cache_order():
    blocks = DIALECT.segments(
        b'{"instructions":"Be brief.","input":[{"role":"user","content":"Tide?"},'
        b'{"type":"function_call","call_id":"c","name":"tide","arguments":"{}"},'
        b'{"type":"function_call_output","call_id":"c","output":"high"}],"tools":[{"type":"function","name":"tide"}]}'
    )
    kinds = [SegmentKind.TOOL_SCHEMA, SegmentKind.SYSTEM, SegmentKind.USER, SegmentKind.TOOL_CALL]
    assert [block.kind for block in blocks] == [*kinds, SegmentKind.TOOL_RESULT]


def test_a_response_is_read_and_cancelled_by_its_id():
    found = DIALECT.find("GET", "/v1/responses/resp_1")
    assert (found.path, found.is_call, found.late_reply) == ("/responses/resp_1", False, "resp_1")
    assert DIALECT.find("POST", "/v1/responses/resp_1/cancel").path == "/responses/resp_1/cancel"
    assert DIALECT.find("DELETE", "/v1/responses/resp_1").late_reply == "resp_1"
    assert DIALECT.find("GET", "/v1/responses/resp_1/input_items").path == "/responses/resp_1/input_items"
    for method, rest in [("POST", "resp_1"), ("GET", "resp_1/cancel"), ("PUT", "resp_1"), ("GET", "../models")]:
        assert DIALECT.find(method, f"/v1/responses/{rest}") is None


def test_a_compacted_context_tells_its_usage():
    counts = b'"usage":{"input_tokens":139,"output_tokens":438,"total_tokens":577}'
    facts = DIALECT.reply(b'{"id":"resp_001","object":"response.compaction","output":[],%b}' % counts)
    assert (facts.usage.total_tokens, facts.complete, facts.pending) == (577, True, False)
    assert DIALECT.paths["/v1/responses/compact"].is_call
    assert not DIALECT.paths["/v1/responses/input_tokens"].is_call
