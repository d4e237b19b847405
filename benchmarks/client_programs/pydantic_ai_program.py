import asyncio
import contextlib
from importlib.metadata import version

import openai
from cells import BASE, BUSY, MODELS, QUESTION, SLOW, counted, expect, run
from pydantic import BaseModel
from pydantic_ai import Agent, NativeOutput
from pydantic_ai.exceptions import ModelHTTPError
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider


class Tide(BaseModel):
    city: str


def agent(key, headers=None, **fields):
    official = openai.AsyncOpenAI(base_url=f"{BASE}/v1", api_key=key, max_retries=0, default_headers=headers)
    return Agent(OpenAIChatModel(MODELS["anthropic"], provider=OpenAIProvider(openai_client=official)), **fields)


def usage_of(result):
    usage = result.usage() if callable(result.usage) else result.usage
    return counted(usage.input_tokens, usage.output_tokens)


def text(key):
    return usage_of(agent(key).run_sync(QUESTION))


def stream(key):
    async def work():
        async with agent(key).run_stream(QUESTION) as result:
            assert len([part async for part in result.stream_text(delta=True, debounce_by=None)]) > 3
            return usage_of(result)

    return asyncio.run(work())


def tools(key):
    asked = agent(key, {"x-mock-tool-calls": "1"})

    @asked.tool_plain
    def tide(city: str) -> str:
        """The tide of a city."""
        return f"06:12 in {city}"

    return usage_of(asked.run_sync(QUESTION))


def structured(key):
    result = agent(key, {"x-mock-says": '{"city":"Kiel"}'}, output_type=NativeOutput(Tide)).run_sync(QUESTION)
    assert result.output.city == "Kiel"
    return usage_of(result)


def errors(key):
    assert expect(ModelHTTPError, lambda: agent(key, BUSY).run_sync(QUESTION)).status_code == 429


def cancel(key):
    async def work():
        async with agent(key, SLOW).run_stream(QUESTION) as result:
            async for _ in result.stream_text(delta=True, debounce_by=None):
                raise StopAsyncIteration

    with contextlib.suppress(RuntimeError, StopAsyncIteration):
        asyncio.run(work())


run({f.__name__: f for f in (text, stream, tools, structured, errors, cancel)}, version("pydantic-ai-slim"))
