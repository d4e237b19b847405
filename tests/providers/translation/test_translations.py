"""Translations both ways: cut and mutated anywhere, and agents of official clients that work across providers."""

from itertools import pairwise

import anthropic
import httpx2
import msgspec
import openai
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modicum.providers.bedrock_invoke.dialect import frame_of
from modicum.providers.dialects import DIALECTS
from modicum.providers.event_stream import stream_data
from modicum.providers.facts import DialectError
from modicum.providers.mock.options import MockOptions
from modicum.providers.mock.provider import MockProvider
from modicum.providers.translation.translations import TRANSLATIONS
from providers.translation.rig import CREATED, FIXTURES, FOR_ANTHROPIC, FOR_OPENAI, streamed

ALL = st.sampled_from(list(TRANSLATIONS.values()))


MUTATED_PLACES = {
    "at": st.integers(0, 1 << 20),
    "length": st.integers(0, 60),
    "instead": st.sampled_from([b"", b"null", b"[]", b"{}", b"-1", b'"x"', b"[[", b'"\\ud800"', b"\n"]),
}


MAKERS = {"bedrock-invoke": "anthropic-messages", "vertex-claude": "anthropic-messages"}
"""Whose replies a cloud passes on."""


def sources(translation, suffix):
    """Bodies of the upstream's replies."""
    folder = FIXTURES / MAKERS.get(translation.upstream, translation.upstream)
    bodies = [
        path.read_bytes()
        for path in sorted(folder.iterdir())
        if path.name.endswith(suffix) and not path.name.endswith(".facts.json")
    ]
    if DIALECTS[translation.upstream].streams_frames and suffix == ".sse":
        return [b"".join(map(frame_of, stream_data(body))) for body in bodies]
    return bodies


@given(translation=ALL, which=st.integers(0, 100), places=st.lists(st.integers(0, 1 << 20), max_size=30))
def test_where_a_stream_is_cut_changes_nothing_and_its_usage_stays(translation, which, places):
    bodies = sources(translation, ".sse")
    body = bodies[which % len(bodies)]
    whole = streamed(translation, body)
    edges = [0, *sorted(place % (len(body) + 1) for place in places), len(body)]
    parts = translation.stream(usage_asked=True, created=CREATED)
    assert b"".join([parts.feed(body[a:b]) for a, b in pairwise(edges)]) + parts.end() == whole
    before, after = (DIALECTS[name].tail(usage_asked=True) for name in (translation.upstream, translation.caller))
    before.feed(body)
    after.feed(whole)
    if before.facts().usage_final:
        assert after.facts().usage.prompt_tokens == before.facts().usage.prompt_tokens
        assert after.facts().usage.cache_read == before.facts().usage.cache_read
        assert after.facts().usage.completion_tokens == before.facts().usage.completion_tokens
    assert after.facts().complete == before.facts().complete


@given(translation=ALL, which=st.integers(0, 100), **MUTATED_PLACES)
def test_mutated_upstreams_raise_nothing_but_dialect_errors(translation, which, at, length, instead):
    for suffix in (".sse", ".json"):
        bodies = sources(translation, suffix)
        body = bodies[which % len(bodies)]
        place = at % len(body)
        mutated = body[:place] + instead + body[place + length :]
        streamed(translation, mutated)
        translation.error(500, mutated)
        try:
            translation.reply(mutated, CREATED)
        except DialectError as wrong:
            status = wrong.status
        else:
            status = 502
        assert status == 502


