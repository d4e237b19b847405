"""A budget of a trial, held to every order of begun, recorded and lost runs."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modicum.calls import UserError
from modicum.cli.trials.budget import BEGUN, TrialBudget, TrialBudgetReached, plan_budget
from modicum.experiments.trials.saver_trial import TrialRun
from modicum.settings import BudgetSettings, Settings

PER_TASK = {"name": "each-task", "per": "task", "limit_usd": 0.5}


def run(run_id, usd):
    return TrialRun(
        run_id=run_id,
        arm="with",
        task="t",
        outcome=1.0,
        status="ended",
        exit_code=0,
        started_at=datetime(2026, 3, 2, tzinfo=UTC),
        seconds=1.0,
        prompt_tokens=1,
        completion_tokens=1,
        total_tokens=2,
        cost_usd=usd,
    )


def test_a_run_begins_only_if_all_that_it_may_cost_fits(tmp_path):
    budget = TrialBudget(tmp_path, 1.0, 0.4)
    budget.begin("a", [])
    budget.begin("b", [run("a", 0.1)])
    runs = [run("a", 0.1), run("b", 0.4)]
    budget.begin("c", runs)

    assert budget.count_spent(runs) == pytest.approx(0.9)
    with pytest.raises(TrialBudgetReached):
        budget.begin("d", [*runs, run("c", 0.3)])


def test_what_nobody_knows_counts_as_all_that_it_may_have_been(tmp_path):
    budget = TrialBudget(tmp_path, 1.0, 0.4)
    budget.begin("a", [])
    assert budget.count_spent([run("a", None)]) == pytest.approx(0.4)
    budget.begin("lost", [run("a", None)])

    again = TrialBudget(tmp_path, 1.0, 0.4)
    assert again.count_spent([run("a", None)]) == pytest.approx(0.8)
    with pytest.raises(TrialBudgetReached):
        again.begin("lost", [run("a", None)])


def test_a_command_that_never_started_costs_nothing(tmp_path):
    budget = TrialBudget(tmp_path, 1.0, 0.4)
    budget.begin("a", [])
    budget.take_back("a")

    assert budget.count_spent([]) == pytest.approx(0.0)


def test_runs_that_were_made_without_a_budget_count(tmp_path):
    assert TrialBudget(tmp_path, 1.0, 0.4).count_spent([run("old", 0.9), run("older", None)]) == pytest.approx(1.3)


@given(st.lists(st.tuples(st.sampled_from(["ends", "dies", "unknown"]), st.floats(0, 0.25)), max_size=30))
def test_the_truth_never_passes_the_limit(tmp_path_factory, runs):
    """Whatever becomes of runs, what they really cost, each at most what one may, stays within."""
    folder, recorded, truth = tmp_path_factory.mktemp("trial"), [], 0.0
    for number, (end, usd) in enumerate(runs):
        budget = TrialBudget(folder, 1.0, 0.25)
        try:
            budget.begin(f"r{number}", recorded)
        except TrialBudgetReached:
            break
        truth += usd
        if end != "dies":
            recorded.append(run(f"r{number}", usd if end == "ends" else None))

    assert truth <= 1.0


def test_a_run_that_cost_more_than_it_might_ends_the_trial(tmp_path):
    with pytest.raises(UserError, match=r"cost \$0.6000, and \$0.5 is what one may cost"):
        TrialBudget(tmp_path, 1.0, 0.5).check(run("a", 0.6))


def test_a_line_that_cannot_be_read_is_no_0(tmp_path):
    TrialBudget(tmp_path, 1.0, 0.1).begin("a", [])
    path = tmp_path / BEGUN
    path.write_bytes(b"?\n" + path.read_bytes() + b'{"cut')

    with pytest.raises(UserError, match="nobody knows what was spent"):
        TrialBudget(tmp_path, 1.0, 0.1)


def planned(folder, *, budgets=(PER_TASK,), command=("agent",), meter="gateway", usd=5.0, run_usd=None):
    settings = Settings(budget=tuple(BudgetSettings(**one) for one in budgets))
    return plan_budget(settings, folder, list(command), meter, usd, run_usd)


def test_the_gateways_budget_per_task_holds_a_run(tmp_path):
    assert planned(tmp_path).run_usd == 0.5
    assert planned(tmp_path, budgets=(PER_TASK, PER_TASK | {"name": "b", "limit_usd": 0.2})).run_usd == 0.2
    assert planned(tmp_path, run_usd=0.7).run_usd == 0.5
    assert planned(tmp_path, usd=None) is None


def test_a_command_holds_a_run_itself(tmp_path):
    assert planned(tmp_path, meter="output", command=("claude", "--max={budget}"), run_usd=0.2).run_usd == 0.2


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"budgets": ()}, 'add name = "each-task", per = "task"'),
        ({"budgets": (PER_TASK | {"at_limit": "alert"},)}, 'add name = "each-task"'),
        ({"budgets": (PER_TASK | {"team": "a"},)}, 'add name = "each-task"'),
        ({"budgets": (PER_TASK | {"per": "day"},)}, 'add name = "each-task"'),
        ({"run_usd": 0.1}, "the gateway lets a task cost $0.5; lower"),
        ({"usd": 0.4}, "not one fits into --budget 0.4"),
        ({"meter": "output", "run_usd": 0.1}, "a run can be held in two ways"),
        ({"meter": "output", "command": ("a", "{budget}")}, "a run can be held in two ways"),
        ({"usd": None, "run_usd": 0.1}, "belong to --budget"),
        ({"usd": None, "command": ("a", "{budget}")}, "belong to --budget"),
    ],
)
def test_what_holds_no_run_holds_no_trial(tmp_path, fields, words):
    with pytest.raises(UserError) as error:
        planned(tmp_path, **fields)
    assert words in str(error.value)
