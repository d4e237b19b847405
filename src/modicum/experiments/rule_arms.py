"""What chosen rules did, by their hold-outs: the tasks that have a rule beside those that are held out of it, graded as
an experiment is.

The gateway draws the arms by task and writes both into each call's tags, whether the rule acts on the call or not.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

import msgspec

from modicum.experiments.experiment import Arm, ChangeKind, Experiment
from modicum.experiments.gate import Verdict
from modicum.experiments.grading import Grade, TrialTask, grade
from modicum.ledger.rows import Row
from modicum.ledger.store import Store
from modicum.optimizers.rule_choice import HELD_OUT_TAG, ON_TRIAL_TAG

LEAST_SHARE = 0.01
NO_LOT = "the settings hold no task out of it now, so its lot is taken from the tasks themselves"
NO_OUTCOME = "no outcome grades these tasks: dollars and tokens alone are compared"


class RuleArms(msgspec.Struct, frozen=True, kw_only=True):
    """One rule and its two arms."""

    experiment: Experiment
    """Of which the rule's tasks are graded: it was never started, its lot is the settings'."""
    grade: Grade
    note: str
    """Where the settings hold no task out now; empty: they do."""
    tasks_of_both: int
    """Whose calls name both arms (the settings changed meanwhile): in neither."""

    @property
    def rule(self) -> str:
        return self.experiment.subject


def report_rules(
    store: Store,
    span: tuple[datetime, datetime],
    hold_outs: Mapping[str, float],
    *,
    outcome: str = "",
    margin: float = 0.05,
) -> list[RuleArms]:
    """Every rule that any task of the time was on trial for, by name.

    Args:
        store: the ledger.
        span: since, until: tasks that began in it.
        hold_outs: the share of tasks that the settings hold out of a rule.
        outcome: by which tasks are graded. Empty: dollars and tokens alone are compared.
        margin: the loss of outcome that is accepted, as a share.
    """
    rows = store.ask(
        "rule_arm_tasks",
        since=span[0],
        until=span[1],
        outcome=outcome,
        with_tag=ON_TRIAL_TAG,
        held_out_tag=HELD_OUT_TAG,
    )
    by_task: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_task[row["task"]].append(row)
    tasks: dict[str, list[TrialTask]] = defaultdict(list)
    of_both: dict[str, int] = defaultdict(int)
    for name, parts in by_task.items():
        if not span[0] <= min(row["began"] for row in parts) < span[1]:
            continue
        with_rules, held_out = _names(parts, "with_rules"), _names(parts, "held_out")
        for rule in with_rules | held_out:
            if rule in with_rules and rule in held_out:
                of_both[rule] += 1
            else:
                tasks[rule].append(_task(name, parts, Arm.CHANGED if rule in with_rules else Arm.HOLD_OUT))
    return [
        _report(rule, tasks[rule], of_both[rule], hold_outs.get(rule, 0.0), _Terms(outcome, margin, span[0]))
        for rule in sorted({*tasks, *of_both})
    ]


class _Terms(NamedTuple):
    outcome: str
    margin: float
    since: datetime


def _report(rule: str, tasks: list[TrialTask], of_both: int, hold_out: float, terms: _Terms) -> RuleArms:
    drawn = sum(task.arm is Arm.HOLD_OUT for task in tasks) / max(1, len(tasks))
    one = Experiment(
        name=rule,
        kind=ChangeKind.RULE,
        subject=rule,
        outcome=terms.outcome,
        margin=terms.margin,
        hold_out=hold_out or min(max(drawn, LEAST_SHARE), 1 - LEAST_SHARE),
        started_at=terms.since,
    )
    found = grade(one, tasks)
    if not terms.outcome and found.verdict is Verdict.GO_ON:
        found = msgspec.structs.replace(found, why=NO_OUTCOME)
    return RuleArms(experiment=one, grade=found, note="" if hold_out else NO_LOT, tasks_of_both=of_both)


def _names(rows: Iterable[Row], column: str) -> set[str]:
    return {name for row in rows for name in row[column].split(",") if name}


def _task(name: str, rows: list[Row], arm: Arm) -> TrialTask:
    calls = sum(int(row["calls"]) for row in rows)
    is_weighed = not any(row["calls_unweighted"] for row in rows)
    is_priced = not any(row["calls_unpriced"] for row in rows)
    return TrialTask(
        task=name,
        arm=arm,
        began=min(row["began"] for row in rows),
        calls=calls,
        calls_failed=sum(int(row["calls_failed"]) for row in rows),
        calls_concerned=calls,
        calls_applied=0,
        effective_tokens=sum(float(row["effective_tokens"]) for row in rows) if is_weighed else None,
        cost_usd=sum(float(row["cost_usd"]) for row in rows) if is_priced else None,
        outcome_low=rows[0]["value_low"],
        outcome_high=rows[0]["value_high"],
    )
