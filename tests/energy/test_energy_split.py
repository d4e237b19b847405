import functools
import math

import pytest

from energy.simulated_server import Truth, bursts, simulate
from modicum.energy.energy_split import fit_split, measure_idle_watts
from modicum.energy.sample_intervals import measure_intervals
from modicum.energy.window_cutter import cut_windows


def found(seconds=1800, seed=1, **load):
    measured = measure_intervals(simulate(Truth(), seconds, seed, **load), "sim")
    return fit_split(measured.intervals, cut_windows(measured.intervals)), measured


@pytest.mark.parametrize("seed", [1, 2])
def test_varying_load_gives_all_four_terms_within_five_per_cent(seed):
    result, _ = found(seed=seed, rate=bursts)

    assert result.idle.value == pytest.approx(75.0, rel=0.05)
    assert result.per_step.value == pytest.approx(2.6, rel=0.05)
    assert result.per_prompt.value == pytest.approx(0.020, rel=0.05)
    assert result.per_generated.value == pytest.approx(0.055, rel=0.05)
    assert result.idle.basis == "measured"
    assert result.window_error < 0.02


def test_prompt_tokens_from_the_cache_cost_nothing():
    result, _ = found(rate=bursts, cached_share=0.8)

    assert result.per_prompt.value == pytest.approx(0.020, rel=0.05)


def test_light_load_that_seldom_stops_gives_idle_by_the_fit():
    result, _ = found(rate=lambda at: 3 + 2 * math.sin(at / 23))

    assert result.idle.basis == "fitted"
    assert result.idle.value == pytest.approx(75.0, abs=3 * result.idle.error)


@pytest.mark.parametrize("closed", [8, 64])
def test_constant_load_leaves_idle_and_steps_open(closed):
    result, _ = found(seconds=600, closed=closed)

    assert result.idle.value is None
    assert result.per_step.value is None
    assert "vary the load" in result.idle.reason


def test_too_few_windows_give_no_split():
    assert found(seconds=40, rate=bursts)[0] is None


def test_without_steps_the_shared_part_is_watts_while_busy():
    import msgspec

    samples = [
        msgspec.structs.replace(s, servers=(msgspec.structs.replace(s.servers[0], steps=None),))
        for s in simulate(Truth(), 900, 1, rate=bursts)
    ]
    measured = measure_intervals(samples, "sim")
    result = fit_split(measured.intervals, cut_windows(measured.intervals))

    assert result.counts_steps is False
    assert result.per_step.unit == "W while busy"


def test_no_prompt_at_all_is_said():
    import msgspec

    samples = [
        msgspec.structs.replace(
            s, servers=(msgspec.structs.replace(s.servers[0], prompt_tokens=0.0, cached_tokens=0.0),)
        )
        for s in simulate(Truth(per_prompt=0.0), 600, 1, rate=bursts)
    ]
    measured = measure_intervals(samples, "sim")

    assert (
        "there was no prompt tokens" in fit_split(measured.intervals, cut_windows(measured.intervals)).per_prompt.reason
    )


def test_idle_power_needs_quiet_time():
    measured = measure_intervals(simulate(Truth(), 120, 1, closed=4), "sim")

    assert measure_idle_watts(measured.intervals) is None


def of(truth, seconds=900, seed=3, expert_share=None, **options):
    """The split of a server of that kind, and what its terms really were."""
    averages = {}
    samples = simulate(truth, seconds, seed, rate=bursts, averages=averages, **options)
    measured = measure_intervals(samples, "sim")
    return fit_split(measured.intervals, cut_windows(measured.intervals), expert_share), averages


def holds(term, value):
    return abs(term.value - value) <= term.error


@functools.cache
def steadily():
    return of(Truth())


DRAFTS = Truth(drafted=3, per_draft=0.03, acceptance=(0.6, 0.25))


def test_drafted_tokens_have_a_term_where_the_server_counts_them():
    result, truth = of(DRAFTS)

    (drafts,) = result.further
    assert (drafts.name, drafts.value) == ("per_drafted_token", pytest.approx(0.03, rel=0.05))
    assert holds(result.per_step, truth["per_step"])
    assert result.deviations == ()
    # Shares of calls carry the drafts with the tokens that came of them.
    assert result.coefficients[3] > result.per_generated.value + drafts.value


def test_drafts_that_nobody_counts_void_the_terms_and_say_what_to_record():
    result, _ = of(DRAFTS, counts_drafts=False)

    assert [term.value for term in result.terms[1:]] == [None] * 3
    assert "counts drafted tokens" in result.per_generated.reason
    assert result.idle.value == pytest.approx(75, rel=0.01)


EXPERTS = Truth(expert_share=8 / 128, per_expert_step=6.0)


def test_experts_have_a_term_where_their_share_is_given():
    result, truth = of(EXPERTS, expert_share=8 / 128)

    (experts,) = result.further
    assert experts.name == "experts_per_step"
    assert holds(experts, 6.0)
    assert holds(result.per_step, truth["per_step"])


@pytest.mark.parametrize("truth", [EXPERTS, Truth(clock_fall=0.2)])
def test_work_that_changes_with_the_load_has_no_figure_and_says_why(truth):
    result, _ = of(truth)

    assert [term.value for term in result.terms[1:]] == [None] * 3
    assert "--experts K/N" in result.per_step.reason or "lock the clocks" in result.per_step.reason
    assert result.deviations[0].voids_terms


def test_a_drift_widens_the_intervals_so_that_they_hold_for_the_mean():
    result, truth = of(Truth(drift=0.2))
    steady, _ = steadily()

    assert "drift" in {one.name for one in result.deviations}
    assert holds(result.per_step, truth["per_step"])
    assert result.per_step.error > 2 * steady.per_step.error


def test_noise_that_lasts_widens_the_intervals_or_asks_for_a_longer_recording():
    slow, _ = of(Truth(slow_noise=0.03, slow_noise_s=20.0))
    steady, _ = steadily()
    lasting, _ = of(Truth(slow_noise=0.03, slow_noise_s=300.0))

    assert slow.noise_memory_s > 15
    assert slow.per_step.error > 3 * steady.per_step.error
    assert "too long for a recording" in lasting.per_step.reason
    assert "s or more" in lasting.per_step.reason
