import pytest

from modicum.providers.cut_off.stream_cut import is_whole
from modicum.providers.dialects import DIALECTS
from providers.cut_rig import streamed, whole_of

CUT = [name for name, dialect in DIALECTS.items() if dialect.stream_cut is not None]
REQUEST = {
    "model": "m",
    "stream": True,
    "max_tokens": 2,
    "prompt": "x",
    "input": "x",
    "messages": [{"role": "user", "content": "x"}],
    "contents": [{"parts": [{"text": "x"}]}],
}


@pytest.mark.parametrize(("arguments", "whole"), [('{"a": 1}', True), ("{}", True), ('{"a": ', False), ("", False)])
def test_arguments_are_whole_when_their_object_has_its_end(arguments, whole):
    assert is_whole(arguments) is whole


def test_every_stream_of_words_can_be_ended():
    assert {name for name, dialect in DIALECTS.items() if dialect.stream_texts is not None} <= set(CUT)


@pytest.mark.parametrize("name", CUT)
def test_a_stream_of_words_that_ends_by_itself_passes_to_the_byte(name):
    events = streamed(name, REQUEST)

    with_comment = [events[0], b": a comment\n\n", *events[1:]]
    assert whole_of(name, with_comment) == b"".join(with_comment)


@pytest.mark.parametrize("name", CUT)
def test_what_the_model_says_is_seen_once(name):
    cut = DIALECTS[name].stream_cut()
    for event in streamed(name, REQUEST):
        cut.feed(event)

    made = cut.take_made()
    assert len(made.split()) == 6
    assert cut.take_made() == ""
