import anthropic
from cells import BASE, BUSY, MODELS, QUESTION, SCHEMA, SLOW, counted, expect, run

ASK = {"model": MODELS["anthropic"], "max_tokens": 200, "messages": [{"role": "user", "content": QUESTION}]}


def client(key, headers=None):
    return anthropic.Anthropic(base_url=BASE, api_key=key, max_retries=0, default_headers=headers)


def usage_of(reply):
    usage = reply.usage
    cached = (usage.cache_read_input_tokens or 0) + (usage.cache_creation_input_tokens or 0)
    return counted(usage.input_tokens + cached, usage.output_tokens, getattr(reply, "_request_id", None))


def text(key):
    reply = client(key).messages.create(**ASK)
    assert reply.content[0].text
    return usage_of(reply)


def stream(key):
    with client(key).messages.stream(**ASK) as events:
        assert len(list(events.text_stream)) > 3
        return usage_of(events.get_final_message())


def tools(key):
    tool = {"name": "tide", "input_schema": SCHEMA}
    reply = client(key).messages.create(**ASK, tools=[tool], tool_choice={"type": "any"})
    assert reply.content[-1].input == {"city": "Kiel"}
    return usage_of(reply)


def structured(key):
    form = {"format": {"type": "json_schema", "schema": SCHEMA}}
    ask = (
        {**ASK, "output_config": form}
        if hasattr(anthropic.types, "OutputConfigParam")
        else {**ASK, "extra_body": {"output_config": form}}
    )
    reply = client(key, {"x-mock-says": '{"city":"Kiel"}'}).messages.create(**ask)
    assert reply.content[0].text == '{"city":"Kiel"}'
    return usage_of(reply)


def errors(key):
    expect(anthropic.RateLimitError, lambda: client(key, BUSY).messages.create(**ASK))


def cancel(key):
    with client(key, SLOW).messages.stream(**ASK) as events:
        next(iter(events.text_stream))


run({f.__name__: f for f in (text, stream, tools, structured, errors, cancel)}, anthropic.__version__)
