"""Credentials of plans: refused unless the owner says otherwise, and then metered and nothing else."""

from contextlib import contextmanager
from unittest.mock import patch

import httpx2 as httpx
import msgspec
import pytest

from gateway.rig import running, usual
from modicum.settings import ResilienceSettings

PLAN = "Bearer sk-ant-oat01-0123456789abcdefghij"
CLAUDE_CODE = "claude-cli/2.1.195 (external, cli)"
MESSAGES = {"model": "claude-sonnet-4-6", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]}
FIXTURE = "anthropic-messages/cached.json"


def settings(port, **gateway):
    base = usual(**gateway)(port)
    second = msgspec.structs.replace(base.upstreams["anthropic"], weight=5.0)
    first = msgspec.structs.replace(second, weight=0.1)
    retried = ResilienceSettings(name="all", retries=3, fallbacks=("second/claude-haiku-4-5",))
    openai = msgspec.structs.replace(base.upstreams["openai"], url=f"http://localhost:{port}/v1")
    upstreams = {**base.upstreams, "openai": openai, "anthropic": first, "second": second}
    return msgspec.structs.replace(
        base, upstreams=upstreams, resilience=(retried,), models={"sonnet": "anthropic/claude-sonnet-4-6"}
    )


@contextmanager
def serving(folder, **gateway):
    """As if this address were Anthropic's, and the same by its name a server of nobody's."""
    with (
        patch("modicum.gateway.upstreams.provider_of_host", lambda host: "anthropic" * (host == "127.0.0.1")),
        running(folder, lambda port: settings(port, **gateway)) as rig,
    ):
        yield rig


@pytest.fixture(scope="module")
def rig(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("plans"), plan_credentials=True) as rig:
        yield rig


def ask(rig, body=MESSAGES, path="/v1/messages", **headers):
    sent = {"authorization": PLAN, "user-agent": CLAUDE_CODE, "x-fixture": FIXTURE}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.post(f"{rig.url}{path}", json=body, headers=sent, timeout=10)


def kind(reply):
    return reply.json()["error"]["message"]


def test_a_plan_does_not_pass_unless_the_owner_says_so(tmp_path):
    with serving(tmp_path) as rig:
        reply = ask(rig)

        assert (reply.status_code, "plan_credentials" in kind(reply)) == (403, True)
        assert ask(rig, path="/v1/messages/count_tokens").status_code == 403
        assert rig.provider.asked == []
        beside = ask(rig, x_api_key=rig.key)  # then the modicum key counts, and the plan's ends here
        assert beside.status_code == 200
        assert "authorization" not in rig.provider.asked[-1][1]


def test_a_plan_passes_from_its_vendors_client_to_its_vendors_host_byte_for_byte_and_is_on_record_as_one(rig):
    before = len(rig.records())
    body = b'{ "model":"claude-sonnet-4-6","max_tokens":5,"messages":[{"role":"user","content":"hi"}] }'
    headers = {"authorization": PLAN, "user-agent": CLAUDE_CODE, "x-fixture": FIXTURE}

    assert httpx.post(f"{rig.url}/v1/messages", content=body, headers=headers).status_code == 200

    _, sent, arrived = rig.provider.asked[-1]
    assert (sent["authorization"], "x-api-key" in sent, arrived) == (PLAN, False, body)
    call = rig.wait_for_records(before + 1)[-1]
    assert (call.tags["credential"], call.usage_basis.value) == ("plan", "exact")
    assert PLAN[7:] not in repr(call)


def test_with_a_modicum_key_beside_it_the_owner_is_the_keys(rig):
    before = len(rig.records())

    assert ask(rig, x_api_key=rig.key, x_modicum_tag_credential="none").status_code == 200

    call = rig.wait_for_records(before + 1)[-1]
    assert (call.owner.team, call.tags["credential"]) == ("platform", "plan")
    sent = rig.provider.asked[-1][1]
    assert (sent["authorization"], "x-api-key" in sent) == (PLAN, False)


@pytest.mark.parametrize("agent", ["python-httpx/0.28", "openai-python", "my claude-cli/2.1", ""])
def test_no_other_client_brings_a_plan(rig, agent):
    before = len(rig.provider.asked)

    assert ask(rig, user_agent=agent).status_code == 403
    assert ask(rig, user_agent=agent, x_api_key=rig.key).status_code == 403
    assert len(rig.provider.asked) == before


def test_a_plan_goes_to_no_other_host_and_under_no_alias(rig):
    before = len(rig.provider.asked)
    chat = {"model": "gpt-4o-mini", "messages": MESSAGES["messages"]}

    assert ask(rig, chat, "/v1/chat/completions").status_code == 403
    assert ask(rig, MESSAGES | {"model": "sonnet"}).status_code == 403
    assert ask(rig, MESSAGES | {"model": "gpt-4o-mini"}).status_code == 403
    assert len(rig.provider.asked) == before


def test_a_plan_is_neither_retried_nor_sent_elsewhere(rig):
    before = len(rig.provider.asked)

    assert ask(rig, x_status="529").status_code == 529
    assert len(rig.provider.asked) == before + 1
    assert {call.tags.get("attempt") for call in rig.records()} == {None}
