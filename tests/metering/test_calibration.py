import pytest

from modicum.calls import Basis, UserError
from modicum.metering.calibration import (
    SHIPPED,
    Calibration,
    Calibrations,
    find_family,
    load,
    save,
)


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
