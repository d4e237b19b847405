from pathlib import Path

import msgspec

from importers.fixture_pairs import CASES
from modicum.calls import Anatomy, Call, SegmentKind
from modicum.importers import format_named
from modicum.importers.anatomy_reading import OWN_ORDER, order_conversations, read_with_listeners
from modicum.importers.format import LogFormat, Reading
from modicum.privacy.tags import seen_in
from modicum.providers.blocks import Block

CASE = next(case for case in CASES if case.parent.name == "claude-code")


def logged_calls():
    calls = format_named("claude-code").read(CASE, Reading(anatomy=True))
    return [item for item in calls if isinstance(item, Call)]


def test_what_only_the_text_shows_is_counted_while_it_passes():
    blocks = [Block(SegmentKind.USER, "write to jane.miller@brightshop.org, please")]

    def read(_, reading):
        segments = reading.segmenter().segments(blocks, "gpt-4o")
        (call, *_) = logged_calls()
        yield msgspec.structs.replace(call, anatomy=Anatomy(0, 0, tuple(segments)), tags={})

    log_format = LogFormat("test", "a test", lambda *_: True, read, "documentation")
    (call,) = read_with_listeners(log_format, Path("a.jsonl"), Reading(anatomy=True))

    assert seen_in(call.tags) == {"email": 1}


def test_a_source_with_its_own_order_keeps_it():
    calls = logged_calls()

    assert "claude-code" in OWN_ORDER
    assert list(order_conversations(calls, None)) == calls
