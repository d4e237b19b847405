import numpy as np
import pytest

from modicum.calls import UserError
from modicum.experiments.canary import CanaryWatch


def play(watch, plan_score, full_score, runs, seed, share=0.2):
    rng = np.random.default_rng(seed)
    for _ in range(runs):
        full = bool(rng.random() < share)
        if watch.record(float(rng.random() < (full_score if full else plan_score)), full_team=full):
            return True
    return False


def test_a_plan_that_does_harm_is_reverted():
    watch = CanaryWatch()

    assert play(watch, plan_score=0.5, full_score=0.9, runs=2000, seed=0)
    assert "reverted after" in watch.reverted


def test_a_plan_that_does_none_stays():
    assert sum(play(CanaryWatch(), 0.8, 0.8, 1000, seed) for seed in range(40)) <= 2


def test_a_reverted_plan_stays_reverted_also_between_processes():
    watch = CanaryWatch()
    play(watch, 0.1, 0.9, 2000, 0)
    again = CanaryWatch.from_json(watch.json())

    assert again == watch
    assert again.record(1.0, full_team=False)


def test_the_interval_narrows_and_starts_knowing_nothing():
    watch = CanaryWatch()
    assert watch.change() == (-1.0, 1.0)

    play(watch, 0.8, 0.8, 3000, 1)

    low, high = watch.change()
    assert low < 0 < high
    assert high - low < 0.5


def test_an_outcome_that_is_no_share_is_refused():
    with pytest.raises(UserError, match="outcome is 3"):
        CanaryWatch().record(3, full_team=True)
