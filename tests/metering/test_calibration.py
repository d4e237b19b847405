import random

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modicum.calls import Basis, UserError
from modicum.metering.calibration import (
    FEWEST_PAIRS,
    SHIPPED,
    Calibration,
    CalibrationPair,
    Calibrations,
    calibrate,
    find_family,
    fit_line,
    load,
    save,
)


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


def made(**changes):
    fields = {"family": "claude", "ratio": 1.2, "error": 0.05, "pairs": 100, "groups": 10, "method": "by hand"}
    return Calibration(**fields | changes)


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


@pytest.mark.parametrize(
    ("model", "family"),
    [
        ("claude-3-haiku-20240307", "claude"),
        ("claude-sonnet-4-20250514", "claude"),
        ("us.anthropic.claude-opus-4-5-20251101-v1:0", "claude"),
        ("anthropic/claude-opus-4.6", "claude"),
        ("claude-opus-4-7", "claude-4.7"),
        ("claude-haiku-5-5", "claude-4.7"),
        ("claude-mythos-preview", "claude-4.7"),
        ("claude-2.1", "claude-2"),
        ("google/gemini-2.5-pro", "gemini"),
        ("deepseek-v3.2", "deepseek"),
        ("7b", "7b"),
    ],
)
def test_models_with_one_tokenizer_are_one_family(model, family):
    assert find_family(model).name == family


def test_a_public_tokenizer_needs_no_calibration():
    count = Calibrations().convert(1000, "gpt-4o")

    assert (count.tokens, count.error, count.most_tokens) == (1000, 0.0, 1000)


def test_a_calibrated_count_has_the_error_of_its_calibration():
    known = Calibrations(shipped=[made(ratio=1.2, error=0.05, error_whole=0.1)])

    count = known.convert(1000, "claude-opus-4-6", "code")

    assert (count.tokens, count.basis, count.error, count.most_tokens) == (1200, Basis.ESTIMATED, 0.05, 1320)


def test_the_kind_of_content_goes_before_any_content():
    known = Calibrations(shipped=[made(ratio=1.2), made(ratio=1.1, content="code")])

    assert known.convert(1000, "claude-opus-4-6", "code").tokens == 1100
    assert known.convert(1000, "claude-opus-4-6", "prose").tokens == 1200


def test_ones_own_records_stand_above_all_that_is_shipped():
    known = Calibrations([made(ratio=1.5)], shipped=[made(ratio=1.2), made(ratio=1.1, content="code")])

    count = known.convert(1000, "claude-opus-4-6", "code")

    assert count.tokens == 1500
    assert "your own records" in count.known_by


def test_a_newer_tokenizer_has_no_stated_error_and_the_vendors_upper_bound():
    count = Calibrations(shipped=[made(ratio=1.2)]).convert(1000, "claude-opus-4-7")

    assert (count.tokens, count.error, count.most_tokens) == (1200, None, 1620)
    assert "not measured" in count.known_by


def test_a_model_nobody_measured_is_counted_plainly_and_says_so():
    count = Calibrations().convert(1000, "grok-4")

    assert (count.tokens, count.error) == (1000, None)
    assert "not measured for grok" in count.known_by


def test_saved_calibrations_are_loaded_again(tmp_path):
    path = tmp_path / "new folder" / "calibrations.json"
    save([made(), made(content="code")], path)

    assert load(path) == [made(), made(content="code")]
    assert [file.name for file in path.parent.iterdir()] == ["calibrations.json"]


def test_no_file_holds_no_calibrations(tmp_path):
    assert load(tmp_path / "none.json") == []


def test_a_damaged_file_is_named(tmp_path):
    path = tmp_path / "calibrations.json"
    path.write_text('{"calibrations": [{"family": 1}]}')

    with pytest.raises(UserError, match="calibrations"):
        load(path)


def test_the_shipped_calibrations_have_errors_and_the_pairs_behind_them():
    shipped = load(SHIPPED)

    assert {one.family for one in shipped} == {"claude", "gemini"}
    assert all(0 < one.error < 0.1 and one.pairs > 300 and one.groups > 30 for one in shipped)
