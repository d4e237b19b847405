"""Replies of upstreams with known right figures, through the real gateway: what is billed, and how it is known."""

import json
from decimal import Decimal

import httpx2 as httpx
import pytest

from gateway.scripted import Answer, anthropic_stream, chunk, events, scripted, whole
from modicum.calls import Basis, CallStatus

COUNTS = {"prompt_tokens": 3000, "completion_tokens": 50, "total_tokens": 3050}


@pytest.fixture
def upstream(tmp_path):
    with scripted(tmp_path) as upstream:
        yield upstream


def only(upstream):
    (entry,) = upstream.booked()
    return entry.call


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("cut", [7, 1 << 20])
def test_events_of_indented_json_are_metered_and_pass_unchanged(upstream, end, cut):
    answer = anthropic_stream(
        {"input_tokens": 3000, "output_tokens": 1}, {"output_tokens": 50}, indent=2, end=end, cut=cut
    )
    upstream.answers = answer

    assert upstream.call("anthropic", stream=True).content == answer.body
    assert upstream.cost() == (Decimal("0.00975"), Basis.EXACT)


def test_usage_alone_is_taken_out_of_a_stream_of_indented_json_too(upstream):
    said, last = chunk({"content": "Paris"}), chunk(finish="stop")
    upstream.answers = events(said, last, {**chunk(), "choices": [], "usage": COUNTS}, indent=2, done=True)

    assert upstream.call("openai-chat", stream=True).content == events(said, last, indent=2, done=True).body
    assert only(upstream).usage.prompt_tokens == 3000


def test_a_translated_stream_of_indented_json_is_read(upstream):
    upstream.answers = events(
        chunk({"content": "Paris"}),
        chunk(finish="stop"),
        {**chunk(), "choices": [], "usage": COUNTS},
        indent=2,
        done=True,
    )

    reply = upstream.call("anthropic", stream=True, model="gpt-4o-mini").text
    assert '"text":"Paris"' in reply
    assert '"input_tokens":3000' in reply
    assert only(upstream).usage.completion_tokens == 50


def refusing(request, status=400, message="Unrecognized request argument supplied: stream_options"):
    if "stream_options" in request:
        return whole({"error": {"message": message, "type": "invalid_request_error"}}, status)
    return events(chunk({"content": "Paris is the capital."}), chunk(finish="stop"), done=True)


def test_an_upstream_that_refuses_to_be_asked_for_usage_is_remembered_and_serves(upstream, capfd):
    upstream.answers = refusing

    first = upstream.call("openai-chat", stream=True)
    second = upstream.call("openai-chat", stream=True)

    assert first.status_code == second.status_code == 200
    assert first.content == second.content == refusing({}).body
    assert ["stream_options" in request for request in upstream.asked] == [True, False, False]
    for entry in upstream.booked(2):
        assert (entry.call.usage_basis, entry.call.output_basis) == (Basis.ESTIMATED, Basis.ESTIMATED)
        assert entry.call.usage.completion_tokens > 0
    assert capfd.readouterr().err.count("usage_refused") == 1


@pytest.mark.parametrize(
    ("status", "message"),
    [(422, "body.stream_options: Extra inputs are not permitted"), (400, "unknown field include_usage")],
)
def test_an_upstream_may_refuse_it_in_its_own_words(upstream, status, message):
    upstream.answers = lambda request: refusing(request, status, message)

    assert upstream.call("openai-chat", stream=True).status_code == 200
    assert upstream.call("anthropic", stream=True, model="gpt-4o-mini").status_code == 200
    assert ["stream_options" in request for request in upstream.asked] == [True, False, False]


def test_a_translated_call_is_sent_again_too(upstream):
    upstream.answers = refusing

    assert "Paris" in upstream.call("anthropic", stream=True, model="gpt-4o-mini").text
    assert only(upstream).usage_basis is Basis.ESTIMATED


