from importlib.metadata import version

import openai
from cells import BASE, BUSY, MODELS, QUESTION, SCHEMA, SLOW, counted, expect, run
from smolagents import OpenAIServerModel, ToolCallingAgent, tool


@tool
def tide(city: str) -> str:
    """The tide of a city.

    Args:
        city: which one.
    """
    return f"06:12 in {city}"


def model(key, headers=None):
    options = {"default_headers": headers or {}, "max_retries": 0}
    return OpenAIServerModel(
        MODELS["anthropic"], api_base=f"{BASE}/v1", api_key=key, client_kwargs=options, retry=False
    )


MESSAGES = [{"role": "user", "content": [{"type": "text", "text": QUESTION}]}]


def usage_of(usage):
    return counted(usage.input_tokens, usage.output_tokens)


def text(key):
    return usage_of(model(key).generate(MESSAGES).token_usage)


def stream(key):
    parts = list(model(key).generate_stream(MESSAGES))
    assert len(parts) > 3
    return usage_of(next(part.token_usage for part in reversed(parts) if part.token_usage))


def tools(key):
    message = model(key).generate(MESSAGES, tools_to_call_from=[tide])
    assert message.tool_calls[0].function.name == "tide"
    return usage_of(message.token_usage)


def structured(key):
    form = {"type": "json_schema", "json_schema": {"name": "a", "schema": SCHEMA, "strict": True}}
    message = model(key, {"x-mock-says": '{"city":"Kiel"}'}).generate(MESSAGES, response_format=form)
    assert message.content == '{"city":"Kiel"}'
    return usage_of(message.token_usage)


def errors(key):
    expect(openai.RateLimitError, lambda: model(key, BUSY).generate(MESSAGES))


def cancel(key):
    parts = model(key, SLOW).generate_stream(MESSAGES)
    next(parts)
    parts.close()


assert ToolCallingAgent
run({f.__name__: f for f in (text, stream, tools, structured, errors, cancel)}, version("smolagents"))