REQUESTS = {
    "openai-chat": b'{"model":"m","messages":[{"role":"system","content":"s"},{"role":"user","content":[{"type":"text",'
    b'"text":"hi"}]},{"role":"assistant","tool_calls":[{"id":"1","type":"function","function":{"name":"f",'
    b'"arguments":"{}"}}]},{"role":"tool","tool_call_id":"1","content":"x"}],"tools":[{"type":"function","function":'
    b'{"name":"f"}}],"tool_choice":"auto","response_format":{"type":"text"},"stop":["a"],"stream":true}',
    "anthropic-messages": b'{"model":"m","max_tokens":5,"system":"s","messages":[{"role":"user","content":[{"type":'
    b'"text","text":"hi"}]},{"role":"assistant","content":[{"type":"tool_use","id":"1","name":"f","input":{}}]},'
    b'{"role":"user","content":[{"type":"tool_result","tool_use_id":"1","content":"x"}]}],"tools":[{"name":"f",'
    b'"input_schema":{}}],"output_config":{"effort":"low"},"metadata":{"user_id":"u"}}',
    "openai-responses": b'{"model":"m","instructions":"s","input":[{"role":"user","content":[{"type":"input_text",'
    b'"text":"hi"}]},{"type":"reasoning","summary":[],"encrypted_content":"x"},{"type":"function_call","call_id":"1",'
    b'"name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"1","output":"x"}],"tools":[{"type":'
    b'"function","name":"f"}],"text":{"format":{"type":"text"}},"reasoning":{"effort":"low"},"stream":true}',
    "gemini-generate": b'{"systemInstruction":{"parts":[{"text":"s"}]},"contents":[{"role":"user","parts":[{"text":"hi"'
    b'}]},{"role":"model","parts":[{"functionCall":{"name":"f","args":{"a":1}},"thoughtSignature":"eA=="}]},{"role":"us'
    b'er","parts":[{"functionResponse":{"name":"f","response":{"result":"x"}}}]}],"tools":[{"functionDeclarations":[{'
    b'"name":"f","parameters":{"type":"OBJECT","properties":{"a":{"type":"INTEGER","nullable":true}}}}]}],'
    b'"generationConfig":{"maxOutputTokens":5,"topK":3,"thinkingConfig":{"thinkingBudget":9}}}',
}


@given(translation=ALL, **MUTATED_PLACES)
def test_mutated_requests_raise_nothing_but_dialect_errors(translation, at, length, instead):
    body = REQUESTS[translation.caller]
    place = at % len(body)
    try:
        status = (
            400 if not translation.request(body[:place] + instead + body[place + length :], "anthropic.m").body else 0
        )
    except DialectError as wrong:
        status = wrong.status
    assert status in {0, 400}


def crossing(translation, provider, wanted):
    """A transport that translates to the mock provider and back, as a gateway does."""
    dialect = DIALECTS[translation.upstream]

    def handle(request):
        asked = DIALECTS[translation.caller].request(request.read(), request.url.path)
        sent = translation.request(request.content, "upstream-model")
        answer = provider.answer(dialect, sent.body, "", wanted, CREATED)
        if asked.stream:
            parts = translation.stream(usage_asked=asked.usage_asked, created=CREATED)
            body = b"".join([*map(parts.feed, answer.parts), parts.end()])
            return httpx2.Response(200, content=body, headers={"content-type": "text/event-stream"})
        body = translation.reply(answer.parts[0], CREATED)
        return httpx2.Response(200, content=body, headers={"content-type": "application/json"})

    return httpx2.Client(transport=httpx2.MockTransport(handle))


SCHEMA = {"type": "object", "properties": {"at": {"type": "string", "enum": ["Kiel"]}}, "required": ["at"]}
TWICE = MockOptions(tool_calls=2, reasoning_tokens=5)


def test_an_agent_of_openais_client_works_with_anthropic():
    tools = [{"type": "function", "function": {"name": name, "parameters": SCHEMA}} for name in ("tide", "wind")]
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Tide and wind?"}]
    http = crossing(FOR_OPENAI, MockProvider(), TWICE)
    with openai.OpenAI(api_key="none", http_client=http, max_retries=0) as client:
        asked = {"model": "gpt-5", "messages": messages, "tools": tools}
        said = client.chat.completions.create(**asked).choices[0].message
        assert [call.function.arguments for call in said.tool_calls] == ['{"at":"Kiel"}'] * 2
        messages.append(said.model_dump(exclude_none=True))
        messages += [{"role": "tool", "tool_call_id": call.id, "content": "06:12"} for call in said.tool_calls]
        with client.chat.completions.stream(**asked, stream_options={"include_usage": True}) as stream:
            answer = stream.get_final_completion()
    assert len(answer.choices[0].message.content.split()) == 40
    assert answer.usage.completion_tokens == 45
    assert answer.usage.completion_tokens_details.reasoning_tokens == 5


