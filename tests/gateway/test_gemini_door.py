"""Google's client in front of models of others, through the whole gateway."""

import msgspec
import pytest
from google import genai
from google.genai import types

from gateway.mock_site import called, served
from gateway.rig import running
from modicum.calls import Basis
from modicum.gateway.process.mock import MockApp
from modicum.outbound.listener import bind_listener
from modicum.providers.mock.provider import MockProvider
from modicum.settings import GatewaySettings, Settings, UpstreamSettings

MODELS = ["gpt-5", "claude-sonnet-4-6"]


class City(msgspec.Struct):
    name: str


SCHEMA = {"type": "OBJECT", "properties": {"name": {"type": "STRING"}}, "required": ["name"]}
WEATHER = types.Tool(
    function_declarations=[
        types.FunctionDeclaration(
            name="weather",
            description="of a city",
            parameters=types.Schema(type="OBJECT", properties={"city": types.Schema(type="STRING", enum=["Kiel"])}),
        )
    ]
)


@pytest.fixture(scope="module")
def door(tmp_path_factory):
    bound = bind_listener("test", "127.0.0.1", 0)
    url = f"http://127.0.0.1:{bound.getsockname()[1]}/v1"
    more = {"pass_headers": ("x-mock-*",)}
    settings = Settings(
        gateway=GatewaySettings(listen="127.0.0.1:0"),
        upstreams={
            "openai": UpstreamSettings(url=url, speaks="openai", models=("gpt-*",), **more),
            "anthropic": UpstreamSettings(url=url, speaks="anthropic", models=("claude-*",), **more),
        },
    )
    with (
        served(MockApp(MockProvider()), bound),
        running(tmp_path_factory.mktemp("door"), lambda _port: settings) as rig,
        genai.Client(api_key=rig.key, http_options=types.HttpOptions(base_url=rig.url)) as rig.client,
    ):
        yield rig


def asked(**options):
    headers = {f"x-mock-{name.replace('_', '-')}": str(value) for name, value in options.items()}
    return types.HttpOptions(headers=headers)


@pytest.mark.parametrize("model", MODELS)
def test_words_and_streams_and_their_usage(door, model):
    config = types.GenerateContentConfig(system_instruction="Be brief.", max_output_tokens=30, temperature=0.5)
    told, first = called(
        door, lambda: door.client.models.generate_content(model=model, contents="Capital of France?", config=config)
    )
    chunks, second = called(
        door,
        lambda: list(
            door.client.models.generate_content_stream(model=model, contents="Capital of France?", config=config)
        ),
    )
    counted = door.client.models.count_tokens(model=model, contents="Capital of France?")

    assert len(told.text.split()) == 30
    assert told.candidates[0].finish_reason == types.FinishReason.MAX_TOKENS
    assert (first.model, first.usage.completion_tokens) == (model, told.usage_metadata.candidates_token_count)
    assert first.usage.prompt_tokens == told.usage_metadata.prompt_token_count
    assert len("".join(chunk.text or "" for chunk in chunks).split()) == 30
    assert chunks[-1].usage_metadata.candidates_token_count == second.usage.completion_tokens == 30
    assert second.output_basis is Basis.EXACT
    assert counted.total_tokens > 0


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("stream", [False, True])
def test_an_agent_calls_tools_and_gives_their_results_back(door, model, stream):
    config = types.GenerateContentConfig(tools=[WEATHER], http_options=asked(tool_calls=2, reasoning_tokens=5))
    contents = [types.Content(role="user", parts=[types.Part(text="Weather?")])]

    def ask():
        if not stream:
            return door.client.models.generate_content(model=model, contents=contents, config=config)
        return list(door.client.models.generate_content_stream(model=model, contents=contents, config=config))[-1]

    told, _ = called(door, ask)
    content = told.candidates[0].content
    calls = [part.function_call for part in content.parts if part.function_call]
    assert [(call.name, call.args) for call in calls] == [("weather", {"city": "Kiel"})]
    contents += [content]
    contents += [
        types.Content(
            role="user",
            parts=[types.Part.from_function_response(name=call.name, response={"result": "sun"}) for call in calls],
        )
    ]
    answer, call = called(door, ask)
    assert answer.candidates[0].finish_reason == types.FinishReason.STOP
    assert call.usage.completion_tokens == 45


@pytest.mark.parametrize("model", MODELS)
def test_an_answer_has_the_shape_that_was_asked_for(door, model):
    config = types.GenerateContentConfig(response_mime_type="application/json", response_schema=SCHEMA)
    told, _ = called(door, lambda: door.client.models.generate_content(model=model, contents="A city", config=config))
    assert msgspec.json.decode(told.text, type=City).name


@pytest.mark.parametrize("model", MODELS)
def test_errors_are_googles(door, model):
    config = types.GenerateContentConfig(http_options=asked(fault="rate_limited"))
    with pytest.raises(genai.errors.ClientError) as refused:
        door.client.models.generate_content(model=model, contents="hi", config=config)
    assert (refused.value.code, refused.value.status) == (429, "RESOURCE_EXHAUSTED")
    config = types.GenerateContentConfig(tools=[types.Tool(code_execution=types.ToolCodeExecution())])
    with pytest.raises(genai.errors.ClientError, match="run by Google"):
        door.client.models.generate_content(model=model, contents="hi", config=config)
