from importlib.metadata import version

import instructor
import openai
from cells import BASE, BUSY, MODELS, QUESTION, SLOW, counted, expect, run
from pydantic import BaseModel

MODEL = MODELS["anthropic"]  # Claude, behind the door of chat completions


class Tide(BaseModel):
    city: str


def client(key, headers=None, mode=instructor.Mode.TOOLS):
    return instructor.from_openai(
        openai.OpenAI(base_url=f"{BASE}/v1", api_key=key, max_retries=0, default_headers=headers), mode=mode
    )


MESSAGES = [{"role": "user", "content": QUESTION}]


def tools(key):
    tide, reply = client(key).chat.completions.create_with_completion(
        model=MODEL, messages=MESSAGES, response_model=Tide, max_retries=1
    )
    assert tide.city
    return counted(reply.usage.prompt_tokens, reply.usage.completion_tokens)


def structured(key):
    asked = client(key, {"x-mock-says": '{"city":"Kiel"}'}, instructor.Mode.JSON)
    tide, reply = asked.chat.completions.create_with_completion(
        model=MODEL, messages=MESSAGES, response_model=Tide, max_retries=1
    )
    assert tide.city == "Kiel"
    return counted(reply.usage.prompt_tokens, reply.usage.completion_tokens)


def text(key):
    reply = client(key).chat.completions.create(model=MODEL, messages=MESSAGES, response_model=None)
    return counted(reply.usage.prompt_tokens, reply.usage.completion_tokens)


def stream(key):
    asked = client(key, {"x-mock-says": '{"city":"Kiel"}'}, instructor.Mode.JSON)
    parts = list(
        asked.chat.completions.create_partial(model=MODEL, messages=MESSAGES, response_model=Tide, max_retries=1)
    )
    assert parts[-1].city == "Kiel"


def errors(key):
    ask = client(key, BUSY).chat.completions.create
    expect(Exception, lambda: ask(model=MODEL, messages=MESSAGES, response_model=Tide, max_retries=1))


def cancel(key):
    parts = client(key, SLOW).chat.completions.create(model=MODEL, messages=MESSAGES, response_model=None, stream=True)
    next(iter(parts))
    parts.close()


run({f.__name__: f for f in (text, stream, tools, structured, errors, cancel)}, version("instructor"))
