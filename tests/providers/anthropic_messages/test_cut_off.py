import anthropic
import pytest

from modicum.providers.mock.options import MockOptions
from providers.cut_rig import cuts_of, streamed, transport, whole_of

REQUEST = {
    "model": "claude-sonnet-4-6",
    "max_tokens": 2,
    "stream": True,
    "messages": [{"role": "user", "content": "x"}],
}
TOOLS = [
    {"name": f"find_{n}", "input_schema": {"type": "object", "properties": {"place": {"type": "string"}}}} for n in "ab"
]
CALLING = MockOptions(tool_calls=2, fault="over_bound")


def read(stream):
    with anthropic.Anthropic(api_key="none", http_client=transport(stream)) as client:
        request = {name: value for name, value in REQUEST.items() if name != "stream"}
        with client.messages.stream(**request) as events:
            return events.get_final_message()


def calling():
    return streamed("anthropic-messages", {**REQUEST, "tools": TOOLS}, CALLING)


def test_words_that_passed_stand_and_the_message_ends_as_too_long():
    events = streamed("anthropic-messages", REQUEST)
    messages = [read(stream) for stream, _ in cuts_of("anthropic-messages", events)][:-2]

    assert {message.stop_reason for message in messages} == {"max_tokens"}
    assert {message.usage.output_tokens for message in messages} == {5}
    lengths = [len("".join(block.text for block in message.content)) for message in messages]
    assert lengths == sorted(lengths)
    assert lengths[-1] > lengths[0] == 0


def test_calls_of_tools_pass_whole_or_not_at_all():
    whole = read(whole_of("anthropic-messages", calling()))
    seen = []
    for stream, passed in cuts_of("anthropic-messages", calling()[:-2]):
        assert b"tool_use" not in passed  # nothing of a call before it is whole
        seen.append([block for block in read(stream).content if block.type == "tool_use"])

    assert [len(blocks) for blocks in seen] == sorted(len(blocks) for blocks in seen)
    assert all(block in whole.content for blocks in seen for block in blocks)
    assert whole.stop_reason == "tool_use"
    assert len(whole.content) == 2


@pytest.mark.parametrize("reason", ["max_tokens", "model_context_window_exceeded"])
def test_a_call_that_its_upstream_broke_off_is_left_out(reason):
    events = calling()
    parts = [place for place, event in enumerate(events) if b'"partial_json":"' in event and b'"index":1' in event]
    del events[parts[-1]]
    events = [
        event.replace(b'"tool_use","stop_sequence"', b'"%b","stop_sequence"' % reason.encode()) for event in events
    ]

    message = read(whole_of("anthropic-messages", events))

    assert [block.name for block in message.content] == ["find_a"]
    assert message.stop_reason == reason
