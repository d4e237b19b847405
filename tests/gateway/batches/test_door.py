"""Batches through the whole gateway: one record while nobody has counted, and a call a row when results come, once."""

import json
from contextlib import contextmanager
from decimal import Decimal

import httpx2 as httpx
import msgspec
import pytest

from gateway.scripted import Answer, all_upstreams, scripted, whole
from modicum.calls import Basis, Tier
from modicum.settings import PolicySettings

BATCH = {"id": "batch_6810", "object": "batch", "status": "validating", "endpoint": "/v1/chat/completions"}
DONE = BATCH | {
    "status": "completed",
    "output_file_id": "file-out",
    "error_file_id": "file-err",
    "model": "gpt-4o-mini",
}
SUM = {"input_tokens": 200, "output_tokens": 20, "total_tokens": 220}
MESSAGES = {"id": "msgbatch_01", "type": "message_batch", "processing_status": "in_progress"}
ASKED = {"input_file_id": "file-in", "endpoint": "/v1/chat/completions", "completion_window": "24h"}


def chat_row(number, tokens=100):
    usage = {"prompt_tokens": tokens, "completion_tokens": 10, "total_tokens": tokens + 10}
    body = {"id": f"chatcmpl-AbCdEfGhIjKlMnOp{number:08d}", "object": "chat.completion", "model": "gpt-4o-mini"}
    body |= {"choices": [{"index": 0, "message": {"content": "hi"}, "finish_reason": "stop"}], "usage": usage}
    return {"id": f"batch_req_{number}", "custom_id": f"c{number}", "response": {"status_code": 200, "body": body}}


def message_row(number):
    usage = {"input_tokens": 100, "output_tokens": 10, "service_tier": "batch"}
    message = {"id": f"msg_01AbCdEfGhIjKlMn{number:08d}", "type": "message", "model": "claude-sonnet-4-6"}
    message |= {"content": [], "stop_reason": "end_turn", "usage": usage}
    return {"custom_id": f"c{number}", "result": {"type": "succeeded", "message": message}}


def lines(*rows, cut=37):
    return Answer(b"".join(json.dumps(row).encode() + b"\n" for row in rows), 200, "application/x-ndjson", cut)


FAILED = {"id": "batch_req_9", "custom_id": "c9", "response": {"status_code": 400, "body": {"error": {}}}}


@pytest.fixture
def upstream(tmp_path):
    with scripted(tmp_path, all_upstreams) as upstream:
        yield upstream


def ask(upstream, method, path, answer, body=None, **headers):
    upstream.answers = answer
    return httpx.request(method, f"{upstream.url}{path}", json=body, headers=upstream.headers(**headers), timeout=10)


def begin(upstream, **headers):
    assert ask(upstream, "POST", "/v1/batches", whole(BATCH), ASKED, **headers).json() == BATCH


@contextmanager
def restarted(upstream):
    upstream.stop()
    upstream.start()
    yield


def test_a_batch_is_unknown_until_its_results_come_and_then_a_call_a_row_at_half_the_price(upstream):
    begin(upstream, x_modicum_task="nightly")
    (first,) = upstream.wait_for_records(1)
    assert (first.usage_basis, first.task, first.calls_count) == (Basis.UNKNOWN, "nightly", 1)

    with restarted(upstream):
        assert ask(upstream, "GET", "/v1/batches/batch_6810", whole(DONE)).json() == DONE
        answer = lines(chat_row(1), FAILED, chat_row(2))
        assert ask(upstream, "GET", "/v1/files/file-out/content", answer, x_modicum_task="other").content == answer.body
        assert ask(upstream, "GET", "/v1/files/file-out/content", answer).content == answer.body

    entries = upstream.shipped()
    rows = [entry for entry in entries if entry.call.calls_count]
    assert [entry.call.call_id for entry in rows] == [f"chatcmpl-AbCdEfGhIjKlMnOp{number:08d}" for number in (1, 2)]
    assert {entry.call.task for entry in rows} == {"nightly"}
    assert {(entry.call.tier, entry.cost.basis) for entry in rows} == {(Tier.BATCH, Basis.EXACT)}
    half = (100 * Decimal("0.15e-6") + 10 * Decimal("0.6e-6")) / 2
    assert {entry.cost.usd for entry in rows} == {half}
    (batch,) = [entry for entry in entries if not entry.call.calls_count]
    assert (batch.cost.usd, batch.call.usage.total_tokens) == (Decimal(0), 0)


def test_a_sum_of_the_batch_stands_until_its_rows_are_read(upstream):
    begin(upstream)
    ask(upstream, "GET", "/v1/batches/batch_6810", whole(DONE | {"usage": SUM}))
    (entry,) = upstream.booked(2)

    assert (entry.call.usage.total_tokens, entry.call.tier, entry.call.model) == (220, Tier.BATCH, "gpt-4o-mini")
    assert (entry.cost.basis, entry.call.charges.caveats) == (Basis.ESTIMATED, ("sum_of_batch",))

    ask(upstream, "GET", "/v1/files/file-out/content", lines(chat_row(1), chat_row(2)))
    ask(upstream, "GET", "/v1/batches/batch_6810", whole(DONE | {"usage": SUM}))
    entries = [entry for entry in upstream.shipped() if entry.call.usage.total_tokens]
    assert [entry.call.usage.total_tokens for entry in entries] == [110, 110]


