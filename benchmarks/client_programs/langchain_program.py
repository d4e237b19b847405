from importlib.metadata import version

import openai
from cells import BASE, BUSY, MODELS, QUESTION, SLOW, counted, expect, run
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.prebuilt import create_react_agent
from pydantic import BaseModel


class Tide(BaseModel):
    """The tide of a city."""

    city: str


@tool
def tide(city: str) -> str:
    """The tide of a city."""
    return f"06:12 in {city}"


def model(key, headers=None, **fields):
    name = MODELS["google"]  # Gemini, behind the door of chat completions
    return ChatOpenAI(model=name, base_url=f"{BASE}/v1", api_key=key, max_retries=0, default_headers=headers, **fields)


def usage_of(*messages):
    found = [message.usage_metadata for message in messages if getattr(message, "usage_metadata", None)]
    return counted(sum(one["input_tokens"] for one in found), sum(one["output_tokens"] for one in found))


def text(key):
    return usage_of(model(key).invoke(QUESTION))


def stream(key):
    parts = list(model(key, stream_usage=True).stream(QUESTION))
    assert len(parts) > 3
    whole = parts[0]
    for part in parts[1:]:
        whole += part
    return usage_of(whole)


def tools(key):
    agent = create_react_agent(model(key, {"x-mock-tool-calls": "1"}), [tide])
    said = agent.invoke({"messages": [("user", QUESTION)]})["messages"]
    assert said[2].content.startswith("06:12")
    return usage_of(*said)


def structured(key):
    asked = model(key, {"x-mock-says": '{"city":"Kiel"}'}).with_structured_output(
        Tide, method="json_schema", include_raw=True
    )
    found = asked.invoke(QUESTION)
    assert found["parsed"].city == "Kiel"
    return usage_of(found["raw"])


def errors(key):
    expect(openai.RateLimitError, lambda: model(key, BUSY).invoke(QUESTION))


def cancel(key):
    parts = model(key, SLOW).stream(QUESTION)
    next(parts)
    parts.close()


run(
    {f.__name__: f for f in (text, stream, tools, structured, errors, cancel)},
    f"{version('langchain-openai')}, langgraph {version('langgraph')}",
)
