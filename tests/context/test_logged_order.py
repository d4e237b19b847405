from datetime import UTC, datetime

import msgspec

from modicum.calls import Anatomy, Call, Segment, SegmentKind, Usage
from modicum.context.logged_order import LoggedOrder


def call(name, minute, task="t", revision=0):
    return Call(
        call_id=name,
        source="modicum",
        provider="openai",
        model="gpt-4o",
        started=datetime(2026, 1, 1, 0, minute, tzinfo=UTC),
        usage=Usage(),
        task=task,
        revision=revision,
    )


def block(name, kind=SegmentKind.USER):
    return Segment(kind, 1, digest=name.encode())


def test_calls_listed_newest_first_build_on_the_older_ones():
    waiting = LoggedOrder()
    waiting.add(call("second", 2), [block("a"), block("b")])
    waiting.add(call("first", 1), [block("a")])

    first, second = waiting.calls()

    assert (first.call_id, first.anatomy.kept_segments, len(first.anatomy.added)) == ("first", 0, 1)
    assert (second.call_id, second.anatomy.kept_segments, second.anatomy.added) == ("second", 1, (block("b"),))


def test_tasks_do_not_mix():
    waiting = LoggedOrder()
    waiting.add(call("one", 1, task="x"), [block("a")])
    waiting.add(call("two", 2, task="y"), [block("a")])

    assert [found.anatomy.kept_segments for found in waiting.calls()] == [0, 0]


def test_a_changed_system_prompt_is_named_as_the_cause():
    waiting = LoggedOrder()
    waiting.add(call("one", 1), [block("a", SegmentKind.SYSTEM), block("q")])
    waiting.add(call("two", 2), [block("b", SegmentKind.SYSTEM), block("q")])

    assert [found.anatomy.break_cause for found in waiting.calls()] == ["", "system"]


def test_the_fuller_record_of_a_call_stands_and_no_context_is_no_anatomy():
    waiting = LoggedOrder()
    waiting.add(call("one", 1), [])
    waiting.add(call("one", 2, revision=5), [])

    (found,) = waiting.calls()

    assert (found.revision, found.anatomy) == (5, None)


def test_what_happened_before_a_call_stays_with_it():
    waiting = LoggedOrder()
    waiting.add(call("one", 1), [block("a")])
    happened = msgspec.structs.replace(call("two", 2), anatomy=Anatomy(events=("thinking",)))
    waiting.add(happened, [block("a"), block("b")])

    assert [found.anatomy.events for found in waiting.calls()] == [(), ("thinking",)]
