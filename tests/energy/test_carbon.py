import pytest

from modicum.calls import UserError
from modicum.energy.carbon import Facility, divide


def test_without_factors_only_the_gpu_is_counted_and_carbon_is_unknown():
    plain = Facility()

    assert plain.kilowatt_hours(3.6e6, 100) == 1.0
    assert plain.grams_co2(3.6e6, 100) is None
    assert plain.covers == "GPU"


def test_machine_site_and_grid_are_multiplied_in():
    site = Facility(pue=1.2, node_watts=1000, grid_grams_per_kwh=56)

    assert site.kilowatt_hours(3.6e6, 3600) == pytest.approx(2.4)
    assert site.grams_co2(3.6e6, 3600) == pytest.approx(134.4)
    assert site.covers == "GPU + rest of the machine + site"


def test_a_grid_without_carbon_is_zero_and_not_unknown():
    assert Facility(grid_grams_per_kwh=0).grams_co2(1e6, 1) == 0


@pytest.mark.parametrize("bad", [Facility(pue=0.9), Facility(node_watts=-1), Facility(grid_grams_per_kwh=-1)])
def test_factors_out_of_range_are_refused(bad):
    with pytest.raises(UserError):
        bad.check()


def test_energy_and_carbon_are_divided_by_requests_or_outcomes_by_a_named_method():
    found = divide(0.5, 28.0, 4)

    assert (found.joules, found.grams_co2) == (450_000, 7)
    assert "SCI" in found.method
    assert divide(0.5, None, 4).grams_co2 is None
    assert divide(0.5, 28.0, 0) is None
