"""`modicum.compare`: arms on the same tasks, as `modicum compare` shows them."""

from collections.abc import Mapping, Sequence

import msgspec

from modicum.calls import Problem, UserError
from modicum.calls.errors import accepted_are
from modicum.experiments.comparison import ArmComparison
from modicum.experiments.comparison import compare as compare_results
from modicum.experiments.comparison_pairs import ComparisonRules
from modicum.importers.task_results.read_results import read_task_results
from modicum.importers.task_results.result_format import ROLES, ResultOptions
from modicum.library.paths import Paths, as_paths
from modicum.library.result_files import expand_result_files


def compare(
    files: Paths,
    arms: Sequence[str] = (),
    *,
    by: str = "",
    baseline: str = "",
    outcome: str = "",
    columns: Mapping[str, str] | None = None,
    margin: float = 0.05,
    passing: float = 1.0,
    score_max: float = 1.0,
    repeats: int | None = None,
) -> ArmComparison:
    """Which of several arms reaches more, or takes less, on the same tasks.

    Args:
        files: results, or folders of them: tables with a row a run (CSV, JSON lines), or what Inspect, promptfoo,
            lm-eval, SWE-bench or tau2-bench wrote.
        arms: which, in this order; all where empty.
        by: what names the arms: `file`, `model`, `agent`, `prompt`, or a column.
        baseline: the arm beside which the others are put; empty: the first.
        outcome: the column, score or metric that grades a run.
        columns: column by role, such as `{"task": "case", "cost": "usd"}`.
        margin: a loss of success up to this share counts as the same.
        passing: the least outcome that is a success.
        score_max: the greatest outcome of the source.
        repeats: k of pass^k; None: the runs that every task has.

    Raises:
        UserError: there is no such file, arm or role, or nothing that can be compared.
    """
    named = dict(columns or {})
    for role in named:
        if role not in ROLES:
            raise UserError(f"there is no role '{role}' of a column; {accepted_are(ROLES)}")
    options = ResultOptions(by=by, outcome=outcome, columns=named)
    found = list(read_task_results(expand_result_files(as_paths(files)), options))
    problems = [one for one in found if isinstance(one, Problem)]
    results = [one for one in found if not isinstance(one, Problem)]
    if not results and problems:
        raise UserError(f"nothing can be compared: {problems[0]}")
    rules = ComparisonRules(margin=margin, passing=passing, score_max=score_max, repeats=repeats)
    comparison = compare_results(results, rules, names=arms, baseline=baseline)
    return msgspec.structs.replace(comparison, remarks=[*map(str, problems), *comparison.remarks])
