import pytest
from hypothesis import given
from hypothesis import strategies as st

from energy.law_points import dense, made
from modicum.calls import UserError
from modicum.energy.step_law import StepLaw
from modicum.energy.whatif import LoadChange, Workload, find_power_cap, what_if

LAW = StepLaw(per_token=0.07, per_step=3.1, per_prompt_token=0.02)
BASE = Workload(prompt_tokens=1000, output_tokens=200, batch=8)


def test_shorter_outputs_save_their_part():
    found = what_if(LAW, BASE, LoadChange(output_cut=0.5))

    assert found.before_joules == pytest.approx(20 + 200 * (0.07 + 3.1 / 8))
    assert found.after_joules == pytest.approx(20 + 100 * (0.07 + 3.1 / 8))


def test_a_larger_batch_shares_the_steps():
    found = what_if(LAW, BASE, LoadChange(batch=32), [1.0, 64.0])

    assert found.by_part["steps"] == pytest.approx((200 * 3.1 / 8, 200 * 3.1 / 32))
    assert found.remarks == ()


def test_cached_and_missing_prompt_tokens_are_not_computed():
    assert what_if(LAW, BASE, LoadChange(cached_share=0.6)).by_part["prompt"] == pytest.approx((20, 8))
    assert what_if(LAW, BASE, LoadChange(input_cut=0.4)).by_part["prompt"] == pytest.approx((20, 12))


@given(st.floats(0, 0.99), st.floats(0, 0.99), st.floats(8, 512))
def test_asking_for_less_never_costs_more(input_cut, output_cut, batch):
    assert what_if(LAW, BASE, LoadChange(input_cut, output_cut, batch)).saving >= -1e-12


def test_a_batch_outside_of_the_measurements_is_remarked():
    assert "outside the measured range (1 to 64)" in what_if(LAW, BASE, LoadChange(batch=500), [1.0, 64.0]).remarks[0]


def test_prompts_whose_cost_is_not_known_are_refused():
    with pytest.raises(UserError, match="two prompt lengths"):
        what_if(StepLaw(0.07, 3.1), BASE, LoadChange(input_cut=0.4))


def test_prompts_that_cost_too_little_to_be_seen_are_remarked():
    found = what_if(StepLaw(0.07, 3.1, per_prompt_token=0.0), BASE, LoadChange(input_cut=0.4))

    assert found.saving == 0
    assert "too small to be measured" in found.remarks[0]


@pytest.mark.parametrize("change", [LoadChange(output_cut=1.0), LoadChange(input_cut=-0.1), LoadChange(batch=0.5)])
def test_changes_out_of_range_are_refused(change):
    with pytest.raises(UserError):
        what_if(LAW, BASE, change)


def test_a_cap_above_what_is_drawn_does_nothing():
    points = [made(8, 0.455, watts=300.0)]

    found = find_power_cap(points, 8, 500)

    assert found.joules_per_token_after == found.joules_per_token_before
    assert "no effect" in found.reason


def test_a_cap_that_was_measured_is_looked_up():
    points = [made(8, 0.455, watts=480.0), made(8, 0.41, watts=400.0, limit=400.0, speed=950.0)]

    found = find_power_cap(points, 8, 400)

    assert (found.joules_per_token_before, found.joules_per_token_after) == (0.455, 0.41)
    assert found.speed_after == 950.0


def test_a_cap_that_would_bite_and_was_not_measured_is_refused():
    with pytest.raises(UserError, match="bench again"):
        find_power_cap([made(8, 0.455, watts=480.0)], 8, 400)
    with pytest.raises(UserError, match="nothing was measured at concurrency 7; measured: 1, 2"):
        find_power_cap(dense((1, 2)), 7, 400)