def test_what_an_upstream_refuses_for_another_reason_is_passed_back_and_not_remembered(upstream):
    answer = whole({"error": {"message": "max_tokens is too large; your request: {stream_options: ...}"}}, 400)
    upstream.answers = answer
    assert upstream.call("openai-chat", stream=True).content == answer.body
    upstream.answers = refused = whole({"error": {"message": "no such tool"}}, 400)
    assert upstream.call("openai-chat", stream=True).content == refused.body

    assert ["stream_options" in request for request in upstream.asked] == [True, False, True]
    assert {entry.call.status for entry in upstream.booked(2)} == {CallStatus.ERROR}


def test_a_caller_that_asks_for_usage_itself_gets_the_refusal(upstream):
    upstream.answers = refusing

    assert upstream.call("openai-chat", stream=True, stream_options={"include_usage": True}).status_code == 400
    assert len(upstream.asked) == 1


def test_an_error_in_a_chunk_with_choices_is_an_error(upstream):
    failed = {"error": {"code": "server_error", "message": "Provider disconnected"}, "provider": "OpenAI"}
    upstream.answers = answer = events(chunk({"content": "Par"}), chunk({"content": ""}, "error", **failed), done=True)

    assert upstream.call("openai-chat", stream=True).content == answer.body
    call = only(upstream)
    assert (call.status, call.finish_reason) == (CallStatus.ERROR, "error")
    assert call.usage_basis is Basis.UNKNOWN


@pytest.mark.parametrize("place", ["beside", "inside"])
def test_usage_in_an_error_counts(upstream, place):
    error = {"code": 502, "message": "gone"}
    failed = {"error": error, "usage": COUNTS} if place == "beside" else {"error": {**error, "usage": COUNTS}}
    upstream.answers = events(chunk({"content": "Par"}), failed)

    upstream.call("openai-chat", stream=True)
    call = only(upstream)
    assert (call.status, call.usage.prompt_tokens, call.usage.completion_tokens) == (CallStatus.ERROR, 3000, 50)
    assert call.output_basis is Basis.EXACT


def test_usage_in_every_chunk_is_of_all_so_far(upstream):
    counted = [{**COUNTS, "completion_tokens": n, "total_tokens": 3000 + n} for n in (1, 2, 3)]
    upstream.answers = events(
        chunk({"content": "a"}, usage=counted[0]),
        chunk({"content": "b"}, usage=counted[1]),
        chunk({"content": "c"}, "stop", usage=counted[2]),
        done=True,
    )

    upstream.call("openai-chat", stream=True)
    call = only(upstream)
    assert (call.usage.prompt_tokens, call.usage.completion_tokens) == (3000, 3)
    assert call.output_basis is Basis.EXACT


def test_usage_in_the_middle_of_a_stream_that_breaks_off_is_not_its_end(upstream):
    counted = {**COUNTS, "completion_tokens": 1, "total_tokens": 3001}
    upstream.answers = events(
        {**chunk(), "choices": [], "usage": counted}, chunk({"content": "one two three four five six"})
    )

    upstream.call("openai-chat", stream=True)
    call = only(upstream)
    assert (call.status, call.usage.prompt_tokens) == (CallStatus.ABORTED, 3000)
    assert call.usage.completion_tokens == 6
    assert (call.usage_basis, call.output_basis) == (Basis.EXACT, Basis.ESTIMATED)


def test_the_counts_of_a_message_are_of_all_so_far(upstream):
    upstream.answers = anthropic_stream(
        {"input_tokens": 10, "output_tokens": 1},
        {"input_tokens": 3000, "output_tokens": 50, "cache_read_input_tokens": 7},
    )

    upstream.call("anthropic", stream=True)
    usage = only(upstream).usage
    assert (usage.input_uncached, usage.cache_read, usage.output_visible) == (3000, 7, 50)


