import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from context.doors import DIGESTER, Writer, anthropic, chat, gemini, responses
from context.test_doors import talks
from modicum.calls import Basis
from modicum.context.live import Counts, LiveContexts
from modicum.providers.dialects import DIALECTS

DIALECT = {
    "anthropic-messages": anthropic,
    "openai-chat": chat,
    "openai-responses": responses,
    "gemini-generate": gemini,
}


def take(live, name, body, model="gpt-4o", *, late=False):
    context, uncounted = live.take(DIALECTS[name], body, model)
    if not late:
        live.counted(context, [(part, Counts(len(text), {})) for part, text in uncounted])
    return context.parts, [text for _, text in uncounted]


@settings(max_examples=30)
@given(talks(), st.booleans())
def test_what_is_known_of_a_context_changes_nothing_in_it(talk, late):
    for name, body_of in DIALECT.items():
        live, writer = LiveContexts(DIGESTER), Writer(talk.seed)
        for end in talk.ends:
            body = json.dumps(body_of(talk, talk.items[:end], writer)).encode()
            parts, _ = take(live, name, body, late=late)
            alone, _ = take(LiveContexts(DIGESTER), name, body, late=late)
            assert parts == alone, name


def asked(*texts, system="Be brief.", **more):
    messages = [{"role": "system", "content": system}, *({"role": "user", "content": text} for text in texts)]
    return json.dumps({"model": "gpt-4o", "messages": messages} | more).encode()


class Counting:
    """A dialect that says how many messages it was asked about."""

    name = "openai-chat"

    def __init__(self):
        self.messages = 0

    def segments(self, body):
        self.messages += len(json.loads(body)["messages"])
        return DIALECTS[self.name].segments(body)


def test_a_conversation_of_many_calls_is_taken_apart_once_and_not_once_a_call(monkeypatch):
    live, dialect = LiveContexts(DIGESTER), Counting()
    texts = [f"message {number}" for number in range(400)]
    for end in range(1, 401):
        context, uncounted = live.take(dialect, asked(*texts[:end], temperature=0), "gpt-4o")
        live.counted(context, [(part, Counts(1, {})) for part, _ in uncounted])
        assert len(context.parts) == end + 1

    assert dialect.messages < 3 * 400


def test_a_text_is_counted_once_for_every_encoding():
    live = LiveContexts(DIGESTER)

    assert take(live, "openai-chat", asked("a"))[1] == ["Be brief.", "a"]
    assert take(live, "openai-chat", asked("b", "a"))[1] == ["b"]
    assert take(live, "openai-chat", asked("a"), "gpt-4")[1] == ["Be brief.", "a"]


def test_what_was_not_counted_in_time_is_asked_for_again():
    live = LiveContexts(DIGESTER)
    take(live, "openai-chat", asked("a"), late=True)

    assert take(live, "openai-chat", asked("a", "b"))[1] == ["Be brief.", "a", "b"]


def test_other_tools_or_another_system_prompt_in_front_are_seen():
    live = LiveContexts(DIGESTER)
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
    take(live, "openai-chat", asked("a", "b"))

    with_tools, _ = take(live, "openai-chat", asked("a", "b", tools=[tool]))
    other, _ = take(live, "openai-chat", asked("a", "b", system="Be long."))

    assert [part.kind for part in with_tools] == ["tool_schema", "system", "user", "user"]
    assert other[0].digest == DIGESTER.segment("Be long.")


def test_pictures_have_no_tokens_that_anybody_knows():
    url = {"url": "data:image/png;base64,AAAA"}
    content = [{"type": "text", "text": "Look."}, {"type": "image_url", "image_url": url}]
    body = json.dumps({"model": "gpt-4o", "messages": [{"role": "user", "content": content}]}).encode()

    parts, uncounted = take(LiveContexts(DIGESTER), "openai-chat", body)

    assert uncounted == ["Look."]
    assert (parts[1].tokens, parts[1].basis) == (0, Basis.UNKNOWN)


def test_requests_without_messages_are_taken_as_they_are():
    body = json.dumps({"model": "text-embedding-3-small", "input": ["a", "b"]}).encode()

    assert take(LiveContexts(DIGESTER), "openai-embeddings", body)[1] == ["a", "b"]


@pytest.mark.parametrize(("name", "most"), [("MOST_CONVERSATIONS", 3), ("MOST_PARTS", 9), ("MOST_COUNTS", 5)])
def test_memory_is_bounded(monkeypatch, name, most):
    monkeypatch.setattr(f"modicum.context.live.{name}", most)
    live = LiveContexts(DIGESTER)
    for number in range(30):
        take(live, "openai-chat", asked(f"{number}", "x", "y"))

    held = {
        "MOST_CONVERSATIONS": len(live._known),
        "MOST_PARTS": sum(len(known.context.parts) for known in live._known.values()),
        "MOST_COUNTS": len(live._counts),
    }
    assert held[name] <= most
    assert live._held == held["MOST_PARTS"]
