"""Callers' own keys: whose they are, where they may go, and what is none."""

import base64
import json

import httpx2 as httpx
import msgspec
import pytest

from gateway.rig import CHAT, running, usual
from modicum.gateway.callers.own_keys import check_upstream, kind_of
from modicum.gateway.http.refusal import Refused
from modicum.gateway.upstreams import Upstream
from modicum.settings import USUAL_UPSTREAMS, UpstreamSettings

PLAN = b"Bearer sk-ant-oat01-0123456789abcdef"


def signed(issuer):
    """A token as ChatGPT's login gives it (JWT)."""
    part = base64.urlsafe_b64encode(json.dumps({"iss": issuer}).encode()).rstrip(b"=")
    return b"Bearer eyJhbGciOiJSUzI1NiJ9." + part + b".c2lnbmF0dXJl"


CHATGPT = signed("https://auth.openai.com")


def upstream(url, speaks="openai", key="env:KEY", **more):
    return Upstream("one", UpstreamSettings(url=url, speaks=speaks, key=key, **more), "sk-the-gateways")


OPENAI = upstream("https://api.openai.com/v1")
ANTHROPIC = upstream("https://api.anthropic.com/v1", "anthropic")
GEMINI = upstream("https://generativelanguage.googleapis.com/v1beta", "gemini")
OPENROUTER = upstream("https://openrouter.ai/api/v1")
GROQ = upstream("https://api.groq.com/openai/v1")
DEEPSEEK = upstream("https://api.deepseek.com/v1")
MISTRAL = upstream("https://api.mistral.ai/v1")
CODEX = upstream("https://chatgpt.com/backend-api/codex")
OWN_SERVER = upstream("http://10.0.0.5:8000/v1", key="", own_keys=True)
RELAY = upstream("https://llm.corp.example/v1", "anthropic", own_keys=True, provider="anthropic")
LOOKALIKE = upstream("https://api.anthropic.com.evil.example/v1", "anthropic", own_keys=True)
ALL = [OPENAI, ANTHROPIC, GEMINI, OPENROUTER, GROQ, DEEPSEEK, MISTRAL, CODEX, OWN_SERVER, RELAY, LOOKALIKE]


@pytest.mark.parametrize(
    ("value", "fits"),
    [
        (PLAN, [ANTHROPIC]),
        (b"Bearer sk-ant-api03-0123456789abcdef", [ANTHROPIC, RELAY]),
        (b"Bearer sk-proj-0123456789abcdef", [OPENAI, CODEX]),
        (b"Bearer sk-0123456789abcdef", [OPENAI, DEEPSEEK, CODEX, OWN_SERVER, RELAY, LOOKALIKE]),
        (CHATGPT, [OPENAI, CODEX]),
        (signed("https://auth.openai.com.evil.example"), [DEEPSEEK, MISTRAL, OWN_SERVER, RELAY, LOOKALIKE]),
        (b"Bearer sk-or-v1-0123456789abcdef", [OPENROUTER]),
        (b"Bearer gsk_0123456789abcdef", [GROQ]),
        (b"Bearer ya29.a0123456789abcdef", [GEMINI]),
        (b"Bearer ghp_0123456789abcdef", []),
        (b"Bearer 0123456789abcdef0123456789abcdef", [DEEPSEEK, MISTRAL, OWN_SERVER, RELAY, LOOKALIKE]),
    ],
)
def test_a_credential_goes_to_hosts_of_its_provider_alone(value, fits):
    taken, refusals = [], []
    for one in ALL:
        try:
            check_upstream((b"authorization", value), one)
            taken.append(one)
        except Refused as refusal:
            refusals.append(refusal)

    assert taken == fits
    assert all(refusal.status == 403 and "modicum key" in refusal.message for refusal in refusals)


def test_the_header_makes_no_difference():
    check_upstream((b"x-goog-api-key", b"AIza0123456789abcdef"), GEMINI)
    with pytest.raises(Refused):
        check_upstream((b"x-goog-api-key", b"AIza0123456789abcdef"), OPENAI)
    with pytest.raises(Refused):
        check_upstream((b"x-api-key", PLAN.removeprefix(b"Bearer ")), OPENAI)


