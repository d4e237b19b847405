import json

import pytest

from modicum.calls import Basis, UserError
from modicum.metering.calibration import (
    SHIPPED,
    Calibration,
    CalibrationPair,
    Calibrations,
    find_family,
    load,
    load_file,
    save,
)
from modicum.metering.claude_tokens import CounterCheck


def made(**changes):
    fields = {"family": "claude", "ratio": 1.2, "error": 0.05, "pairs": 100, "groups": 10, "method": "by hand"}
    return Calibration(**fields | changes)


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


def test_saved_checks_are_loaded_again(tmp_path):
    fields = {"ratio": 1.0, "error": 0.005, "error_long": None, "error_whole": None, "line_error": 0.05}
    check = CounterCheck(family="claude", counter="ctok 1.3.0", steps=99, groups=9, **fields)
    save([made()], tmp_path / "calibrations.json", checks=[check])

    assert load_file(tmp_path / "calibrations.json").checks == [check]


def test_a_file_of_the_version_before_is_read(tmp_path):
    path = tmp_path / "calibrations.json"
    line = {"family": "claude", "ratio": 1.2, "error": 0.05, "pairs": 100, "groups": 10, "method": "by hand"}
    path.write_text(json.dumps({"calibrations": [line], "made_by": "modicum calibrate"}))

    assert load_file(path).calibrations == [made()]
    assert load_file(path).checks == []


def test_no_file_holds_no_calibrations(tmp_path):
    assert load(tmp_path / "none.json") == []


def test_a_damaged_file_is_named(tmp_path):
    path = tmp_path / "calibrations.json"
    path.write_text('{"calibrations": [{"family": 1}]}')

    with pytest.raises(UserError, match="calibrations"):
        load(path)


def test_the_shipped_calibrations_have_errors_and_the_pairs_behind_them():
    shipped = load(SHIPPED)

    assert {one.family for one in shipped} == {"claude", "claude-4.7", "gemini"}
    assert all(0 < one.error < 0.12 and one.pairs > 300 and one.groups > 30 for one in shipped)


def test_the_shipped_lines_of_old_and_new_claude_models_are_told_apart():
    known = Calibrations()
    for content in ("", "code", "prose", "output", "search"):
        older, newer = known.find("claude", content)[0], known.find("claude-4.7", content)[0]
        assert 1.25 < newer.ratio / older.ratio < 1.45
        assert newer.counted_by.startswith("ctok ")

    count = known.convert(1000, "claude-opus-5-5")
    assert count.error == pytest.approx(0.075, abs=0.01)
    assert "rebuilds this tokenizer" in count.known_by


def test_a_step_is_predicted_with_its_frame():
    line = made(ratio=1.2, wrap_tokens=6.0, tool_call_tokens=40.0, parameter_tokens=14.5)

    assert line.predict_growth(CalibrationPair(100, 0)) == 126
    assert line.predict_growth(CalibrationPair(100, 0, tool_calls=1, parameters=2)) == 195


def test_a_line_made_for_the_very_text_stands_above_ones_own():
    known = Calibrations([made(ratio=1.5), made(ratio=1.4, content="code")], shipped=[made(ratio=1.2)])

    closer = known.overlaid([made(ratio=1.1, content="code", counted_by="ctok 9")])

    assert closer.convert(1000, "claude-opus-4-6", "code").tokens == 1100
    assert "corrected by ctok 9" in closer.convert(1000, "claude-opus-4-6", "code").known_by
    assert closer.convert(1000, "claude-opus-4-6").tokens == 1500
    assert known.convert(1000, "claude-opus-4-6", "code").tokens == 1400
