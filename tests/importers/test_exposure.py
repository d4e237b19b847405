from datetime import UTC, datetime

from modicum.calls import Anatomy, Call, Segment, SegmentKind, Usage
from modicum.importers.exposure import Watch
from modicum.importers.format import Reading


def call(*digests):
    added = tuple(Segment(SegmentKind.USER, 5, digest) for digest in digests)
    started = datetime(2026, 1, 1, tzinfo=UTC)
    return Call(
        call_id="c", source="s", provider="", model="m", started=started, usage=Usage(), anatomy=Anatomy(0, 0, added)
    )


def test_a_call_is_told_what_its_new_segments_hold_and_never_the_values():
    watch = Watch(Reading(anatomy=True))
    mail = watch.reading.digest("ada@engine.org and bob@engine.org")
    plain = watch.reading.digest("nothing to see")

    assert watch.told(call(mail, plain)).tags == {"seen.email": "2"}
    assert watch.told(call(plain)).tags == {}


def test_a_call_without_anatomy_stays_as_it_is():
    watch = Watch(Reading())
    bare = call()

    assert watch.told(bare) is bare
