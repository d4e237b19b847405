import pytest

from modicum.cli.inputs.token_measures import format_error, load_measures, models_or_default
from modicum.insights.count import DEFAULT_MODELS
from modicum.metering.calibration import Calibration, save


def test_models_are_those_that_were_named_each_once_or_the_default_ones():
    assert models_or_default(("gpt-5", "gpt-4o", "gpt-5")) == ("gpt-5", "gpt-4o")
    assert models_or_default(()) == DEFAULT_MODELS


@pytest.mark.parametrize(("error", "text"), [(None, "unknown"), (0.0, "exact"), (0.0423, "4.2 %")])
def test_an_error_is_shown_as_what_it_is(error, text):
    assert format_error(error) == text


def test_ones_own_calibrations_are_taken_from_the_data_folder(tmp_path, monkeypatch):
    monkeypatch.setattr("modicum.library.counts.data_folder", lambda: tmp_path)
    own = Calibration(family="claude", ratio=1.5, error=0.1, pairs=50, groups=5, method="by hand")
    save([own], tmp_path / "calibrations.json")

    assert load_measures(None).calibrations.convert(100, "claude-opus-4-6").tokens == 150
