from decimal import Decimal

from modicum.experiments.comparison_ledger import results_of_ledger


def row(task, name="opus", case="c1", **fields):
    return {
        "name": name,
        "task": task,
        "case_name": case,
        "calls": 2,
        "calls_uncounted": 0,
        "calls_unpriced": 0,
        "calls_endless": 0,
        "prompt_tokens": 100,
        "completion_tokens": 10,
        "cost_usd": Decimal("0.5"),
        "seconds": 3.0,
        "value_low": 1.0,
        "value_high": 1.0,
        **fields,
    }


def test_a_task_is_a_run_of_its_case():
    (found,) = results_of_ledger([row("t1")], "model", "tag:case").results

    assert (found.arm, found.task, found.run_id, found.outcome) == ("opus", "c1", "t1", 1.0)
    assert (found.prompt_tokens, found.total_tokens, found.cost_usd, found.seconds) == (100, 110, 0.5, 3.0)
    assert found.joules is None


def test_what_some_calls_do_not_say_is_unknown():
    rows = [row("t1", calls_uncounted=1, calls_unpriced=1, calls_endless=1, value_low=None, value_high=None)]

    (found,) = results_of_ledger(rows, "model", "task").results

    assert (found.prompt_tokens, found.total_tokens, found.cost_usd, found.seconds) == (None,) * 4
    assert found.outcome is None


def test_energy_is_known_where_every_call_was_measured():
    rows = [row("t1", joules=7.0, calls_measured=2), row("t2", joules=7.0, calls_measured=1)]

    assert [found.joules for found in results_of_ledger(rows, "model", "task").results] == [7.0, None]


def test_an_outcome_of_two_arms_belongs_to_neither():
    ledger = results_of_ledger([row("t1"), row("t1", name="haiku")], "model", "task")

    assert ledger.results == []
    assert "1 task worked under more than one model" in ledger.remarks[0]


def test_tasks_that_cannot_be_matched_are_left_out():
    rows = [row("t1", case=""), row("t2"), row("t2", case="c2"), row("t3", name="")]

    ledger = results_of_ledger(rows, "tag:arm", "tag:case")

    assert ledger.results == []
    assert ledger.remarks == [
        "1 task has no tag:arm and is left out.",
        "2 tasks have no tag:case, or several, and cannot be matched; left out.",
    ]


def test_contradictory_outcomes_are_none():
    ledger = results_of_ledger([row("t1", value_low=0.0)], "model", "task")

    assert ledger.results[0].outcome is None
    assert "contradictory" in ledger.remarks[0]
