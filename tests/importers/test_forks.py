from datetime import UTC, datetime

import msgspec

from modicum.calls import Anatomy, Call, Segment, SegmentKind, Usage
from modicum.importers.forks import anchored


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


def test_calls_without_anatomy_pass_by():
    plain = msgspec.structs.replace(call("1", "a", 0), anatomy=None)

    assert list(anchored([plain, plain])) == [plain, plain]
