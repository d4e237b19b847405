from datetime import UTC, datetime

import msgspec

from modicum.calls import Anatomy, Call, Segment, SegmentKind, Usage
from modicum.context.secret_scan import SecretScan
from modicum.context.segmenter import Segmenter
from modicum.metering.digests import Digester
from modicum.providers.blocks import Block


def call(*digests):
    added = tuple(Segment(SegmentKind.USER, 5, digest) for digest in digests)
    started = datetime(2026, 1, 1, tzinfo=UTC)
    return Call(
        call_id="c", source="s", provider="", model="m", started=started, usage=Usage(), anatomy=Anatomy(0, 0, added)
    )


def test_a_call_is_told_what_its_new_segments_hold_and_never_the_values():
    scan = SecretScan()
    segmenter = Segmenter(Digester(b""), listener=scan)
    texts = "ada@engine.org and bob@engine.org", "nothing to see"
    mail, plain = segmenter.segments([Block(SegmentKind.USER, text) for text in texts], "m")

    assert scan.tagged(call(mail.digest, plain.digest)).tags == {"seen.email": "2"}
    assert scan.tagged(call(plain.digest)).tags == {}


def test_a_call_without_anatomy_stays_as_it_is():
    bare = msgspec.structs.replace(call(), anatomy=None)

    assert SecretScan().tagged(bare) is bare
