import os

from cells import BASE, BUSY, MODELS, QUESTION, SCHEMA, SLOW, counted, expect, run
from google import genai
from google.genai import errors as google_errors
from google.genai import types

MODEL = os.environ.get("MODICUM_MODEL") or MODELS["google"]


def client(key, headers=None):
    return genai.Client(api_key=key, http_options=types.HttpOptions(base_url=BASE, headers=headers or {}))


def usage_of(reply):
    usage = reply.usage_metadata
    return counted(usage.prompt_token_count, (usage.candidates_token_count or 0) + (usage.thoughts_token_count or 0))


def text(key):
    with client(key) as asked:
        reply = asked.models.generate_content(model=MODEL, contents=QUESTION)
    assert reply.text
    return usage_of(reply)


def stream(key):
    with client(key) as asked:
        parts = list(asked.models.generate_content_stream(model=MODEL, contents=QUESTION))
    assert len(parts) > 3
    return usage_of(parts[-1])


def tools(key):
    tool = types.Tool(function_declarations=[{"name": "tide", "parameters_json_schema": SCHEMA}])
    calling = types.ToolConfig(function_calling_config=types.FunctionCallingConfig(mode="ANY"))
    config = types.GenerateContentConfig(tools=[tool], tool_config=calling)
    with client(key) as asked:
        reply = asked.models.generate_content(model=MODEL, contents=QUESTION, config=config)
    assert reply.function_calls[0].args == {"city": "Kiel"}
    return usage_of(reply)


def structured(key):
    config = types.GenerateContentConfig(response_mime_type="application/json", response_json_schema=SCHEMA)
    with client(key, {"x-mock-says": '{"city":"Kiel"}'}) as asked:
        reply = asked.models.generate_content(model=MODEL, contents=QUESTION, config=config)
    assert reply.parsed == {"city": "Kiel"}
    return usage_of(reply)


def errors(key):
    with client(key, BUSY) as asked:
        raised = expect(
            google_errors.ClientError, lambda: asked.models.generate_content(model=MODEL, contents=QUESTION)
        )
    assert raised.code == 429


def cancel(key):
    with client(key, SLOW) as asked:
        parts = asked.models.generate_content_stream(model=MODEL, contents=QUESTION)
        next(parts)
        parts.close()


run({f.__name__: f for f in (text, stream, tools, structured, errors, cancel)}, genai.__version__)
