import numpy as np

from modicum.experiments.gate import (
    failed_calls_harm,
    find_first_verdicts,
    measure_effect,
    plan_tasks,
)


def drawn(count, seed, *, base=0.8, effect=0.0, share=0.5):
    random = np.random.default_rng(seed)
    changed = random.random(count) < share
    return (random.random(count) < base + effect * changed).astype(float), changed


def test_a_loss_of_the_margin_is_seldom_found_safe_and_no_loss_is_seldom_rolled_back():
    safe = [find_first_verdicts(*drawn(2000, seed, effect=-0.05), 0.5, 0.05).safe for seed in range(100)]
    back = [find_first_verdicts(*drawn(2000, seed), 0.5, 0.05).roll_back for seed in range(100)]

    assert sum(found is not None for found in safe) <= 5
    assert sum(found is not None for found in back) <= 5


def test_harm_is_found_and_no_harm_becomes_safe():
    harm = [find_first_verdicts(*drawn(3000, seed, effect=-0.1), 0.5, 0.05).roll_back for seed in range(40)]
    safe = [find_first_verdicts(*drawn(8000, seed), 0.5, 0.05).safe for seed in range(20)]

    assert sum(found is not None for found in harm) >= 36
    assert sum(found is not None for found in safe) >= 18


def test_few_tasks_with_a_great_harm_are_enough():
    values = np.array([0.0, 1.0] * 25)
    effect = measure_effect(values, values == 0, 0.5, 0.05)

    assert effect.is_harm(0.05)
    assert effect.high < 0
    assert not effect.is_safe
    assert effect.more_tasks_until_harm == 0


def test_a_loss_within_the_margin_is_not_rolled_back_by_it_alone():
    values, changed = drawn(200_000, 1, effect=-0.02)
    effect = measure_effect(values, changed, 0.5, 0.05)

    assert effect.high < 0
    assert not effect.is_harm(0.05)
    assert effect.is_safe


def test_one_arm_alone_says_nothing():
    assert measure_effect(np.ones(5), np.ones(5, dtype=bool), 0.5, 0.05) is None
    assert measure_effect(np.array([]), np.array([], dtype=bool), 0.5, 0.05) is None
    assert not failed_calls_harm(np.ones(5), np.ones(5, dtype=bool), 0.5, 0.05)
    assert find_first_verdicts(np.ones(500), np.ones(500, dtype=bool), 0.5, 0.05) == (None, None)


def test_lost_answers_are_harm_and_equal_ones_are_none():
    changed = np.arange(60) % 2 == 0

    assert failed_calls_harm(np.where(changed, 0.0, 1.0), changed, 0.5, 0.05)
    assert not failed_calls_harm(np.full(60, 0.5), changed, 0.5, 0.05)


def test_the_number_of_tasks_needed_is_that_of_simulations():
    planned = plan_tasks(0.8, 0.05, 0.5)
    seen = [find_first_verdicts(*drawn(12_000, seed), 0.5, 0.05).safe or 12_000 for seed in range(30)]

    assert np.median(seen) < planned < 2 * np.quantile(seen, 0.75)
    assert plan_tasks(0.8, 0.02, 0.5) > 4 * planned
    later = measure_effect(*drawn(500, 3), 0.5, 0.05)
    assert later.more_tasks_until_safe > 500
