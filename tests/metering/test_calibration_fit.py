import random

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modicum.metering.calibration import CalibrationPair
from modicum.metering.calibration_fit import FEWEST_PAIRS, calibrate, check_counter, fit_line


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


def framed_steps(ratio, number=300, seed=4, hidden=()):
    """Steps with what Claude puts around them: 6 tokens, 40 for a tool call, 14 for each parameter."""
    draw = random.Random(seed)  # noqa: S311 - sample data
    pairs = []
    for at in range(number):
        size, calls = draw.randint(20, 6000), draw.choice([0, 1, 1])
        parameters = draw.randint(1, 4) if calls else 0
        growth = round(ratio * size) + 6 + 40 * calls + 14 * parameters + (300 if at % 7 in hidden else 0)
        kind = ("code" if at % 2 else "output") if calls else "prose"
        pairs.append(CalibrationPair(size, growth, f"session {at % 20}", kind, calls, parameters))
    return pairs


def test_the_frame_of_tool_calls_and_parameters_is_found_again():
    found = calibrate(framed_steps(1.15), "claude")

    assert found.ratio == pytest.approx(1.15, rel=0.001)
    assert (found.wrap_tokens, found.tool_call_tokens, found.parameter_tokens) == (
        pytest.approx(6, abs=0.5),
        pytest.approx(40, abs=0.5),
        pytest.approx(14, abs=0.5),
    )


def test_a_kind_with_one_shape_of_steps_has_the_frame_of_all_kinds():
    pairs = [
        pair if pair.content != "code" else msgspec.structs.replace(pair, raw_tokens=max(pair.raw_tokens // 2, 1))
        for pair in framed_steps(1.15)
    ]

    found = calibrate(pairs, "claude", content="prose")

    assert found.ratio == pytest.approx(1.15, rel=0.01)


def test_a_text_that_was_counted_twice_has_no_frame():
    found = calibrate(steps(1.5, 0), "claude-4.7", framed=False)

    assert found.ratio == pytest.approx(1.5, rel=0.01)
    assert found.wrap_tokens == found.tool_call_tokens == found.parameter_tokens == 0


def test_an_exact_counter_is_confirmed_and_its_error_on_long_steps_is_given_apart():
    check = check_counter(framed_steps(1.0, hidden=(3,)), 0.05, "claude", "ctok 1.3.0", ["a"])

    assert check.confirmed
    assert check.ratio == pytest.approx(1, abs=0.001)
    assert check.error < 0.002
    assert check.error_long < check.error + 0.001
    assert (check.steps, check.groups, check.models) == (300, 20, ("a",))


def test_a_counter_of_another_tokenizer_is_not_confirmed():
    check = check_counter(framed_steps(1.3), 0.05, "claude", "ctok 1.3.0")

    assert check.ratio == pytest.approx(1.3, rel=0.01)
    assert not check.confirmed


def test_too_few_steps_check_nothing():
    assert check_counter(framed_steps(1.0, number=FEWEST_PAIRS - 1), 0.05, "claude", "ctok 1.3.0") is None


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
