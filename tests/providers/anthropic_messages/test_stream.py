from modicum.calls import Usage
from modicum.providers.anthropic_messages.stream import MessageTail


def test_the_first_events_input_stands_and_the_last_events_output():
    tail = MessageTail()
    tail.feed(b'data: {"type":"message_start","message":{"id":"msg_1","usage":{"input_tokens":9,"output_tokens":1}}}\n')
    assert (tail.facts().usage, tail.facts().usage_final) == (Usage(9, output_visible=1), False)
    tail.feed(b'data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":70}}\n')
    assert (tail.facts().usage, tail.facts().usage_final) == (Usage(9, output_visible=70), True)
    assert not tail.facts().complete
    tail.feed(b'data: {"type":"message_stop"}\n')
    assert tail.facts().complete
