import pytest

from agents.teams import plan
from modicum.agents.graph import TeamGraph
from modicum.agents.trials import BudgetSpent, TeamRun, Trials
from modicum.calls import UserError

GRAPH = TeamGraph(["a", "b", "c"])


def trials(budget=None, score=1.0, tasks=("t1", "t2")):
    run = TeamRun(answer="x", prompt_tokens=60, completion_tokens=40)
    return Trials(GRAPH, tasks, lambda _task, _guard: run, lambda _task, _run: score, budget)


def test_every_token_is_counted_and_tasks_begin_anew():
    seen = []
    made = Trials(GRAPH, ["t1", "t2"], lambda task, _: seen.append(task) or TeamRun("x", 60, 40), lambda *_: 1.0)

    for _ in range(3):
        made.next(plan())

    assert seen == ["t1", "t2", "t1"]
    assert (made.trials_count, made.tokens_spent) == (3, 300)


def test_the_budget_ends_it():
    made = trials(budget=150)

    made.next(plan())
    made.next(plan())
    with pytest.raises(BudgetSpent):
        made.next(plan())
    assert made.tokens_spent == 200


@pytest.mark.parametrize(("fields", "says"), [({"tasks": ()}, "no tasks"), ({"budget": 0}, "allows no run")])
def test_nothing_to_learn_with_is_an_error(fields, says):
    with pytest.raises(UserError, match=says):
        trials(**fields)


def test_a_score_that_is_no_share_is_refused():
    with pytest.raises(UserError, match="score function gave 12"):
        trials(score=12).next(plan())
