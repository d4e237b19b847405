import msgspec

from modicum.experiments.evaluation.eval_task import EvalRow
from modicum.experiments.evaluation.from_rows import describe_run, results_of_rows, sum_judges

ROW = EvalRow(
    arm="gpt-4o",
    task="t",
    run_id="1",
    outcome=1.0,
    prompt_tokens=1,
    completion_tokens=1,
    total_tokens=2,
    cost_usd=0.25,
    basis="exact",
    seconds=1.0,
)


def test_judges_are_summed_apart():
    judged = msgspec.structs.replace(ROW, judge_cost_usd=0.5)

    assert sum_judges([ROW]) is None
    assert sum_judges([ROW, judged, judged]) == 1.0
    assert results_of_rows([judged])[0].cost_usd == 0.25


def test_what_was_not_run_or_not_graded_is_named():
    ungraded = msgspec.structs.replace(ROW, outcome=None, note="the judge gave no verdict", answered_by="gpt-3")
    remarks = describe_run([ROW, ungraded], 3, {"b answered with status 500": 2}, 1.0)

    assert "3 runs were not made" in remarks[0]
    assert "2 runs have no reply: b answered with status 500" in remarks[1]
    assert remarks[2:] == ["1 run could not be graded: the judge gave no verdict.", "gpt-4o was answered by gpt-3."]
