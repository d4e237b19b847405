from modicum.calls import Basis, SegmentKind
from modicum.context.segmenter import Segmenter
from modicum.metering.digests import Digester
from modicum.providers.blocks import Block, picture, tool_call, tool_result

DIGESTER = Digester(b"key")


def measured(*blocks):
    return Segmenter(DIGESTER, lambda text, _: len(text)).segments(blocks, "m")


def test_a_result_is_about_what_its_call_was_about():
    call, result = measured(tool_call("read", {"path": "a"}, "c1"), tool_result("text", "c1"))

    assert (call.tool, result.tool) == ("read", "read")
    assert call.detail == result.detail == DIGESTER.segment('read\n{"path":"a"}')
    assert call.tokens == len('read {"path":"a"}')
    assert result.digest == DIGESTER.segment("text")


def test_a_text_that_comes_again_is_counted_once():
    counted = []

    def count(text, model):
        counted.append((text, model))
        return 1

    segmenter = Segmenter(DIGESTER, count)
    segmenter.segments([Block(SegmentKind.USER, "a"), Block(SegmentKind.SYSTEM, "a")], "m")
    segmenter.segments([Block(SegmentKind.USER, "a")], "n")

    assert counted == [("a", "m"), ("a", "n")]


def test_a_picture_has_a_digest_and_no_known_size():
    found = measured(
        picture(SegmentKind.IMAGE, {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}),
        picture(SegmentKind.IMAGE, {"type": "image", "source": {"type": "base64", "data": "AAAA"}}),
        picture(SegmentKind.IMAGE, {"mimeType": "image/png", "data": "AAAA"}),
    )

    assert [(one.tokens, one.basis, one.digest) for one in found] == [(0, Basis.UNKNOWN, DIGESTER.segment("AAAA"))] * 3


def test_half_characters_and_empty_blocks_do_no_harm():
    segments = measured(Block(SegmentKind.USER, "\ud800"), Block(SegmentKind.USER, ""))

    assert [segment.tokens for segment in segments] == [1]


def test_calls_of_two_tools_with_the_same_arguments_are_about_different_things():
    read, delete = measured(tool_call("Read", {"path": "a"}, "1"), tool_call("Delete", {"path": "a"}, "2"))

    assert read.detail != delete.detail


def test_results_without_an_id_answer_the_calls_of_their_tool_in_order():
    one, other, first, second, unasked = measured(
        tool_call("read", {"path": "a"}, ""),
        tool_call("read", {"path": "b"}, ""),
        tool_result("A", "", tool="read"),
        tool_result("B", "", tool="read"),
        tool_result("C", "", tool="list"),
    )

    assert (first.detail, second.detail) == (one.detail, other.detail)
    assert (unasked.tool, unasked.detail) == ("list", b"")


def test_a_call_that_was_never_answered_takes_no_result_of_the_next_request():
    segmenter = Segmenter(DIGESTER, lambda text, _: len(text))
    ask = tool_call("read", {"path": "a"}, ""), tool_call("read", {"path": "b"}, "")
    segmenter.on_reply("c", ask, "m")

    *_, result = segmenter.context([ask[1], tool_result("B", "", tool="read")], "m")

    assert result.detail == segmenter.segments([ask[1]], "m")[0].detail
