import pytest
from genai_prices.data import providers

from modicum.calls import provider_names as names


@pytest.mark.parametrize(
    ("name", "identity"),
    [
        ("openai", "openai"),
        ("aws.bedrock", "aws"),
        ("AWS_BEDROCK", "aws"),
        ("az.ai.openai", "azure"),
        ("azure.ai.inference", "azure"),
        ("gcp.vertex_ai", "google"),
        ("vertex_ai-anthropic_models", "google"),
        ("mistral_ai", "mistral"),
        ("X", "x-ai"),
        ("openai.chat", "openai"),
        ("fireworks_ai", "fireworks"),
        ("hosted_vllm", ""),
        ("ollama", ""),
        ("", ""),
    ],
)
def test_the_names_that_gateways_and_telemetry_use(name, identity):
    assert names.provider_id(name) == identity


def test_every_id_is_one_of_the_price_list():
    assert set(names._PROVIDERS) <= {provider.id for provider in providers}


def test_a_model_may_name_its_provider():
    assert names.provider_of_model("openrouter/openai/gpt-4o") == "openrouter"
    assert names.provider_of_model("gpt-4o") == ""


@pytest.mark.parametrize(
    "identity",
    [
        "chatcmpl-9fQTk6cW1x2Yw0a3",
        "msg_01XFDUDYJgAACzvnptvVoYEL",
        "cmpl-" + "f" * 32,
        "resp_" + "0" * 200,
        "gen-1700000000-a1b2c3d4e5f6a7b8c9d0",
    ],
)
def test_ids_of_providers_are_known(identity):
    assert names.is_native_id(identity)


@pytest.mark.parametrize(
    "identity",
    [
        "",
        "msg_1",
        "run-5",
        "5d1c7f0e-0000-4000-8000-000000000001",
        "chatcmpl-a b c d e f g h i j k",
        "chatcmpl-123",
        "resp_12345678",
        "resp_" + "0" * 300,
    ],
)
def test_ids_of_others_are_not(identity):
    assert not names.is_native_id(identity)


@pytest.mark.parametrize(
    ("host", "provider"),
    [("api.openai.com", "openai"), ("openai.com", "openai"), ("notopenai.com", ""), ("x.services.azure.com", "azure")],
)
def test_a_host_tells_who_bills(host, provider):
    assert names.provider_of_host(host) == provider


@pytest.mark.parametrize(
    ("model", "provider"), [("gpt-5.2", "openai"), ("gpt-oss-120b", ""), ("grok-4", "x-ai"), ("llama-4", "")]
)
def test_some_model_names_are_of_one_provider_alone(model, provider):
    assert names.provider_of_own_model(model) == provider


def test_a_route_is_no_makers_name():
    assert [names.provider_of_route(route) for route in ("vertex_ai", "xai", "x-ai", "amazon")] == [
        "google",
        "x-ai",
        "",
        "",
    ]