@pytest.mark.parametrize(
    ("url", "key", "said", "takes"),
    [
        ("https://api.openai.com/v1", "env:KEY", None, True),
        ("https://api.openai.com/v1", "", None, False),
        ("https://api.openai.com/v1", "", True, True),
        ("https://api.openai.com/v1", "env:KEY", False, False),
        ("http://10.0.0.5:8000/v1", "", None, False),
        ("http://10.0.0.5:8000/v1", "env:KEY", None, False),
        ("http://10.0.0.5:8000/v1", "", True, True),
    ],
)
def test_whether_an_upstream_takes_own_keys(url, key, said, takes):
    assert upstream(url, key=key, own_keys=said).own_keys is takes


def test_the_usual_upstreams_say_that_they_do():
    assert all(one.own_keys is True for one in USUAL_UPSTREAMS.values())


def test_a_token_is_read_as_whose_it_is_whatever_is_in_it():
    assert kind_of(CHATGPT.removeprefix(b"Bearer ")).is_plan
    for token in (b"eyJ.a.b", b"eyJ.!!!.b", b"eyJ.e30.b", b"eyJ.eyJpc3MiOjV9.b", b"eyJ.W10.b"):
        assert not kind_of(token).is_plan


def status(rig, headers, path="/v1/chat/completions"):
    return httpx.post(rig.url + path, json=CHAT, headers=headers).status_code


JUNK = [
    {"authorization": ""},
    {"authorization": "Bearer"},
    {"authorization": "Bearer x"},
    {"authorization": "Bearer sk-junk"},
    {"authorization": "Bearer null"},
    {"authorization": "Bearer ${OPENAI_API_KEY}"},
    {"authorization": "Bearer <your-api-key>"},
    {"authorization": "Bearer sk-proj-0123 456789abcdef"},
    {"authorization": "Basic c2stcHJvai0wMTIzNDU2Nzg5YWJjZGVm"},
    {"authorization": "sk-proj-0123456789abcdef"},
    {"x-api-key": ""},
    {"x-api-key": "Bearer sk-proj-0123456789abcdef"},
    {"x-api-key": '"sk-proj-0123456789abcdef"'},
]


@pytest.mark.parametrize("headers", JUNK)
def test_what_is_no_credential_is_refused_even_where_own_keys_are_taken(rig, headers):
    before = len(rig.provider.asked)

    assert status(rig, headers) == 401
    assert len(rig.provider.asked) == before


@pytest.fixture(scope="module")
def closed(tmp_path_factory):
    """The same, with upstreams that say nothing of own keys and have no key: a server of one's own."""
    opened = usual()

    def settings(port):
        told = opened(port)
        own = {name: msgspec.structs.replace(one, own_keys=None) for name, one in told.upstreams.items()}
        return msgspec.structs.replace(told, upstreams=own)

    with running(tmp_path_factory.mktemp("closed"), settings) as rig:
        yield rig


@pytest.mark.parametrize("key", ["sk-junk", "sk-0123456789abcdef", "sk-ant-oat01-0123456789abcdef", "anything-at-all"])
def test_a_server_without_a_key_cannot_be_had_past_the_modicum_key(closed, key):
    before = len(closed.provider.asked)
    headers = {"authorization": f"Bearer {key}"}

    assert status(closed, headers) in {401, 403}
    assert httpx.get(f"{closed.url}/v1/models", headers=headers).status_code in {401, 403}
    assert status(closed, headers, "/v1/messages/count_tokens") in {401, 403, 404}
    assert len(closed.provider.asked) == before
    assert status(closed, closed.headers()) == 200


def test_the_refusal_says_which_setting_it_is(closed):
    reply = httpx.post(
        f"{closed.url}/v1/chat/completions", json=CHAT, headers={"authorization": "Bearer sk-0123456789abcdef"}
    )

    assert "upstreams.openai.own_keys" in reply.json()["error"]["message"]
    assert reply.json()["error"]["code"] == "own_key_not_taken"


def test_a_plans_token_goes_to_no_server_that_says_it_takes_own_keys(rig):
    before = len(rig.provider.asked)

    reply = httpx.post(
        f"{rig.url}/v1/messages",
        json={"model": "claude-x", "max_tokens": 5, "messages": []},
        headers={"authorization": PLAN.decode()},
    )

    assert (reply.status_code, len(rig.provider.asked)) == (403, before)
