from importlib.metadata import version

import litellm
from cells import BASE, BUSY, MODELS, QUESTION, SCHEMA, SLOW, counted, expect, run

MESSAGES = [{"role": "user", "content": QUESTION}]
TOOL = {"type": "function", "function": {"name": "tide", "parameters": SCHEMA}}


def ask(key, headers=None, **fields):
    """Claude, asked in the dialect of OpenAI."""
    return litellm.completion(
        model=f"openai/{MODELS['anthropic']}", api_base=f"{BASE}/v1", api_key=key, messages=MESSAGES, num_retries=0,
        max_retries=0, extra_headers=headers or {}, **fields,
    )  # fmt: skip


def usage_of(usage):
    return counted(usage.prompt_tokens, usage.completion_tokens)


def text(key):
    return usage_of(ask(key).usage)


def stream(key):
    parts = list(ask(key, stream=True, stream_options={"include_usage": True}))
    assert len(parts) > 3
    return usage_of(next(part.usage for part in reversed(parts) if getattr(part, "usage", None)))


def tools(key):
    reply = ask(key, tools=[TOOL], tool_choice="required")
    assert reply.choices[0].message.tool_calls[0].function.name == "tide"
    return usage_of(reply.usage)


def structured(key):
    form = {"type": "json_schema", "json_schema": {"name": "a", "schema": SCHEMA, "strict": True}}
    reply = ask(key, {"x-mock-says": '{"city":"Kiel"}'}, response_format=form)
    assert reply.choices[0].message.content == '{"city":"Kiel"}'
    return usage_of(reply.usage)


def errors(key):
    expect(litellm.RateLimitError, lambda: ask(key, BUSY))


def cancel(key):
    parts = ask(key, SLOW, stream=True)
    next(iter(parts))
    parts.completion_stream.response.close()


run({f.__name__: f for f in (text, stream, tools, structured, errors, cancel)}, version("litellm"))