@pytest.mark.parametrize(
    ("given", "tokens"),
    [
        (["hello world"] * 10, 20),
        ([[15339, 1917] * 50], 100),
        ([[15339, 1917], [15339]], 3),
        ([15339, 1917], 2),
        ("hello world", 2),
    ],
)
def test_embeddings_without_usage_are_counted_by_input(upstream, given, tokens):
    vectors = [{"object": "embedding", "index": 0, "embedding": [0.1]}]
    upstream.answers = whole({"object": "list", "model": "text-embedding-3-small", "data": vectors})

    upstream.call("embeddings", input=given)
    call = only(upstream)
    assert (call.usage.total_tokens, call.usage_basis) == (tokens, Basis.ESTIMATED)


@pytest.mark.parametrize(
    "counts",
    [{"prompt_tokens": None, "completion_tokens": 5}, {"prompt_tokens": 5, "completion_tokens": None}],
)
def test_a_count_that_is_null_is_not_exact(upstream, counts):
    choice = {"index": 0, "message": {"role": "assistant", "content": "Paris"}, "finish_reason": "stop"}
    upstream.answers = whole(
        {"id": "x", "object": "chat.completion", "model": "m", "choices": [choice], "usage": counts}
    )

    upstream.call("openai-chat")
    call = only(upstream)
    assert Basis.EXACT not in {call.usage_basis, call.output_basis}
    assert call.usage.total_tokens > 0


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("null", ["promptTokenCount", "candidatesTokenCount"])
def test_a_null_count_of_gemini_is_not_exact(upstream, null, stream):
    counts = {"promptTokenCount": 100, "candidatesTokenCount": 10, "totalTokenCount": 110, null: None}
    candidate = {"content": {"role": "model", "parts": [{"text": "Paris"}]}, "finishReason": "STOP"}
    document = {"candidates": [candidate], "usageMetadata": counts, "modelVersion": "gemini-2.5-flash"}
    upstream.answers = events(document) if stream else whole(document)

    upstream.call("gemini", stream)
    call = only(upstream)
    assert Basis.EXACT not in {call.usage_basis, call.output_basis}
    assert call.usage.total_tokens > 0


@pytest.mark.parametrize("status", ["queued", "in_progress"])
def test_a_response_in_the_background_has_no_known_usage(upstream, status):
    response = {"id": "resp_" + "a" * 48, "object": "response", "status": status, "background": True}
    upstream.answers = answer = whole(response | {"model": "gpt-5", "output": [], "usage": None})

    assert upstream.call("responses", input="hi", background=True).content == answer.body
    call = only(upstream)
    assert (call.usage_basis, call.output_basis, call.usage.total_tokens) == (Basis.UNKNOWN, Basis.UNKNOWN, 0)
    assert call.status is CallStatus.UNKNOWN


def test_a_stream_of_a_background_response_that_breaks_off_has_no_known_usage(upstream):
    response = {"id": "resp_" + "a" * 48, "object": "response", "background": True, "model": "gpt-5", "usage": None}
    upstream.answers = events(
        {"type": "response.created", "response": response | {"status": "queued"}},
        {"type": "response.output_text.delta", "delta": "Paris"},
    )

    upstream.call("responses", stream=True, input="hi", background=True)
    assert only(upstream).usage_basis is Basis.UNKNOWN


def test_of_a_monstrous_event_no_byte_is_lost(upstream):
    body = b'data: {"choices":[{"index":0,"delta":{"content":"' + b"x" * (6 << 20) + b'"}}]}\n\ndata: [DONE]\n\n'
    upstream.answers = Answer(body, 200, "text/event-stream", 1 << 16)

    assert upstream.call("openai-chat", stream=True).content == body
    assert json.loads(body.split(b"\n")[0][5:])
    assert only(upstream).status is CallStatus.OK


RESPONSE = {"id": "resp_" + "a" * 48, "object": "response", "background": True, "model": "gpt-5", "output": []}
RESPONSE |= {"created_at": 1795000000, "service_tier": "default"}
FINAL = {"input_tokens": 1000, "output_tokens": 200, "total_tokens": 1200}


