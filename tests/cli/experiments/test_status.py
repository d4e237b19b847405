import pytest

from experiments.samples import altered, experiment, tasks
from modicum.cli.experiments.status import print_status, status_document
from modicum.experiments.grading import grade


@pytest.mark.parametrize(
    ("count", "effect", "safe", "lines"),
    [
        (400, 0.0, "", ["verdict: go on: not decided", "more graded tasks find it safe"]),
        (1500, -0.2, "", ["verdict: roll back: it does harm"]),
        (6000, 0.0, "it was", ["found safe: it was", "stop cheaper --keep", "of the hold-out's ("]),
        (30, 0.0, "", ["without an interval: fewer than 20"]),
    ],
)
def test_what_is_shown(count, effect, safe, lines, capsys):
    one = experiment()
    print_status(one, grade(one, tasks(count, effect=effect)), safe)
    shown = capsys.readouterr().out

    assert [line for line in lines if line not in shown] == []


def test_remarks_and_unknown_figures_are_shown_as_such(capsys):
    one = experiment()
    found = grade(one, [altered(task, cost_usd=None, outcome_low=None, outcome_high=None) for task in tasks(50)])
    print_status(one, found, "")

    assert "dollars of a task: unknown: of no task it is known" in capsys.readouterr().out
    assert status_document(one, found)["difference"] is None
    assert status_document(one, found)["cost_usd"]["ratio"] is None