def test_anthropics_results_are_booked_by_the_batch_in_their_path(upstream):
    body = {
        "requests": [{"custom_id": "c1", "params": {"model": "claude-sonnet-4-6", "max_tokens": 9, "messages": []}}]
    }
    version = {"anthropic_version": "2023-06-01"}
    assert ask(upstream, "POST", "/v1/messages/batches", whole(MESSAGES), body, **version).json() == MESSAGES
    ask(upstream, "GET", "/v1/messages/batches/msgbatch_01/results", lines(message_row(1), message_row(2)), **version)

    rows = [entry for entry in upstream.booked(5) if entry.call.calls_count]
    assert [entry.call.usage.prompt_tokens for entry in rows] == [100, 100]
    assert {entry.call.provider for entry in rows} == {"anthropic"}
    assert sum(entry.cost.usd for entry in rows) == 2 * (100 * Decimal("3e-6") + 10 * Decimal("15e-6")) / 2


def test_results_of_a_batch_from_elsewhere_are_booked_only_if_the_provider_says_that_they_are_results(upstream):
    def answers(purpose):
        files = {"/v1/files/file-x": whole({"id": "file-x", "purpose": purpose})}
        return lambda _: files.get(upstream.asked_paths[-1], lines(chat_row(7)))

    ask(upstream, "GET", "/v1/files/file-x/content", answers("user_data"))
    assert upstream.records() == []
    ask(upstream, "GET", "/v1/files/file-x/content", answers("batch_output"), x_modicum_task="reader")
    (entry,) = upstream.booked(1)
    assert (entry.call.task, entry.call.usage.total_tokens, entry.call.tier) == ("reader", 110, Tier.BATCH)


def test_results_that_break_off_leave_the_batch_unknown_and_what_came_booked(upstream):
    begin(upstream)
    ask(upstream, "GET", "/v1/batches/batch_6810", whole(DONE))
    whole_rows = lines(chat_row(1), chat_row(2))

    async def broken(_headers, _reader, writer):
        half = whole_rows.body[: len(whole_rows.body) * 3 // 4]
        writer.write(b"HTTP/1.1 200 X\r\ncontent-length: %d\r\n\r\n" % len(whole_rows.body) + half)
        await writer.drain()
        return False

    upstream.provider.reply, former = broken, upstream.provider.reply
    with pytest.raises(httpx.HTTPError):
        ask(upstream, "GET", "/v1/files/file-out/content", None)
    upstream.provider.reply = former

    entries = {entry.call.call_id: entry for entry in upstream.booked(3)}
    assert len(entries) == 2
    batch = next(entry for entry in entries.values() if entry.call.usage.total_tokens == 0)
    assert (batch.cost.usd, batch.call.calls_count) == (None, 1)


def test_files_pass_and_are_no_calls_and_a_key_for_some_models_sees_none(upstream):
    for method, path in [
        ("POST", "/v1/files"),
        ("GET", "/v1/files"),
        ("DELETE", "/v1/files/file-1"),
        ("POST", "/v1/uploads"),
    ]:
        assert ask(upstream, method, path, whole({"id": "file-1"}), {} if method == "POST" else None).is_success
    assert upstream.records() == []
    limited = {"authorization": f"Bearer {upstream.issue_key('limited', models=('gpt-*',))}"}
    assert httpx.get(f"{upstream.url}/v1/files", headers=limited, timeout=10).status_code in {401, 403}


def test_a_batch_that_fails_is_an_error_and_not_waited_for(upstream):
    reply = ask(upstream, "POST", "/v1/batches", whole({"error": {"type": "invalid_request_error"}}, 400), ASKED)

    assert reply.status_code == 400
    (entry,) = upstream.booked(1)
    assert entry.call.status.value == "error"


def test_a_policy_that_keeps_data_from_a_provider_keeps_files_from_it(tmp_path):
    policy = msgspec.convert({"clause": [{"name": "ours", "providers": ["mistral"]}]}, PolicySettings)
    kept = {"policy_rules": policy}
    with scripted(tmp_path, lambda port: msgspec.structs.replace(all_upstreams(port), **kept)) as upstream:
        reply = ask(upstream, "POST", "/v1/files", whole({"id": "file-1"}), {})
        listed = ask(upstream, "GET", "/v1/files", whole({"data": []}))

        assert (reply.status_code, reply.json()["error"]["code"], listed.status_code) == (403, "policy", 200)


def test_a_batch_that_never_ends_stays_unknown_however_often_it_is_asked_for(upstream):
    begin(upstream)
    for _ in range(5):
        running = whole(BATCH | {"status": "in_progress"})
        assert ask(upstream, "GET", "/v1/batches/batch_6810", running).json()["status"] == "in_progress"

    (entry,) = upstream.booked(1)
    assert (entry.call.usage_basis, entry.cost.usd, entry.call.calls_count) == (Basis.UNKNOWN, None, 1)
