from datetime import UTC, datetime

from modicum.calls import Anatomy, Basis, Call, Segment, SegmentKind, Usage
from modicum.context.calibration_pairs import growth_pairs
from modicum.metering.calibration import CalibrationPair


def call(prompt, kept, *tokens, model="gemini-2.5-pro", basis=Basis.ESTIMATED, **fields):
    added = tuple(Segment(SegmentKind.USER, count, basis=basis) for count in tokens)
    told = {"source": "test", "provider": "google", "started": datetime(2026, 2, 3, tzinfo=UTC), "task": "t"}
    return Call(call_id="c", model=model, usage=Usage(prompt), anatomy=Anatomy(kept, 0, added), **(told | fields))


def test_what_was_appended_stands_beside_the_growth_that_the_provider_counted():
    pairs = list(growth_pairs([call(1000, 0, 700), call(1240, 1, 150, 50), call(1300, 3, 40)]))

    assert pairs == [
        ("gemini-2.5-pro", CalibrationPair(200, 240, "t")),
        ("gemini-2.5-pro", CalibrationPair(40, 60, "t")),
    ]


def test_breaks_other_models_and_uncounted_blocks_are_left_out():
    first = call(1000, 0, 700)

    assert list(growth_pairs([first, call(1240, 0, 900)])) == []
    assert list(growth_pairs([first, call(1240, 1, 200, model="gemini-3-pro")])) == []
    assert list(growth_pairs([first, call(1240, 1, 200, basis=Basis.UNKNOWN)])) == []
    assert list(growth_pairs([first, call(900, 1, 200)])) == []
    assert list(growth_pairs([first, call(1240, 1, 200, usage_basis=Basis.ESTIMATED)])) == []


def test_conversations_do_not_mix():
    calls = [
        call(1000, 0, 700, conversation="a"),
        call(5000, 0, 9, conversation="b"),
        call(1100, 1, 80, conversation="a"),
    ]

    assert [pair for _, pair in growth_pairs(calls)] == [CalibrationPair(80, 100, "t")]
