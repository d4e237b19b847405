import random

import pytest

from modicum.insights.calibrate import compare
from modicum.metering.calibration import Calibration, CalibrationPair, Calibrations


def steps(ratio, content=""):
    draw = random.Random(3)  # noqa: S311 - sample data
    sizes = [draw.randint(50, 4000) for _ in range(100)]
    return [
        CalibrationPair(size, round((ratio * size + 50) * draw.uniform(0.95, 1.05)), f"session {at % 10}", content)
        for at, size in enumerate(sizes)
    ]


def shipped(ratio):
    fields = {"wrap_tokens": 50.0, "error": 0.05, "pairs": 999, "groups": 99, "method": "by hand"}
    return Calibrations(shipped=[Calibration(family="claude", ratio=ratio, **fields)])


def test_own_records_that_say_otherwise_are_used():
    (found,) = compare({"claude": steps(1.3)}, {"claude": {"claude-opus-4-6"}}, shipped(1.1))

    assert found.used
    assert found.own.ratio == pytest.approx(1.3, rel=0.02)
    assert found.own.models == ("claude-opus-4-6",)
    assert found.shipped_error > found.own.error


def test_own_records_that_say_the_same_leave_the_shipped_one():
    (found,) = compare({"claude": steps(1.1)}, {}, shipped(1.1))

    assert not found.used


def test_a_family_without_a_shipped_calibration_gets_one():
    (found,) = compare({"claude-4.7": steps(1.4)}, {}, shipped(1.1))

    assert found.used
    assert found.shipped_error is None


def test_kinds_of_content_are_compared_each_on_its_own_pairs():
    found = compare({"claude": steps(1.1, "code") + steps(1.3, "prose")}, {}, shipped(1.1))

    assert {one.own.content: one.used for one in found if one.own.content} == {"code": False, "prose": True}


def test_too_few_pairs_give_nothing():
    assert compare({"claude": steps(1.1)[:10]}, {}, shipped(1.1)) == []
