import openai
from cells import BASE, BUSY, MODELS, QUESTION, SCHEMA, SLOW, counted, expect, run

MODEL = MODELS["anthropic"]  # Claude, behind the door of responses


def client(key, headers=None):
    return openai.OpenAI(base_url=f"{BASE}/v1", api_key=key, max_retries=0, default_headers=headers)


def usage_of(reply):
    return counted(reply.usage.input_tokens, reply.usage.output_tokens, getattr(reply, "_request_id", None))


def text(key):
    reply = client(key).responses.create(model=MODEL, input=QUESTION)
    assert reply.output_text
    return usage_of(reply)


def stream(key):
    with client(key).responses.stream(model=MODEL, input=QUESTION) as events:
        assert len(list(events)) > 3
        usage = events.get_final_response().usage
    return counted(usage.input_tokens, usage.output_tokens)


def tools(key):
    tool = {"type": "function", "name": "tide", "parameters": SCHEMA, "strict": True}
    reply = client(key).responses.create(model=MODEL, input=QUESTION, tools=[tool], tool_choice="required")
    assert reply.output[-1].arguments == '{"city":"Kiel"}'
    return usage_of(reply)


def structured(key):
    form = {"format": {"type": "json_schema", "name": "a", "schema": SCHEMA, "strict": True}}
    reply = client(key, {"x-mock-says": '{"city":"Kiel"}'}).responses.create(model=MODEL, input=QUESTION, text=form)
    assert reply.output_text == '{"city":"Kiel"}'
    return usage_of(reply)


def errors(key):
    assert expect(openai.RateLimitError, lambda: client(key, BUSY).responses.create(model=MODEL, input=QUESTION))


def cancel(key):
    with client(key, SLOW).responses.create(model=MODEL, input=QUESTION, stream=True) as events:
        for event in events:
            if event.type == "response.output_text.delta":
                break


run({f.__name__: f for f in (text, stream, tools, structured, errors, cancel)}, openai.__version__)
