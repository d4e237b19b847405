"""Rules learned from arrays that are made here: one that holds, noise, and what cannot carry a rule."""

import numpy as np
import pytest

from modicum.insights.early_signs.learning import LEAST_ALARMS, MOST_FALSE, EarlyRule, find_alarms, learn
from modicum.insights.early_signs.signs import SIGNS, TaskSigns
from modicum.statistics.proportions import upper_share


def signs_of(counts, repeats):
    """Tasks of so many calls, one after the other, with the running number of repeated results of each call."""
    counts = np.array(counts)
    first = np.concatenate(([0], np.cumsum(counts)[:-1]))
    index = np.concatenate([np.arange(1, count + 1) for count in counts]).astype(float)
    running = {sign: np.zeros(len(index)) for sign in SIGNS}
    running |= {"calls": index, "prompt_tokens": index * 100, "completion_tokens": index * 10}
    running["repeated_results"] = np.concatenate([np.asarray(one, float) for one in repeats])
    began = np.arange(len(counts)) * 60.0
    return TaskSigns([f"t{n}" for n in range(len(counts))], first, counts, began, began + 30, index * 110, running)


def planted(tasks, *, false=0, seed=7):
    """Every third task repeats itself from its third call on and fails; so many others repeat themselves and pass."""
    draw = np.random.default_rng(seed)
    failed = np.arange(tasks) % 3 == 0
    alike = failed.copy()
    alike[draw.choice(np.flatnonzero(~failed), false, replace=False)] = True
    counts = draw.integers(6, 12, tasks)
    repeats = [np.clip(np.arange(count) - 1, 0, None) * bad for count, bad in zip(counts, alike, strict=True)]
    return signs_of(counts, repeats), failed


def learned(signs, failed):
    return learn(signs, np.arange(len(signs.tasks)), failed)


def test_a_sign_that_holds_is_on_and_names_tasks_before_they_end():
    signs, failed = planted(1_500)
    advice = learned(signs, failed)

    assert advice.is_on, advice.why
    assert advice.rule.sign == "repeated_results"
    assert (advice.tasks_learned, advice.held_out.tasks) == (900, 600)
    assert (advice.held_out.alarms, advice.held_out.false_alarms) == (200, 0)
    assert advice.held_out.false_share_upper < MOST_FALSE
    assert advice.held_out.tokens_to_come > 0.5
    assert "at most 1.5 % (95 %)" in advice.why
    alarms = find_alarms(signs, np.arange(6), advice.rule)
    assert (alarms > 0).tolist() == failed[:6].tolist()
    assert alarms.max() <= 3


def test_it_is_off_while_so_many_false_alarms_are_not_ruled_out():
    few = learned(*planted(600))

    assert not few.is_on
    assert few.held_out.false_alarms == 0
    assert f"it takes {LEAST_ALARMS} alarms without a false one" in few.why
    assert LEAST_ALARMS == 149
    assert upper_share(0, 149) < MOST_FALSE < upper_share(0, 148)


def test_a_sign_with_false_alarms_is_off():
    """Some passing tasks look alike in the newer part alone, where they had no say in choosing."""
    signs, failed = planted(1_500)
    failed[1_200:1_260] = False
    advice = learned(signs, failed)

    assert not advice.is_on
    assert advice.held_out.false_alarms == 20
    assert "20 of 200 alarms on 600 newer tasks were false" in advice.why


def test_noise_has_no_rule():
    draw = np.random.default_rng(3)
    counts = draw.integers(5, 40, 1_000)
    repeats = [np.cumsum(draw.random(count) < 0.2) for count in counts]
    advice = learned(signs_of(counts, repeats), draw.random(1_000) < 0.3)

    assert not advice.is_on


def test_noise_is_on_in_few_of_many_histories():
    """The promise is about false alarms; here every alarm is as likely false as any task passes."""
    on = 0
    for seed in range(60):
        draw = np.random.default_rng(seed)
        counts = draw.integers(2, 20, 400)
        repeats = [np.cumsum(draw.random(count) < 0.2) for count in counts]
        on += learned(signs_of(counts, repeats), draw.random(400) < 0.5).is_on

    assert on == 0


@pytest.mark.parametrize(
    ("share", "words"), [(0.0, "none of the older ones failed"), (1.0, "all of the older ones failed")]
)
def test_all_outcomes_equal_tell_nothing_apart(share, words):
    signs, failed = planted(300)
    advice = learned(signs, np.full(len(failed), bool(share)))

    assert (advice.is_on, advice.rule) == (False, None)
    assert words in advice.why


def test_no_outcomes():
    signs, _ = planted(30)

    assert "0 tasks have the outcome" in learn(signs, np.array([], np.int64), np.array([], bool)).why


def test_where_nearly_all_fail_a_rule_must_be_better_than_to_name_them_all():
    signs, failed = planted(3_000)
    failed = failed | (np.arange(3_000) % 500 != 1)
    advice = learned(signs, failed)

    assert advice.is_on is False
    assert "no better than to name them all" in advice.why


def test_an_alarm_must_come_within_its_calls():
    signs = signs_of([6, 6], [[0, 0, 1, 1, 1, 1], [0, 0, 0, 0, 0, 1]])
    rule = EarlyRule(sign="repeated_results", at_least=1, within_calls=5)

    assert find_alarms(signs, np.array([0, 1]), rule).tolist() == [3, 0]
    assert rule.text == "1 tool results that were there before, word for word or more within the first 5 calls"
