import msgspec
import pytest

from modicum.calls import UserError
from modicum.gateway.http.refusal import Refused
from modicum.gateway.upstreams import Upstream, Upstreams
from modicum.settings import UpstreamSettings


def upstream(name, speaks="openai", url="https://api.openai.com/v1", key="sk-1", **more):
    return Upstream(name, UpstreamSettings(url=url, speaks=speaks, **more), key)


BOTH = Upstreams(
    [
        upstream("gpt", models=("gpt-*",)),
        upstream("claude", "anthropic", "https://api.anthropic.com/v1", models=("claude-*",)),
        upstream("all", url="http://10.0.0.5:8000/v1"),
    ],
    {"fast": "gpt/gpt-4o-mini"},
)


@pytest.mark.parametrize(
    ("model", "dialect", "name", "spoken", "there"),
    [
        ("gpt-5", "openai-chat", "gpt", "openai-chat", "gpt-5"),
        ("gpt-5", "openai-responses", "gpt", "openai-responses", "gpt-5"),
        ("fast", "openai-chat", "gpt", "openai-chat", "gpt-4o-mini"),
        ("claude-x", "anthropic-messages", "claude", "anthropic-messages", "claude-x"),
        ("claude-x", "openai-chat", "all", "openai-chat", "claude-x"),  # spoken without translation first
        ("gpt-5", "anthropic-messages", "gpt", "openai-chat", "gpt-5"),
    ],
)
def test_a_model_finds_its_upstream(model, dialect, name, spoken, there):
    route = BOTH.route(model, dialect)

    assert (route.upstream.name, route.dialect, route.model) == (name, spoken, there)


def test_what_nobody_serves_is_a_404():
    with pytest.raises(Refused, match="no upstream serves") as refusal:
        BOTH.route("text-x", "gemini-embeddings")

    assert refusal.value.status == 404


@pytest.mark.parametrize(
    ("speaks", "more", "header"),
    [
        ("openai", {}, (b"authorization", b"Bearer sk-1")),
        ("anthropic", {}, (b"x-api-key", b"sk-1")),
        ("gemini", {}, (b"x-goog-api-key", b"sk-1")),
        ("openai", {"key_header": "api-key"}, (b"api-key", b"sk-1")),
    ],
)
def test_each_family_gets_its_key_in_its_own_header(speaks, more, header):
    assert upstream("a", speaks, **more).key_headers() == [header]


@pytest.mark.parametrize("url", ["ftp://a", "api.openai.com/v1", "https://", "https://a/v1?key=x"])
def test_an_address_that_is_none_is_a_users_error(url):
    with pytest.raises(UserError, match="is no address"):
        upstream("a", url=url)


def test_an_alias_for_nobody_is_a_users_error():
    with pytest.raises(UserError, match="must be UPSTREAM/MODEL"):
        Upstreams([upstream("a")], {"fast": "b/gpt-5"})


def test_who_bills_is_told_from_the_host():
    assert upstream("a", url="https://x.openai.azure.com/openai/v1").provider == "azure"
    assert upstream("a", url="http://127.0.0.1:1/v1").provider == ""


@pytest.mark.parametrize(
    ("told", "bound"), [({}, "max_completion_tokens"), ({"output_limit": "max_tokens"}, "max_tokens")]
)
def test_a_translated_call_bounds_its_reply_as_the_upstream_knows_it(told, bound):
    upstreams = Upstreams([upstream("own", url="http://gpu1:8000/v1", **told)], {})
    asked = {"model": "qwen3", "max_tokens": 7, "messages": [{"role": "user", "content": "hi"}]}

    route = upstreams.route("qwen3", "anthropic-messages")

    assert msgspec.json.decode(route.translation.request(msgspec.json.encode(asked), "qwen3").body)[bound] == 7
    assert upstreams.route("qwen3", "openai-chat").translation is None


@pytest.mark.parametrize(
    ("told", "server"),
    [
        ({"url": "http://gpu1:8000/v1"}, "gpu1:8000"),
        ({"url": "http://router/v1", "server": "gpu1:8000"}, "gpu1:8000"),
        ({"url": "http://gpu1:8000/v1", "provider": "own-vllm"}, ""),  # then the provider says it
        ({}, ""),
    ],
)
def test_a_server_of_ones_own_is_named_so_that_its_energy_finds_its_calls(told, server):
    assert upstream("a", **told).server == server


def test_an_api_that_nobody_knows_is_refused_with_those_that_are():
    with pytest.raises(
        UserError, match=r"upstreams\.a\.speaks 'opneai' is not known; accepted are openai, anthropic, gemini"
    ):
        upstream("a", "opneai")
