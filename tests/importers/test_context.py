from hypothesis import given
from hypothesis import strategies as st

from modicum.calls import Segment, SegmentKind
from modicum.importers.context import Context


def block(name):
    return Segment(SegmentKind.USER, 1, digest=name.encode())


def replayed(anatomies):
    """The contexts that a reader of the ledger sees."""
    context, contexts = [], []
    for anatomy in anatomies:
        context = [*context[: anatomy.kept_segments], *anatomy.added]
        contexts.append(context)
    return contexts


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


@given(st.lists(st.lists(st.sampled_from("abc"), max_size=6), max_size=8))
def test_contexts_given_in_full_come_back_from_their_anatomies(conversations):
    context = Context()
    given_in_full = [[block(name) for name in names] for names in conversations]
    anatomies = []
    for segments in given_in_full:
        context.replace(segments)
        anatomies.append(context.sent())

    assert replayed(anatomies) == given_in_full
    assert [anatomy.kept_tokens for anatomy in anatomies] == [anatomy.kept_segments for anatomy in anatomies]
