import random

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modicum.metering.calibration import CalibrationPair
from modicum.metering.calibration_fit import FEWEST_PAIRS, calibrate, fit_line


def steps(ratio, wrap, number=200, sessions=20, seed=1, content=""):
    """Steps whose provider counts `ratio` of our tokens and `wrap` around them, with 3 % of noise."""
    draw = random.Random(seed)  # noqa: S311 - sample data
    sizes = [draw.randint(20, 4000) for _ in range(number)]
    return [
        CalibrationPair(
            size, round((ratio * size + wrap) * draw.uniform(0.97, 1.03)), f"session {at % sessions}", content
        )
        for at, size in enumerate(sizes)
    ]


def test_ratio_and_wrap_are_found_again():
    found = calibrate(steps(ratio=1.15, wrap=70), "claude", models=["b", "a", "b"])

    assert found.ratio == pytest.approx(1.15, rel=0.01)
    assert found.wrap_tokens == pytest.approx(70, rel=0.1)
    assert found.error == pytest.approx(0.015, abs=0.005)
    assert (found.pairs, found.groups, found.models) == (200, 20, ("a", "b"))


def test_hidden_reminders_in_every_fifth_step_hardly_move_the_line():
    pairs = [
        msgspec.structs.replace(pair, prompt_growth_tokens=pair.prompt_growth_tokens + 900) if at % 5 == 0 else pair
        for at, pair in enumerate(steps(ratio=1.15, wrap=70))
    ]

    assert calibrate(pairs, "claude").ratio == pytest.approx(1.15, rel=0.03)


def test_the_error_is_that_of_sessions_that_were_not_fitted():
    # Each session has a ratio of its own: within a session the line would be perfect, across sessions it cannot be.
    pairs = [
        pair
        for session, ratio in enumerate([1.0, 1.1, 1.2, 1.3, 1.4] * 3)
        for pair in [
            CalibrationPair(size, round(ratio * size), f"session {session}")
            for size in range(200, 1400, 100)
        ]
    ]  # fmt: skip

    found = calibrate(pairs, "claude")

    assert found.error > 0.05
    assert found.error_whole > 0.1


def test_steps_of_a_kind_are_calibrated_on_their_own():
    pairs = steps(1.1, 50, content="code") + steps(1.3, 50, seed=2, content="prose")

    assert calibrate(pairs, "claude", content="code").ratio == pytest.approx(1.1, rel=0.01)
    assert calibrate(pairs, "claude", content="prose").ratio == pytest.approx(1.3, rel=0.01)


@pytest.mark.parametrize(
    "pairs",
    [
        [],
        steps(1.1, 50, number=FEWEST_PAIRS - 1),
        [CalibrationPair(100, 120, "one")] * 100,
        [CalibrationPair(100 + at, 0, "shrank") for at in range(100)],
        [CalibrationPair(100 + at, 7, str(at)) for at in range(100)],
    ],
    ids=["none", "too few", "all of one size", "contexts that were cut", "growth that is not the text's"],
)
def test_pairs_that_carry_no_line_give_none(pairs):
    assert calibrate(pairs, "claude") is None


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.tuples(st.integers(1, 10_000), st.integers(1, 10_000)), min_size=FEWEST_PAIRS, max_size=60),
)
def test_whatever_the_pairs_a_line_is_plausible_or_there_is_none(sizes):
    found = calibrate([CalibrationPair(ours, theirs, str(at)) for at, (ours, theirs) in enumerate(sizes)], "x")

    assert found is None or (0.2 <= found.ratio <= 5 and found.wrap_tokens >= 0 and found.error >= 0)


def test_a_line_that_would_start_below_nothing_goes_through_the_origin():
    ours = np.array([100.0, 200.0, 300.0, 400.0])

    assert fit_line(ours, 2 * ours - 50) == (pytest.approx(1.875, abs=0.13), 0.0)
