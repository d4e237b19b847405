from hypothesis import given
from hypothesis import strategies as st

from modicum.providers import line_buffer
from modicum.providers.line_buffer import LineBuffer


@given(st.lists(st.binary(max_size=9) | st.sampled_from([b"\n", b"a\r\n", b"\nb\n"])))
def test_lines_come_whole_and_nothing_is_lost(chunks):
    whole = LineBuffer()
    blocks = [whole.feed(chunk) for chunk in chunks]
    assert all(block.endswith(b"\n") for block in blocks if block)
    assert b"".join([*blocks, whole.end()]) == b"".join(chunks)


def test_a_line_too_large_to_hold_is_skipped(monkeypatch):
    monkeypatch.setattr(line_buffer, "MOST_LINE", 100)
    whole = LineBuffer()
    blocks = [whole.feed(chunk) for chunk in [b"before\n", *[b"x" * 60] * 9, b"}\n", b"after\n"]]
    assert b"".join(blocks) == b"before\nafter\n"
    assert whole.skipped
