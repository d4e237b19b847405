import json

import openai
import pytest

from modicum.providers.mock.options import MockOptions
from providers.cut_rig import cuts_of, streamed, transport, whole_of

CHAT = {"model": "gpt-4o-mini", "stream": True, "messages": [{"role": "user", "content": "x"}]}
SCHEMA = {"type": "object", "properties": {"place": {"type": "string"}}}
TOOLS = [{"type": "function", "function": {"name": f"find_{n}", "parameters": SCHEMA}} for n in "ab"]


def of(stream):
    return openai.OpenAI(api_key="none", http_client=transport(stream), max_retries=0)


def read(stream):
    """Text, calls by their number, and the reasons for the end."""
    text, calls, reasons = "", {}, []
    for chunk in of(stream).chat.completions.create(**CHAT):
        for choice in chunk.choices:
            text += choice.delta.content or ""
            reasons += [choice.finish_reason] if choice.finish_reason else []
            for call in choice.delta.tool_calls or ():
                calls[call.index] = calls.get(call.index, "") + (call.function.arguments or "")
    return text, calls, reasons


def calling():
    return streamed("openai-chat", {**CHAT, "tools": TOOLS}, MockOptions(tool_calls=2, fault="over_bound"))


def test_words_that_passed_stand_and_the_choice_ends_as_too_long():
    for stream, passed in list(cuts_of("openai-chat", streamed("openai-chat", CHAT)))[:-1]:
        text, _, reasons = read(stream)
        assert reasons == ["length"]
        assert text == read(passed + b"data: [DONE]\n\n")[0]
        assert stream.endswith(b"data: [DONE]\n\n")


def test_calls_of_tools_pass_whole_or_not_at_all():
    text, whole, reasons = read(whole_of("openai-chat", calling()))
    counts = []
    for stream, passed in list(cuts_of("openai-chat", calling()))[:-1]:
        assert b"tool_calls" not in passed or b'"finish_reason":"tool_calls"' in passed
        calls = read(stream)[1]
        counts.append(len(calls))
        assert all(calls[number] == whole[number] for number in calls)

    assert (text, len(whole), reasons) == ("", 2, ["tool_calls"])
    assert counts == sorted(counts)
    assert counts[0] == 0
    assert counts[-1] == 2


def test_a_call_that_its_upstream_broke_off_is_left_out():
    events = calling()
    half = [place for place, event in enumerate(events) if b'"tool_calls":[{"index":1' in event][-1]
    events = [event.replace(b'"finish_reason":"tool_calls"', b'"finish_reason":"length"') for event in events]
    del events[half]

    _, calls, reasons = read(whole_of("openai-chat", events))

    assert (list(calls), reasons) == ([0], ["length"])


def test_each_choice_has_its_own_end():
    def chunk(index, finish=None, **delta):
        choice = {"index": index, "delta": delta, "finish_reason": finish}
        return (
            b"data: %b\n\n" % json.dumps({"id": "x", "object": "chat.completion.chunk", "choices": [choice]}).encode()
        )

    events = [chunk(0, content="a"), chunk(1, content="b"), chunk(0, "stop")]
    (*_, (stream, _)) = cuts_of("openai-chat", [*events, b""])

    ends = [json.loads(line[6:])["choices"][0] for line in stream.splitlines() if b'"length"' in line]
    assert [end["index"] for end in ends] == [1]


@pytest.mark.parametrize("count", [1, 2])
def test_plain_text_ends_as_too_long_too(count):
    events = streamed(
        "openai-text", {"model": "m", "stream": True, "prompt": "x"}, MockOptions(output_tokens=6, chunks=3)
    )
    stream, _ = list(cuts_of("openai-text", events))[count]

    chunks = list(of(stream).completions.create(model="m", prompt="x", stream=True))

    assert [chunk.choices[0].finish_reason for chunk in chunks] == [*[None] * (count + 1), "length"]


def test_whole_calls_pass_also_where_no_reason_for_the_end_is_named():
    events = [event for event in calling() if b'"finish_reason":"tool_calls"' not in event]

    _, calls, reasons = read(whole_of("openai-chat", events))

    assert (len(calls), reasons) == (2, [])
