import json

import msgspec
import pytest

from modicum.providers.openai.last_line import content_with_line


@pytest.mark.parametrize(
    ("content", "after"),
    [
        ("Hello", "Hello\n\nLine."),
        ("", "\n\nLine."),
        ([{"type": "image_url", "n": 1}], [{"type": "image_url", "n": 1}, {"type": "text", "text": "Line."}]),
        ([], [{"type": "text", "text": "Line."}]),
    ],
)
def test_the_line_stands_behind_all_else(content, after):
    changed = content_with_line(msgspec.Raw(json.dumps(content).encode()), "Line.", "text")

    assert json.loads(bytes(changed)) == after


@pytest.mark.parametrize("content", [None, b"null", b"7", b'{"a": 1}'])
def test_other_contents_have_no_place_for_it(content):
    assert content_with_line(None if content is None else msgspec.Raw(content), "Line.", "text") is None
