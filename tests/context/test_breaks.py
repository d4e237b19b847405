from hypothesis import given
from hypothesis import strategies as st

from modicum.calls import Segment, SegmentKind
from modicum.context.breaks import cause_of_break, change, kept_count
from modicum.metering.digests import Digester

OLD, NEW = Digester(b"").digest, Digester(b"").segment


def part(text, kind=SegmentKind.USER, digest=NEW):
    return Segment(kind, 1, digest(text))


def parts(texts):
    return [part(text) for text in texts]


@given(st.lists(st.lists(st.sampled_from("abc"), max_size=6), max_size=8))
def test_contexts_given_in_full_come_back_from_their_changes(contexts):
    before, replayed = [], []
    for now in map(parts, contexts):
        anatomy = change(before, now)
        replayed = [*replayed[: anatomy.kept_segments], *anatomy.added]
        assert replayed == now
        assert anatomy.kept_tokens == anatomy.kept_segments == kept_count(before, now)
        assert bool(anatomy.break_cause) == (anatomy.kept_segments < len(before))
        before = now


def test_the_cause_is_what_changed_first():
    tools, system = part("t", SegmentKind.TOOL_SCHEMA), part("s", SegmentKind.SYSTEM)

    assert cause_of_break([], [part("a")]) == ""
    assert cause_of_break([tools, system], [part("u", SegmentKind.TOOL_SCHEMA), system]) == "tools"
    assert cause_of_break([system, part("a")], [tools, system, part("a")]) == "system"
    assert cause_of_break([part("a")], [tools, part("a")]) == "tools"
    assert cause_of_break(parts("ab"), parts("c")) == "rewind"
    assert cause_of_break(parts("ab"), []) == "rewind"
    assert cause_of_break(parts("abc"), parts("xbc")) == "changed"


def test_digests_of_two_versions_are_never_equal_and_no_break_is_made_of_it():
    before = [part("a", digest=OLD), part("b", digest=OLD)]

    found = change(before, parts("abc"))

    assert (found.kept_segments, found.break_cause) == (0, "version")


def test_what_nobody_saw_has_no_version():
    unseen = Segment(SegmentKind.PREFIX, 9)

    assert cause_of_break([unseen], parts("a")) == "rewind"
