from modicum.providers.anthropic_messages.replies import joined
from providers.mock_rig import HELLO, PLAIN, of_anthropic


def test_anthropics_client_reads_messages():
    asked = {"model": "claude-opus-4-5", "max_tokens": 100, "messages": HELLO}
    with of_anthropic(PLAIN) as client:
        read = client.messages.create(**asked)
        with client.messages.stream(**asked) as stream:
            final = stream.get_final_message()
    for message in (read, final):
        assert [block.type for block in message.content] == ["thinking", "text"]
        assert len(message.content[1].text.split()) == 12
        assert message.stop_reason == "end_turn"
        assert message.usage.output_tokens == 19
        assert message.usage.input_tokens > 0


def test_the_last_count_of_a_stream_is_final():
    body = joined(
        [
            {"type": "message_start", "message": {"id": "msg_1", "usage": {"input_tokens": 9, "output_tokens": 1}}},
            {
                "type": "message_delta",
                "delta": {"stop_reason": "end_turn"},
                "usage": {"output_tokens": 70, "input_tokens": None},
            },
        ]
    )

    assert body["usage"] == {"input_tokens": 9, "output_tokens": 70}
    assert (body["id"], body["stop_reason"]) == ("msg_1", "end_turn")