@pytest.mark.parametrize("name", ["tide", "wind"])
def test_an_agent_of_anthropics_client_works_with_openai(name):
    tools = [{"name": name, "description": "d", "input_schema": SCHEMA}]
    messages = [{"role": "user", "content": "Go."}]
    http = crossing(FOR_ANTHROPIC, MockProvider(), TWICE)
    asked = {"model": "claude-opus-4-5", "max_tokens": 200, "system": "Be brief.", "tools": tools, "messages": messages}
    with anthropic.Anthropic(api_key="none", http_client=http, max_retries=0) as client:
        with client.messages.stream(**asked) as stream:
            said = stream.get_final_message()
        call = said.content[-1]
        assert (said.stop_reason, call.name, call.input) == ("tool_use", name, {"at": "Kiel"})
        messages.append({"role": "assistant", "content": said.content})
        messages.append(
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": call.id, "content": "06:12"}]}
        )
        answer = client.messages.create(**asked)
    assert len(answer.content[-1].text.split()) == 40
    assert answer.usage.output_tokens == 45
    assert answer.usage.input_tokens > 0


WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), min_size=1, max_size=8)
ARGUMENTS = st.dictionaries(WORDS, WORDS | st.integers(0, 9) | st.booleans(), max_size=3)
PNG = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}


@st.composite
def turns(draw):
    """A conversation of an agent in OpenAI's dialect: questions, calls of tools with their results, answers."""
    messages = [{"role": "system", "content": draw(WORDS)}] if draw(st.booleans()) else []
    for turn in range(draw(st.integers(1, 3))):
        words = {"type": "text", "text": draw(WORDS)}
        messages.append({"role": "user", "content": [words, PNG] if draw(st.booleans()) else words["text"]})
        calls = [
            {
                "id": f"call_{turn}_{place}",
                "type": "function",
                "function": {
                    "name": draw(st.sampled_from(["tide", "wind"])),
                    "arguments": msgspec.json.encode(given).decode(),
                },
            }
            for place, given in enumerate(draw(st.lists(ARGUMENTS, max_size=3)))
        ]
        if calls:
            messages.append({"role": "assistant", "content": draw(st.none() | WORDS), "tool_calls": calls})
            messages += [{"role": "tool", "tool_call_id": call["id"], "content": draw(WORDS)} for call in calls]
        messages.append({"role": "assistant", "content": draw(WORDS)})
    return [*messages, {"role": "user", "content": draw(WORDS)}]


TOOLS = [
    {"type": "function", "function": {"name": name, "parameters": {"type": "object"}}} for name in ("tide", "wind")
]


def texts_of(document):
    if isinstance(document, str):
        return [document]
    inner = document.values() if isinstance(document, dict) else document if isinstance(document, list) else ()
    return [text for value in inner for text in texts_of(value)]


@settings(max_examples=60)
@given(turns())
def test_any_conversation_comes_back_from_anthropic_as_it_went(messages):
    body = msgspec.json.encode({"model": "gpt-5", "max_tokens": 9, "messages": messages, "tools": TOOLS})
    there = FOR_OPENAI.request(body, "claude-opus-4-6")
    back = msgspec.json.decode(FOR_ANTHROPIC.request(there.body, "gpt-5").body)
    assert back["messages"] == messages
    assert back["tools"] == TOOLS
    assert there.left_out == ()


@settings(max_examples=60)
@given(turns())
def test_nothing_that_was_said_or_called_is_lost_on_the_way_to_gemini(messages):
    body = msgspec.json.encode({"model": "gpt-5", "messages": messages, "tools": TOOLS})
    there = TRANSLATIONS["openai-chat", "gemini-generate"].request(body, "gemini-2.5-pro")
    sent = msgspec.json.decode(there.body)
    words = texts_of(sent["contents"]) + texts_of(sent.get("systemInstruction", {}))
    calls = [
        part["functionCall"] for content in sent["contents"] for part in content["parts"] if "functionCall" in part
    ]
    expected = [call["function"] for message in messages for call in message.get("tool_calls", ())]
    assert [(call["name"], call["args"]) for call in calls] == [
        (call["name"], msgspec.json.decode(call["arguments"])) for call in expected
    ]
    for message in messages:
        assert all(
            text in words
            for text in texts_of(message["content"])
            if text not in {"text", "image_url", PNG["image_url"]["url"]}
        )
    assert there.left_out == ()
