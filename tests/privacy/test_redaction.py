"""Requests without what is held back, replies in which it stands again."""

import json
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modicum.privacy.placeholders import MARK, Placeholders, Sought
from modicum.privacy.redaction import MOST_HELD_EVENTS, Restores, StreamEvent, StreamRestorer, redact, restore

KEY = b"k" * 32
ADA, BOB = "ada@engine.org", "bob@engine.org"


def placeholders_of(*values):
    placeholders = Placeholders(Sought(), KEY)
    return placeholders, [placeholders.hide(value) for value in values]


def request(text):
    return json.dumps({"model": "m", "messages": [{"role": "user", "content": text}]}).encode()


def test_a_request_without_anything_keeps_its_bytes():
    for body in (request("hello"), b'{ "a" : 1.50, "b": "\\u00e9 \\/" }'):
        placeholders, _ = placeholders_of()
        assert redact(body, placeholders) is body


@pytest.mark.parametrize("written", [ADA, ADA.replace("@", "\\u0040"), ADA.replace("a", "\\u0061")])
def test_a_value_is_found_however_json_writes_it(written):
    placeholders, (ada,) = placeholders_of(ADA)
    body = b'{"messages": [{"content": "to %b"}]}' % written.encode()
    assert json.loads(redact(body, placeholders)) == {"messages": [{"content": f"to {ada}"}]}


def test_what_is_no_json_raises():
    with pytest.raises(ValueError, match="truncated"):
        redact(b'{"a": "ada@engine.org"', placeholders_of()[0])


def test_a_reply_gets_its_values_back_in_text_and_if_wanted_in_tools():
    placeholders, (ada,) = placeholders_of(ADA)
    arguments = json.dumps({"to": ada})
    reply = {"content": f"sent to {ada}", "function": {"name": "send", "arguments": arguments}}
    body = json.dumps(reply).encode()

    in_text = json.loads(restore(body, placeholders, Restores.TEXT))
    assert in_text == reply | {"content": f"sent to {ADA}"}
    everywhere = json.loads(restore(body, placeholders, Restores.ALL))
    assert json.loads(everywhere["function"]["arguments"]) == {"to": ADA}
    assert restore(body, placeholders, Restores.NONE) is body
    assert restore(b"no json " + ada.encode(), placeholders, Restores.ALL) == b"no json " + ada.encode()


def chat_events(text, cuts, channel="content"):
    """A stream as chat completions write it, its text cut anywhere."""
    marks = sorted({0, *(cut % (len(text) + 1) for cut in cuts), len(text)})
    for start, stop in pairwise(marks):
        delta = {"content": text[start:stop]}
        if channel == "arguments":
            delta = {"tool_calls": [{"index": 0, "function": {"arguments": text[start:stop]}}]}
        yield {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
    yield {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}


def event(document):
    data = json.dumps(document).encode() if document is not None else b"[DONE]"
    return StreamEvent(b"event: e\ndata: %b\n\n" % data, b"event: e\n", data)


def restorer(placeholders, restores=Restores.TEXT):
    return StreamRestorer(
        placeholders,
        restores,
        lambda one: "choices" in one,
        lambda one: any(choice.get("finish_reason") for choice in one.get("choices", ())),
    )


def passed_through(placeholders, documents, restores=Restores.TEXT):
    stream = restorer(placeholders, restores)
    out = b"".join(stream.feed(event(document)) for document in documents) + stream.end()
    events = [one.partition(b"data: ")[2] for one in out.split(b"\n\n") if one]
    assert out.count(b"event: e\n") == len(events)
    return [None if one == b"[DONE]" else json.loads(one) for one in events]


def text_of(documents, channel="content"):
    deltas = [one["choices"][0]["delta"] for one in documents if one]
    if channel == "arguments":
        return "".join(call["function"]["arguments"] for delta in deltas for call in delta.get("tool_calls", ()))
    return "".join(delta.get("content", "") for delta in deltas)


@settings(max_examples=60)
@given(
    st.lists(st.sampled_from([ADA, BOB, "and", MARK, "REDACTED", "R", "é"]), max_size=8),
    st.lists(st.integers(0, 400), max_size=30),
)
def test_a_restored_stream_says_what_the_unredacted_one_says(words, cuts):
    placeholders, _ = placeholders_of(ADA, BOB)
    plain = " ".join(words)
    sent = [*chat_events(placeholders.hide(plain), cuts), None]

    got = passed_through(placeholders, sent)

    assert text_of(got) == plain
    assert len(got) == len(sent)
    assert got[-1] is None


def test_arguments_of_tools_are_restored_only_where_that_was_chosen():
    placeholders, (ada,) = placeholders_of(ADA)
    arguments = json.dumps({"to": ada})
    sent = list(chat_events(arguments, range(0, 60, 7), "arguments"))
    assert text_of(passed_through(placeholders, sent), "arguments") == arguments
    assert json.loads(text_of(passed_through(placeholders, sent, Restores.ALL), "arguments")) == {"to": ADA}


def test_events_without_a_placeholder_pass_at_once_byte_for_byte():
    placeholders, (ada,) = placeholders_of(ADA)
    stream = restorer(placeholders)
    plain, begun = event(next(chat_events("Hello", []))), event(next(chat_events(ada[:15], [])))
    assert stream.feed(plain) == plain.raw
    assert stream.feed(begun) == b""
    assert stream.feed(plain) == begun.raw + plain.raw


def test_a_stream_that_never_ends_a_placeholder_is_not_held_for_ever():
    placeholders, (ada,) = placeholders_of(ADA)
    stream = restorer(placeholders)
    assert stream.feed(event(next(chat_events(ada[:15], [])))) == b""
    empty = event({"choices": [{"index": 1, "delta": {"content": ""}}]})
    assert b"".join(stream.feed(empty) for _ in range(MOST_HELD_EVENTS)).startswith(b"event: e\ndata: ")


def test_two_choices_do_not_get_into_each_others_way():
    placeholders, (ada,) = placeholders_of(ADA)
    cut = len(ada) // 2
    parts = [(number, part) for part in (ada[:cut], ada[cut:]) for number in (0, 1)]
    documents = [{"choices": [{"index": number, "delta": {"content": part}}]} for number, part in parts]
    got = passed_through(placeholders, documents)
    assert [one["choices"][0]["delta"]["content"] for one in got] == [ADA, ADA, "", ""]


def test_what_is_no_object_passes():
    placeholders, _ = placeholders_of(ADA)
    odd = StreamEvent(b": comment\n\n", b": comment\n", b"")
    assert restorer(placeholders).feed(odd) == odd.raw
