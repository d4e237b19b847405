import random

import pytest

from modicum.insights.calibrate import CheckedSteps, compare
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


def test_steps_for_the_exact_counter_come_from_many_sessions_and_have_a_limit():
    checked = CheckedSteps(most_chars=1000, most_of_group=2)
    pair = CalibrationPair(10, 20, "one")
    for _ in range(2):
        checked.add("claude", 100, pair, pair)

    assert not checked.has_room("claude", "one", 100)
    assert checked.has_room("claude", "two", 800)
    assert not checked.has_room("claude", "two", 900)
    assert checked.has_room("claude-4.7", "one", 1000)


def test_a_counter_is_checked_beside_the_better_line_on_the_same_steps():
    checked = CheckedSteps()
    for line in steps(1.2):
        exact = CalibrationPair(line.prompt_growth_tokens - 50, line.prompt_growth_tokens, line.group)
        checked.add("claude", 1, line, exact)

    (check,) = checked.check("ctok 1.3.0", {"claude": {"claude-opus-4-6"}}, shipped(1.1))

    assert check.confirmed
    assert check.line_error == pytest.approx(0.025, abs=0.01)
    assert check.models == ("claude-opus-4-6",)


def test_a_counter_that_is_no_better_than_the_line_is_not_confirmed():
    checked = CheckedSteps()
    for at, line in enumerate(steps(1.0)):
        raw_tokens = round(line.raw_tokens * (1.1 if at % 2 else 0.9))
        checked.add("claude", 1, line, CalibrationPair(raw_tokens, line.prompt_growth_tokens, line.group))

    (check,) = checked.check("ctok 1.3.0", {}, shipped(1.1))

    assert not check.confirmed
