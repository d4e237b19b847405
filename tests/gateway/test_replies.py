"""Replies that go wrong: each is on record, none at 0, and the next call is unharmed."""

import anthropic
import httpx2 as httpx
import openai
import pytest

from gateway.rig import CHAT
from modicum.calls import Basis, CallStatus


@pytest.fixture
def client(rig):
    with openai.OpenAI(base_url=f"{rig.url}/v1", api_key=rig.key, max_retries=0) as client:
        yield client
        assert client.chat.completions.create(**CHAT).choices  # the next call is unharmed


def test_an_upstream_that_breaks_off_a_stream_leaves_an_error_and_an_estimate(rig, client):
    before = len(rig.records())

    with pytest.raises(openai.APIError):
        list(
            client.chat.completions.create(
                **CHAT, stream=True, extra_headers={"x-fixture": "openai-chat/reasoning.sse", "x-fault": "broken_off"}
            )
        )

    call = rig.wait_for_records(before + 1)[-1]
    assert call.status is CallStatus.ABORTED
    assert call.usage_basis is Basis.ESTIMATED
    assert call.usage.prompt_tokens > 0


def test_what_anthropic_had_counted_before_it_broke_off_stands(rig, client):
    before = len(rig.records())

    with (
        anthropic.Anthropic(base_url=rig.url, api_key=rig.key, max_retries=0) as claude,
        pytest.raises(anthropic.APIError),
    ):
        list(
            claude.messages.create(
                model="claude-test",
                max_tokens=10,
                messages=[{"role": "user", "content": "hi"}],
                stream=True,
                extra_headers={"x-fixture": "anthropic-messages/tool_use.sse", "x-fault": "broken_off"},
            )
        )

    call = rig.wait_for_records(before + 1)[-1]
    assert (call.status, call.usage_basis, call.output_basis) == (CallStatus.ABORTED, Basis.EXACT, Basis.ESTIMATED)
    assert call.usage.prompt_tokens > 0


@pytest.mark.parametrize("fault", ["hang_up", "no_http", "broken_off"])
def test_an_upstream_that_does_not_answer_is_a_502_in_the_callers_dialect(rig, client, fault):
    before = len(rig.records())

    with pytest.raises(openai.InternalServerError) as failure:
        client.chat.completions.create(**CHAT, extra_headers={"x-fault": fault})

    assert failure.value.status_code == 502
    assert failure.value.body["message"].startswith("the upstream")
    assert rig.wait_for_records(before + 1)[-1].usage_basis is not Basis.EXACT


def test_garbage_is_passed_on_and_estimated(rig, client):
    before = len(rig.records())

    client.chat.completions.with_raw_response.create(**CHAT, extra_headers={"x-fixture": "openai-chat/garbage.json"})

    call = rig.wait_for_records(before + 1)[-1]
    assert call.usage_basis is Basis.ESTIMATED
    assert call.usage.prompt_tokens > 0


@pytest.mark.parametrize("stream", [True, False])
def test_a_caller_that_leaves_stops_the_upstream_and_is_on_record(rig, client, stream):
    before = len(rig.records())
    rig.provider.left.clear()
    told = CHAT | {"stream": stream}
    headers = (
        rig.headers(x_fixture="openai-chat/reasoning.sse", x_fault="stall") if stream else rig.headers(x_fault="hold")
    )

    with httpx.Client(timeout=0.5) as impatient, pytest.raises(httpx.ReadTimeout):
        impatient.post(f"{rig.url}/v1/chat/completions", json=told, headers=headers)

    assert rig.provider.left.wait(5)
    call = rig.wait_for_records(before + 1)[-1]
    assert call.status is CallStatus.ABORTED
    assert (call.usage_basis is Basis.ESTIMATED) == stream  # before any reply nobody knows what was billed
