from modicum.calls import Segment, SegmentKind
from modicum.context.growing import Context


def block(name):
    return Segment(SegmentKind.USER, 1, digest=name.encode())


def test_a_context_that_grows_keeps_what_was_there():
    context = Context()
    context.grow([block("system"), block("question")])
    first = context.sent()
    context.grow([block("answer"), block("more")])
    second = context.sent()

    assert (first.kept_segments, len(first.added)) == (0, 2)
    assert (second.kept_segments, second.added) == (2, (block("answer"), block("more")))


def test_a_compaction_starts_anew_and_says_so():
    context = Context()
    context.grow([block("a"), block("b")])
    context.sent()
    context.cut(0, "compaction")
    context.grow([block("summary")])
    sent = context.sent()

    assert (sent.kept_segments, sent.added, sent.break_cause) == (0, (block("summary"),), "compaction")


def test_cutting_what_was_never_sent_breaks_nothing():
    context = Context()
    context.grow([block("a")])
    context.sent()
    context.grow([block("b")])
    context.cut(1, "rewind")

    assert context.sent().break_cause == ""


def test_what_the_provider_counted_beyond_the_log_stands_in_front_and_in_no_position():
    context = Context()
    context.grow([block("a")])
    first = context.sent(10)
    fixed = len(context)
    context.grow([block("b")])
    context.sent(99)
    context.cut(fixed, "rewind")
    context.grow([block("c")])
    last = context.sent()

    assert [(part.kind, part.tokens) for part in first.added] == [(SegmentKind.PREFIX, 9), (SegmentKind.USER, 1)]
    assert (fixed, last.kept_segments, last.kept_tokens, last.added) == (1, 2, 10, (block("c"),))
    assert context.tokens == 11
