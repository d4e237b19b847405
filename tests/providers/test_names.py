import pytest
from genai_prices.data import providers

from modicum.providers import names


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
    assert set(names._IDS) <= {provider.id for provider in providers}


def test_a_model_may_name_its_provider():
    assert names.provider_of_model("openrouter/openai/gpt-4o") == "openrouter"
    assert names.provider_of_model("gpt-4o") == ""


@pytest.mark.parametrize("identity", ["chatcmpl-abc12345", "msg_01ABCDEFGH", "resp_0123456789", "gen-1700000000-abc"])
def test_ids_of_providers_are_known(identity):
    assert names.is_native_id(identity)


@pytest.mark.parametrize(
    "identity", ["", "msg_1", "run-5", "5d1c7f0e-0000-4000-8000-000000000001", "chatcmpl-a b c d e"]
)
def test_ids_of_others_are_not(identity):
    assert not names.is_native_id(identity)
