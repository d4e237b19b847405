"""Which tools the conversations of a program call."""

from modicum.calls import Segment, SegmentKind
from modicum.calls.prompt import AnatomyPrompt
from modicum.optimizers.tool_use import ToolUse

SCHEMAS = [Segment(SegmentKind.TOOL_SCHEMA, 300, tool=name) for name in ("grep", "mail")]


def units(first, *called):
    said = [Segment(SegmentKind.USER, 10, first)]
    for name in called:
        said += [Segment(SegmentKind.TOOL_CALL, 5, tool=name), Segment(SegmentKind.TOOL_RESULT, 5, tool=name)]
    return AnatomyPrompt([*SCHEMAS, *said]).units


def hold_talks(use, count, owner="ann", first=b"%d"):
    for number in range(count):
        said = first % number if b"%" in first else first
        use.demand(owner, units(said))
        use.demand(owner, units(said, "grep"))


def test_a_conversation_counts_once_and_only_when_it_goes_on():
    use = ToolUse()
    hold_talks(use, 3)
    for _ in range(2):
        demand, _, _ = use.demand("ann", units(b"new"))
        assert (demand.conversations, dict(demand.called)) == (3, {"grep": 3})
    demand, _, _ = use.demand("ann", units(b"new", "grep", "mail", "grep"))

    assert (demand.conversations, dict(demand.called)) == (4, {"grep": 4, "mail": 1})


def test_conversations_that_begin_with_the_same_words_are_several():
    use = ToolUse()
    hold_talks(use, 5, first=b"go on")

    assert use.demand("ann", units(b"go on"))[0].conversations == 5


def test_owners_and_sets_of_tools_are_apart():
    use = ToolUse()
    hold_talks(use, 3)

    assert use.demand("bob", units(b"new"))[0].conversations == 0
    assert use.demand("ann", units(b"new")[1:])[0].conversations == 0


def test_what_was_left_out_stays_the_same_while_a_conversation_lasts():
    use = ToolUse()
    hold_talks(use, 10)
    assert use.demand("ann", units(b"new"))[0].left_out is None
    hold_talks(use, 10, first=b"x%d")

    assert use.demand("ann", units(b"new", "grep"))[0].left_out == frozenset(["mail"])


def test_a_conversation_that_was_not_seen_to_begin_goes_on_with_all():
    use = ToolUse()
    hold_talks(use, 10)

    assert use.demand("ann", units(b"late", "grep"))[0].left_out == frozenset()


def test_without_tools_or_words_nothing_is_known():
    use = ToolUse()

    assert use.demand("ann", units(b"new")[2:]) is None
    assert use.demand("ann", units(b"new")[:2]) is None


def test_what_was_not_seen_for_longest_goes_first(monkeypatch):
    monkeypatch.setattr("modicum.optimizers.tool_use.MOST_PROGRAMS", 2)
    use = ToolUse()
    for owner in ("ann", "bob", "cid"):
        hold_talks(use, 3, owner)

    assert [use.demand(owner, units(b"new"))[0].conversations for owner in ("cid", "bob", "ann")] == [3, 3, 0]
