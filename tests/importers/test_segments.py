from modicum.calls import Basis, SegmentKind
from modicum.importers.context import Context
from modicum.importers.format import Reading
from modicum.importers.segments import Segmenter, add_prefix
from modicum.metering.digests import Digester
from modicum.providers.blocks import Block, tool_call, tool_result

READING = Reading(anatomy=True, digest=Digester(b"key").digest, count=lambda text, _: len(text))


def test_a_result_is_about_what_its_call_was_about():
    call, result = Segmenter(READING).segments([tool_call("read", {"path": "a"}, "c1"), tool_result("text", "c1")], "m")

    assert (call.tool, result.tool) == ("read", "read")
    assert call.detail == result.detail == READING.digest('read\n{"path":"a"}')
    assert call.tokens == len('read {"path":"a"}')
    assert result.digest == READING.digest("text")


def test_a_text_that_comes_again_is_counted_once():
    counted = []

    def count(text, model):
        counted.append((text, model))
        return 1

    segmenter = Segmenter(Reading(anatomy=True, digest=READING.digest, count=count))
    segmenter.segments([Block(SegmentKind.USER, "a"), Block(SegmentKind.SYSTEM, "a")], "m")
    segmenter.segments([Block(SegmentKind.USER, "a")], "n")

    assert counted == [("a", "m"), ("a", "n")]


def test_a_picture_has_a_digest_and_no_known_size():
    (picture,) = Segmenter(READING).segments([Block(SegmentKind.IMAGE, "data:x")], "m")

    assert (picture.tokens, picture.basis, picture.digest) == (0, Basis.UNKNOWN, READING.digest("data:x"))


def test_half_characters_and_empty_blocks_do_no_harm():
    segments = Segmenter(READING).segments([Block(SegmentKind.USER, "\ud800"), Block(SegmentKind.USER, "")], "m")

    assert [segment.tokens for segment in segments] == [1]


def test_what_the_provider_counted_beyond_the_log_stands_in_front():
    context = Context()
    context.grow(Segmenter(READING).segments([Block(SegmentKind.USER, "abc")], "m"))
    add_prefix(context, 10)
    add_prefix(context, 10)

    assert [(segment.kind, segment.tokens) for segment in context.segments] == [
        (SegmentKind.PREFIX, 7),
        (SegmentKind.USER, 3),
    ]
