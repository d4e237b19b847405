import openai
from cells import BASE, BUSY, MODELS, QUESTION, SCHEMA, SLOW, counted, expect, run

MODEL = MODELS["openai"]
MESSAGES = [{"role": "user", "content": QUESTION}]
TOOL = {"type": "function", "function": {"name": "tide", "parameters": SCHEMA}}


def client(key, headers=None):
    return openai.OpenAI(base_url=f"{BASE}/v1", api_key=key, max_retries=0, default_headers=headers)


def usage_of(reply):
    return counted(reply.usage.prompt_tokens, reply.usage.completion_tokens, getattr(reply, "_request_id", None))


def text(key):
    reply = client(key).chat.completions.create(model=MODEL, messages=MESSAGES)
    assert reply.choices[0].message.content
    return usage_of(reply)


def stream(key):
    options = {"include_usage": True}
    chunks = list(
        client(key).chat.completions.create(model=MODEL, messages=MESSAGES, stream=True, stream_options=options)
    )
    assert len(chunks) > 3
    return counted(chunks[-1].usage.prompt_tokens, chunks[-1].usage.completion_tokens)


def tools(key):
    reply = client(key).chat.completions.create(model=MODEL, messages=MESSAGES, tools=[TOOL], tool_choice="required")
    assert reply.choices[0].message.tool_calls[0].function.arguments == '{"city":"Kiel"}'
    return usage_of(reply)


def structured(key):
    form = {"type": "json_schema", "json_schema": {"name": "a", "schema": SCHEMA, "strict": True}}
    reply = client(key, {"x-mock-says": '{"city":"Kiel"}'}).chat.completions.create(
        model=MODEL, messages=MESSAGES, response_format=form
    )
    assert reply.choices[0].message.content == '{"city":"Kiel"}'
    return usage_of(reply)


def errors(key):
    ask = client(key, BUSY).chat.completions.create
    assert expect(openai.RateLimitError, lambda: ask(model=MODEL, messages=MESSAGES)).status_code == 429


def cancel(key):
    with client(key, SLOW).chat.completions.create(model=MODEL, messages=MESSAGES, stream=True) as chunks:
        next(iter(chunks))


run({f.__name__: f for f in (text, stream, tools, structured, errors, cancel)}, openai.__version__)
