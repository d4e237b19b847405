"""All dialects: replies as fixture pairs, requests that are none, errors as the official clients read them."""

from pathlib import Path

import msgspec
import pytest
from anthropic.types import ErrorResponse
from google.genai import errors as google_errors
from hypothesis import given
from hypothesis import strategies as st

from modicum.providers.dialects import DIALECTS
from modicum.providers.facts import DialectError, ReplyFacts

FIXTURES = Path(__file__).parent / "fixtures"
REPLIES = sorted(path for path in FIXTURES.rglob("*.json") if not path.name.endswith(".facts.json"))
GEMINI_PATH = "/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse"

REQUESTS = {
    "openai-chat": b'{"model":"gpt-5","messages":[{"role":"user","content":"hi \\u00e9"}],"stream":true,"n":2,'
    b'"stream_options":{"include_obfuscation":false},"metadata":{"task":"T-1"}}',
    "openai-responses": b'{"model":"gpt-5","input":[{"role":"user","content":"hi"}],"stream":true}',
    "openai-embeddings": b'{"model":"text-embedding-3-small","input":["one","two"]}',
    "openai-text": b'{"model":"gpt-3.5-turbo-instruct","prompt":["one","two"],"max_tokens":5,"stream":true}',
    "openai-images": b'{"model":"gpt-image-1","prompt":"a tide","n":2}',
    "openai-speech": b'{"model":"tts-1","input":"hi","voice":"alloy"}',
    "openai-moderations": b'{"model":"omni-moderation-latest","input":["one"]}',
    "rerank": b'{"model":"rerank-v3.5","query":"q","documents":["one","two"]}',
    "anthropic-messages": b'{"model":"claude-sonnet-4-5","max_tokens":64,"messages":[{"role":"user","content":"hi"}]}',
    "gemini-generate": b'{"contents":[{"role":"user","parts":[{"text":"hi"}]}],"labels":{"a":"b"}}',
}


@pytest.mark.parametrize("path", REPLIES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_reply_tells_its_facts(path):
    expected = msgspec.json.decode(path.with_name(f"{path.name}.facts.json").read_bytes(), type=ReplyFacts)
    assert DIALECTS[path.parent.name].reply(path.read_bytes()) == expected


mutations = {
    "at": st.integers(0, 1 << 20),
    "length": st.integers(0, 60),
    "instead": st.binary(max_size=20)
    | st.sampled_from([b"null", b"[]", b"{}", b"-1", b'"x"', b"1e400", b"true", b"[" * 2000, b'"\\ud800"']),
}


@given(path=st.sampled_from(REPLIES), **mutations)
def test_a_mutated_reply_raises_nothing(path, at, length, instead):
    body = path.read_bytes()
    at %= len(body)
    facts = DIALECTS[path.parent.name].reply(body[:at] + instead + body[at + length :])
    assert facts.usage is None or facts.usage.total_tokens > 0
    assert facts.usage_final == (facts.usage is not None)


@given(name=st.sampled_from(sorted(REQUESTS)), **mutations)
def test_a_mutated_request_raises_nothing_but_dialect_errors(name, at, length, instead):
    body = REQUESTS[name]
    at %= len(body)
    mutated = body[:at] + instead + body[at + length :]
    dialect = DIALECTS[name]
    statuses = []
    for read in (lambda b: dialect.request(b, GEMINI_PATH), dialect.segments, dialect.with_usage_asked):
        try:
            read(mutated)
        except DialectError as refused:
            statuses.append(refused.status)
    assert all(400 <= status < 500 for status in statuses)


@pytest.mark.parametrize("name", sorted(REQUESTS))
@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"null", b"\xff\xfe", b"[" * 100_000, b'{"model":7}', b'{"n":"x"}'])
def test_what_is_no_request_is_refused(name, body):
    if name == "gemini-generate" and body.startswith(b'{"'):
        body = b'{"generationConfig":{"maxOutputTokens":"many"}}'
    if name in {"openai-images", "openai-moderations"} and body == b'{"n":"x"}':  # they may leave the model out
        body = b'{"model":""}'
    with pytest.raises(DialectError) as refused:
        DIALECTS[name].request(body, GEMINI_PATH)
    assert refused.value.status == 400


@pytest.mark.parametrize("model", ["", "a" * 257, "gpt\r\nX-Evil: 1", "gpt-5\u2028", "../../admin"])
def test_a_model_name_must_be_fit_for_logs_labels_and_paths(model):
    body = msgspec.json.encode({"model": model, "max_tokens": 1, "messages": []})
    for name in ("openai-chat", "openai-responses", "openai-embeddings", "anthropic-messages"):
        with pytest.raises(DialectError, match="model"):
            DIALECTS[name].request(body, "/v1/x")


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, "authentication_error"), (429, "rate_limit_error"), (500, "api_error"), (529, "overloaded_error")],
)
def test_anthropic_reads_our_errors(status, kind):
    error = ErrorResponse.model_validate_json(DIALECTS["anthropic-messages"].error(status, "no", "any"))
    assert error.error.type == kind
    assert error.error.message == "no"


def test_google_reads_our_errors():
    body = msgspec.json.decode(DIALECTS["gemini-generate"].error(429, "the budget is spent", "budget_exceeded"))
    with pytest.raises(google_errors.ClientError) as raised:
        google_errors.APIError.raise_error(429, body, None)
    assert raised.value.status == "RESOURCE_EXHAUSTED"
    assert raised.value.message == "the budget is spent"
    assert body["error"]["details"][0]["reason"] == "BUDGET_EXCEEDED"


@pytest.mark.parametrize("name", sorted(REQUESTS))
def test_an_error_inside_a_stream_is_found_again(name):
    event = DIALECTS[name].error_event(502, "the upstream broke off", "upstream_broke_off")
    assert event.replace(b"\r", b"").endswith(b"\n\n")
    has_no_streams = name in {"openai-embeddings", "openai-moderations", "rerank"}
    tail = DIALECTS["openai-chat" if has_no_streams else name].tail(usage_asked=True)
    tail.feed(event)
    assert tail.facts().error_kind
