from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modicum.statistics.repeated_passes import pass_hat_k


@given(st.integers(1, 7), st.data())
def test_it_is_the_share_of_all_choices_of_k_runs_that_all_passed(runs, data):
    passed, k = data.draw(st.integers(0, runs)), data.draw(st.integers(1, runs))
    outcomes = [True] * passed + [False] * (runs - passed)
    choices = list(combinations(outcomes, k))

    found = pass_hat_k([passed], [runs], k)

    assert found.value == pytest.approx(sum(all(choice) for choice in choices) / len(choices))


def test_tasks_that_ran_less_often_say_nothing():
    found = pass_hat_k([4, 2, 1], [4, 4, 1], 4)

    assert (found.tasks_count, found.value) == (2, 0.5)
    assert pass_hat_k([1], [1], 2) is None


def test_one_task_says_nearly_nothing_and_tasks_that_are_all_alike_leave_room():
    one, alike = pass_hat_k([4], [4], 2), pass_hat_k([4] * 10, [4] * 10, 2)
    assert one.low < 0.05
    assert one.high == 1.0
    assert 0.6 < alike.low < 0.75
    with_spread = pass_hat_k([4, 3, 0, 2, 4], [4] * 5, 2)
    assert 0 <= with_spread.low < with_spread.value < with_spread.high <= 1


def test_more_passes_than_runs_are_refused():
    with pytest.raises(ValueError, match="more often than it ran"):
        pass_hat_k([3], [2], 1)
