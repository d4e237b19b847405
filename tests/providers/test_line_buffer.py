from hypothesis import given
from hypothesis import strategies as st

from modicum.providers import line_buffer
from modicum.providers.line_buffer import LineBuffer
from modicum.providers.openai_chat.stream import ChatTail


@given(st.lists(st.binary(max_size=9) | st.sampled_from([b"\n", b"a\r\n", b"\nb\n"])))
def test_lines_come_whole_and_nothing_is_lost(chunks):
    whole = LineBuffer()
    blocks = [whole.feed(chunk) for chunk in chunks]
    assert all(block.endswith(b"\n") for block in blocks if block)
    assert b"".join([*blocks, whole.end()]) == b"".join(chunks)


def test_a_line_too_large_to_hold_is_passed_on_and_the_next_one_is_read(monkeypatch):
    monkeypatch.setattr(line_buffer, "MOST_LINE", 100)
    said = b'data: {"choices":[{"index":0,"delta":{"content":"%b"}}]}\n\n'
    chunks = [said % b"before", b'data: {"choices":"', *[b"x" * 60] * 9, b'"}\n', said % b"after"]
    tail = ChatTail()
    assert b"".join([tail.feed(chunk) for chunk in chunks]) + tail.end() == b"".join(chunks)
    facts = tail.facts()
    assert facts.output_text == "beforeafter"
    assert facts.problem == "an event was too large to be read"
