import pytest

from modicum.energy.outcomes import joules_per_outcome, outcomes_per_kwh, summed, watt_hours


def test_outcomes_per_kilowatt_hour_and_back():
    assert outcomes_per_kwh(12, 3.6e6) == 12
    assert joules_per_outcome(12, 3.6e6) == 300_000
    assert watt_hours(7200) == 2


@pytest.mark.parametrize("joules", [None, 0.0])
def test_unknown_energy_is_not_free(joules):
    assert outcomes_per_kwh(12, joules) is None


def test_energy_without_an_outcome_has_no_ratio():
    assert outcomes_per_kwh(0, 3.6e6) == 0
    assert joules_per_outcome(0, 3.6e6) is None


def test_calls_that_nobody_measured_are_counted_and_not_added_as_zero():
    assert summed([1.0, None, 2.0]) == (3.0, 1)
    assert summed([None]) == (None, 1)
