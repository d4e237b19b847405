import asyncio
from importlib.metadata import version

import openai
from cells import BASE, BUSY, MODELS, QUESTION, SLOW, counted, expect, run
from pydantic import BaseModel

from agents import Agent, ModelSettings, OpenAIChatCompletionsModel, Runner, function_tool, set_tracing_disabled

set_tracing_disabled(disabled=True)


class Tide(BaseModel):
    city: str


@function_tool
def tide(city: str) -> str:
    """The tide of a city."""
    return f"06:12 in {city}"


def agent(key, headers=None, **fields):
    official = openai.AsyncOpenAI(base_url=f"{BASE}/v1", api_key=key, max_retries=0, default_headers=headers)
    model = OpenAIChatCompletionsModel(model=MODELS["anthropic"], openai_client=official)
    settings = ModelSettings(include_usage=True)
    return Agent(name="tides", instructions="Be brief.", model=model, model_settings=settings, **fields)


def usage_of(result):
    usage = result.context_wrapper.usage
    return counted(usage.input_tokens, usage.output_tokens)


def text(key):
    return usage_of(Runner.run_sync(agent(key), QUESTION))


def stream(key):
    async def work():
        result = Runner.run_streamed(agent(key), QUESTION)
        assert len([event async for event in result.stream_events()]) > 3
        return usage_of(result)

    return asyncio.run(work())


def tools(key):
    return usage_of(Runner.run_sync(agent(key, {"x-mock-tool-calls": "1"}, tools=[tide]), QUESTION))


def structured(key):
    result = Runner.run_sync(agent(key, {"x-mock-says": '{"city":"Kiel"}'}, output_type=Tide), QUESTION)
    assert result.final_output.city == "Kiel"
    return usage_of(result)


def errors(key):
    expect(openai.RateLimitError, lambda: Runner.run_sync(agent(key, BUSY), QUESTION))


def cancel(key):
    async def work():
        result = Runner.run_streamed(agent(key, SLOW), QUESTION)
        async for event in result.stream_events():
            if event.type == "raw_response_event":
                result.cancel()
                break
        await asyncio.sleep(0.5)

    asyncio.run(work())


run({f.__name__: f for f in (text, stream, tools, structured, errors, cancel)}, version("openai-agents"))