def poll(upstream, path="", method="GET", **headers):
    url = f"{upstream.url}/v1/responses/{RESPONSE['id']}{path}"
    return httpx.request(method, url, headers=upstream.headers(**headers), timeout=10)


def test_a_response_in_the_background_is_one_call_whose_usage_comes_with_its_end(upstream):
    upstream.answers = whole(RESPONSE | {"status": "queued", "usage": None})
    upstream.call("responses", input="hi", background=True)
    upstream.answers = whole(RESPONSE | {"status": "in_progress", "usage": None})
    poll(upstream)
    upstream.answers = answer = whole(RESPONSE | {"status": "completed", "usage": FINAL})
    assert poll(upstream).content == poll(upstream).content == answer.body

    assert upstream.asked_paths == ["/v1/responses"] + [f"/v1/responses/{RESPONSE['id']}"] * 3
    first, last = upstream.wait_for_records(2)
    assert (first.usage_basis, last.usage_basis) == (Basis.UNKNOWN, Basis.EXACT)
    assert (last.started, last.owner, last.call_id) == (first.started, first.owner, first.call_id)
    (entry,) = upstream.booked(2)
    assert (entry.call.usage.prompt_tokens, entry.call.usage.completion_tokens) == (1000, 200)


def test_a_worker_that_did_not_make_the_call_books_its_end_under_the_readers_names(upstream):
    upstream.answers = whole(RESPONSE | {"status": "completed", "usage": FINAL})

    poll(upstream, x_modicum_task="nightly")
    (call,) = upstream.wait_for_records(1)
    assert (call.call_id, call.task, call.owner.key) == (RESPONSE["id"], "nightly", "ci")
    assert call.started.timestamp() == RESPONSE["created_at"]
    assert [entry.call.call_id for entry in upstream.shipped()] == [RESPONSE["id"]]


def test_a_response_that_was_no_background_one_is_read_and_not_booked_again(upstream):
    upstream.answers = whole(RESPONSE | {"background": False, "status": "completed", "usage": FINAL})

    assert poll(upstream).status_code == 200
    assert upstream.records() == []


def test_a_response_in_the_background_can_be_cancelled_and_may_fail(upstream):
    upstream.answers = whole(RESPONSE | {"status": "cancelled", "usage": None})

    assert poll(upstream, "/cancel", "POST").status_code == 200
    (call,) = upstream.wait_for_records(1)
    assert (call.status, call.usage_basis) == (CallStatus.ABORTED, Basis.UNKNOWN)


def test_a_response_in_the_background_may_be_read_as_a_stream(upstream):
    final = {"type": "response.completed", "response": RESPONSE | {"status": "completed", "usage": FINAL}}
    begun = {"type": "response.created", "response": RESPONSE | {"status": "in_progress", "usage": None}}
    upstream.answers = answer = events(begun, final, cut=7)

    assert poll(upstream, "?stream=true&starting_after=0").content == answer.body
    assert upstream.asked_paths == [f"/v1/responses/{RESPONSE['id']}?stream=true&starting_after=0"]
    (call,) = upstream.wait_for_records(1)
    assert (call.call_id, call.usage.total_tokens, call.usage_basis) == (RESPONSE["id"], 1200, Basis.EXACT)


def test_a_response_is_removed_and_what_it_was_made_of_is_read_without_a_record(upstream):
    upstream.answers = whole({"object": "list", "data": []})

    assert poll(upstream, "/input_items?limit=2").status_code == 200
    assert upstream.asked_paths[-1].endswith("/input_items?limit=2")
    assert poll(upstream, method="DELETE").status_code == 200
    assert upstream.records() == []


def test_a_response_is_not_read_without_a_key(upstream):
    assert httpx.get(f"{upstream.url}/v1/responses/{RESPONSE['id']}").status_code == 401
    assert upstream.asked == []
