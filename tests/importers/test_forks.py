from datetime import UTC, datetime

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from modicum.calls import Anatomy, Call, Problem, Segment, SegmentKind, Usage
from modicum.importers.forks import CONTEXTS, MOST_CALLS_A_QUERY, anchored


def call(call_id, conversation, kept, *added):
    return Call(
        call_id=call_id,
        source="test",
        provider="",
        model="m",
        started=datetime(2026, 2, 3, tzinfo=UTC),
        usage=Usage(),
        conversation=conversation,
        anatomy=Anatomy(kept, kept, tuple(Segment(SegmentKind.USER, 1, name.encode()) for name in added)),
    )


def test_a_fork_brings_its_context_along_once():
    original = [call("1", "a", 0, "x"), call("2", "a", 1, "y"), call("3", "a", 2, "z")]
    fork = [
        *(msgspec.structs.replace(c, conversation="b") for c in original[:2]),
        call("4", "b", 1, "other"),
        call("5", "b", 2, "more"),
    ]

    found = list(anchored([*original, *fork]))

    anatomies = {c.call_id: c.anatomy for c in found if c.conversation == "b"}
    assert found[:3] == original
    assert (anatomies["4"].kept_segments, [part.digest for part in anatomies["4"].added]) == (0, [b"x", b"other"])
    assert anatomies["5"].kept_segments == 2


class Ledger:
    """What a ledger does with the calls of logs: the first record of a call stands."""

    def __init__(self):
        self.calls = {}
        self.asked = []

    def booked_in(self, call_ids):
        self.asked.append(len(call_ids))
        return {name: self.calls[name].conversation for name in call_ids if name in self.calls}

    def took(self, *logs):
        for item in anchored([item for log in logs for item in log], self.booked_in):
            self.calls.setdefault(item.call_id, item)
        return self

    def contexts(self):
        """The whole context of every call, as it follows from what is booked."""
        known, contexts = {}, {}
        for item in sorted(self.calls.values(), key=lambda c: (c.conversation, c.call_id)):
            parts = known.setdefault(item.conversation, [])
            assert item.anatomy.kept_segments <= len(parts), "it rests on calls that are booked elsewhere"
            assert item.anatomy.kept_tokens == item.anatomy.kept_segments
            parts[item.anatomy.kept_segments :] = [part.digest.decode() for part in item.anatomy.added]
            contexts[item.call_id] = "".join(parts)
        return contexts


PARENT = [call("1", "a", 0, "s", "x"), call("2", "a", 2, "y"), call("3", "a", 3, "z"), call("5", "a", 4, "u")]
FORK = [*(msgspec.structs.replace(c, conversation="b") for c in PARENT[:3]), call("4", "b", 2, "v"), call("6", "b", 3)]
WHOLE = {"1": "sx", "2": "sxy", "3": "sxyz", "5": "sxyzu", "4": "sxv", "6": "sxv"}


@given(st.lists(st.tuples(st.sampled_from([PARENT, FORK]), st.integers(0, 5), st.booleans()), max_size=6))
def test_contexts_stay_whole_in_whatever_order_and_length_logs_are_imported(imports):
    ledger = Ledger()
    waiting = []
    for log, calls, with_the_next in [*imports, (FORK, 5, True), (PARENT, 5, False)]:
        waiting.append(log[:calls])
        if not with_the_next:
            ledger.took(*waiting)
            waiting = []
    assert ledger.contexts() == WHOLE

    again = list(anchored([*PARENT, *FORK], ledger.booked_in))
    assert all(booked in again for booked in ledger.calls.values())


def test_a_conversation_brings_only_what_it_has_not_brought_itself():
    found = Ledger().took(PARENT[:2]).took(FORK[:3]).took(PARENT).calls["5"]

    assert (found.conversation, found.anatomy.kept_segments, found.anatomy.kept_tokens) == ("a", 3, 3)
    assert [part.digest for part in found.anatomy.added] == [b"z", b"u"]


def test_the_ledger_is_asked_by_the_block_and_the_order_is_kept():
    problem = Problem("log", "torn", 3)
    items = [call(str(n), "a", n, "x") for n in range(MOST_CALLS_A_QUERY)]
    items.insert(5, problem)
    ledger = Ledger()

    assert list(anchored(items, ledger.booked_in)) == items
    assert ledger.asked == [MOST_CALLS_A_QUERY - 1, 1]
    assert list(anchored([problem], ledger.booked_in)) == [problem]
    assert len(ledger.asked) == 2


def test_a_call_whose_context_was_not_seen_stays_as_it_is():
    rest = call("9", "a", 3, "z")
    others = [call(f"o{n}", f"other {n}", 0, "x") for n in range(CONTEXTS)]

    assert list(anchored([rest])) == [rest]
    assert list(anchored([*PARENT[:2], *others, rest]))[-1] is rest


def test_calls_without_anatomy_pass_by():
    plain = msgspec.structs.replace(call("1", "a", 0), anatomy=None)

    assert list(anchored([plain, plain])) == [plain, plain]
