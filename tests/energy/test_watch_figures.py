from energy.test_attribution import interval
from modicum.energy.watch_figures import WatchFigures


def test_rates_and_both_energies_per_token_are_given():
    found = WatchFigures.of(
        [interval(0, 5, 1000, tokens=200, prompt=800, steps=50, running=4), interval(5, 10, 500, running=0, busy=0)]
    )

    assert (found.seconds, found.joules, found.mean_watts) == (10, 1500, 150)
    assert (found.tokens_per_second, found.joules_per_generated_token, found.joules_per_token) == (20, 7.5, 1.5)
    assert (found.tokens_per_watt, found.busy_share, found.mean_batch) == (200 / 1500, 0.5, 4)
    assert found.cache_hit_share == 0


def test_without_tokens_energy_per_token_is_unknown():
    found = WatchFigures.of([interval(0, 5, 400, running=0, busy=0)])

    assert (found.joules_per_generated_token, found.tokens_per_watt, found.mean_batch) == (None, None, None)


def test_nothing_measured_is_nothing():
    assert WatchFigures.of([]) is None
