from modicum.providers.bedrock.frames import write_frame
from modicum.providers.bedrock.stream import FramedTail
from modicum.providers.bedrock_converse.stream import ConverseTail, event_in


def test_half_a_frame_waits_and_a_damaged_one_makes_no_figure_exact():
    counted = write_frame("metadata", b'{"usage":{"inputTokens":3,"outputTokens":4,"totalTokens":7}}')
    stop = write_frame("messageStop", b'{"stopReason":"end_turn"}')
    tail = FramedTail(ConverseTail(), event_in)
    assert tail.feed(stop[:20]) == b""
    assert tail.feed(stop[20:] + counted + stop[:9]) == stop + counted
    assert tail.end() == stop[:9]
    assert tail.facts().usage_final
    assert tail.facts().complete

    damaged = bytearray(stop)
    damaged[-6] ^= 1
    tail = FramedTail(ConverseTail(), event_in)
    assert tail.feed(bytes(damaged) + counted) == bytes(damaged) + counted
    assert (tail.facts().usage_final, tail.facts().problem) == (False, "a frame of the stream cannot be read")
