import pytest

from modicum.providers.facts import DialectError
from modicum.providers.mock.recordings import recording

STREAM = b'event: a\ndata: {"x": 1}\n\n: a comment\n\ndata: [DONE]\n\n'


def test_a_recorded_reply_is_played_back_byte_for_byte(tmp_path):
    (tmp_path / "one.sse").write_bytes(STREAM)
    (tmp_path / "two.json").write_bytes(b'{"a": 1}')

    stream, whole = recording(tmp_path, "one.sse"), recording(tmp_path, "two.json")

    assert (stream.content_type, b"".join(stream.parts), len(stream.parts)) == ("text/event-stream", STREAM, 3)
    assert (whole.content_type, whole.parts) == ("application/json", (b'{"a": 1}',))


@pytest.mark.parametrize("name", ["none.sse", "../secret.sse", "one.py", "", "sub/one.sse"])
def test_only_files_of_the_folder_are(tmp_path, name):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "one.sse").write_bytes(STREAM)
    (tmp_path / "one.sse").write_bytes(STREAM)
    with pytest.raises(DialectError, match=r"one\.sse"):
        recording(tmp_path, name)


def test_without_a_folder_it_says_which_option_is_missing():
    with pytest.raises(DialectError, match="--recordings"):
        recording(None, "one.sse")
