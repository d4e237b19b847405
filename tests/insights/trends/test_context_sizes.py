from datetime import UTC, datetime

import numpy as np
import pytest

from insights.planted import Conversation, history_of, said, tool_round, user
from modicum.calls import Outcome
from modicum.insights.trends.context_sizes import CONFOUNDERS, FEWEST_TASKS, sum_by_context_size


def planted(tasks=60, *, harm=0.3, by_model=False):
    """Tasks with small and large contexts; large ones fail more often by `harm`, or because of their model."""
    random = np.random.default_rng(3)
    made, outcomes = [], []
    for number in range(tasks):
        large = number % 2 == 1
        model = "claude-haiku-4-5" if by_model and large == (number % 10 < 8) else "claude-opus-4-5"
        task = Conversation(f"t{number}", model=model).call(user(f"q{number}", 30_000 + 80_000 * large))
        for step in range(4):
            failed = bool(random.random() < (0.5 if step > 1 else 0.1))
            task.call(*tool_round("Bash", f"{number}.{step}", f"{number}.{step}", 500, failed=failed))
        made.append(task.call(said("so"), user("thanks", 5)))
        worse = model != "claude-opus-4-5" if by_model else large
        value = float(random.random() < 0.9 - harm * worse)
        at = datetime(2026, 3, 1, tzinfo=UTC)
        outcomes.append(Outcome(outcome_id=f"o{number}", task=f"t{number}", name="resolved", value=value, time=at))
    return history_of(*made, outcomes=outcomes)


def test_tasks_and_calls_stand_in_the_row_of_their_size():
    found = sum_by_context_size(planted())

    assert [(row.from_tokens, row.tasks, row.calls) for row in found.rows] == [(25_000, 30, 180), (100_000, 30, 180)]
    small, large = found.rows
    assert small.tasks_with_outcome == large.tasks_with_outcome == 30
    assert large.reached_low < large.reached / 30 < large.reached_high
    assert small.calls_per_task == 6
    assert small.tool_results == 120


def test_a_difference_is_shown_with_what_else_may_explain_it():
    found = sum_by_context_size(planted(300))

    assert found.difference == pytest.approx(-0.3, abs=0.1)
    assert found.difference_within == pytest.approx(found.difference)
    assert (found.lacks, found.confounders) == ("", list(CONFOUNDERS))


def test_what_a_model_explains_is_gone_between_tasks_of_one_model():
    found = sum_by_context_size(planted(500, harm=0.6, by_model=True))

    assert abs(found.difference) > 0.2
    assert abs(found.difference_within) < 0.1


def test_failures_within_sessions_are_of_later_calls_there():
    found = sum_by_context_size(planted(200))

    assert found.sessions_within > 100
    assert 0.2 < found.failed_within_low < found.failed_within < found.failed_within_high


def test_without_outcomes_no_difference_is_made_up():
    found = sum_by_context_size(history_of(Conversation().call(user("q", 5000))))

    assert (found.difference, found.failed_within) == (None, None)
    assert f"at least {FEWEST_TASKS} tasks" in found.lacks
