import numpy as np
import pytest

from modicum.calls import UserError
from modicum.experiments.canary import CanaryWatch, adapted_share, findable_losses


def play(watch, plan_score, full_score, runs, seed, base=0.05):
    rng = np.random.default_rng(seed)
    for _ in range(runs):
        share = watch.canary_share(base)
        full = bool(rng.random() < share)
        outcome = float(rng.random() < (full_score if full else plan_score))
        if watch.record(outcome, full_team=full, share=share):
            return True
    return False


def test_a_plan_that_loses_ten_points_is_reverted_within_the_runs_that_are_promised():
    """The old interval, with a fixed share, found them in 3 % of series of 4,000 runs."""
    [promised] = [one.runs for one in findable_losses(0.95) if one.loss == 0.1]
    watches = [CanaryWatch() for _ in range(6)]

    caught = [play(watch, 0.85, 0.95, promised, seed) for seed, watch in enumerate(watches, start=10)]

    assert sum(caught) >= 5
    assert "reverted after" in watches[0].reverted
    assert "(95 %: -" in watches[0].reverted


def test_a_plan_that_does_none_stays():
    assert sum(play(CanaryWatch(), 0.8, 0.8, 300, seed) for seed in range(20)) <= 1


def test_the_share_adapts_to_what_is_known():
    assert adapted_share(0.05, 0, 0.0) == 0.5
    assert adapted_share(0.05, 5_000, -2.0) == 0.05
    assert adapted_share(0.05, 5_000, 0.1) == 0.2
    assert adapted_share(0.05, 5_000, 1.0) == 0.5
    assert adapted_share(0.6, 5_000, 1.0) == 0.6
    # The same for all workers over a hundred runs.
    assert adapted_share(0.05, 799, -1.0) == adapted_share(0.05, 700, -1.0) > adapted_share(0.05, 800, -1.0)


def test_a_plan_without_canaries_is_not_watched_and_a_reverted_one_not_any_more():
    assert CanaryWatch().canary_share(0.0) == 0.0
    assert CanaryWatch(reverted="it did harm").canary_share(0.05) == 0.05


def test_a_reverted_plan_stays_reverted_also_between_processes():
    watch = CanaryWatch()
    play(watch, 0.1, 0.9, 2000, 0)
    again = CanaryWatch.from_json(watch.json())

    assert again == watch
    assert again.record(1.0, full_team=False, share=0.5)


def test_the_interval_narrows_and_starts_knowing_nothing():
    watch = CanaryWatch()
    assert watch.change() == (-1.0, 1.0)

    play(watch, 0.8, 0.8, 1500, 1, base=0.5)

    low, high = watch.change()
    assert low < 0 < high
    assert high - low < 0.4


def test_drift_of_the_traffic_is_no_harm():
    """Tasks grow harder while the share falls: means of the arms differ, the arms do not."""
    rng, watch = np.random.default_rng(3), CanaryWatch()
    for number in range(800):
        share = watch.canary_share(0.05)
        full = bool(rng.random() < share)
        watch.record(float(rng.random() < 0.95 - 0.7 * number / 800), full_team=full, share=share)

    assert watch.plan.mean < watch.full.mean - 0.05
    assert not watch.reverted


@pytest.mark.parametrize(
    ("outcome", "share", "says"), [(3, 0.5, "outcome is 3"), (1, 0.0, "share of 0.0 leaves no lot")]
)
def test_what_is_no_share_is_refused(outcome, share, says):
    with pytest.raises(UserError, match=says):
        CanaryWatch().record(outcome, full_team=True, share=share)
