"""E3: what tasks cost that came to nothing."""

import numpy as np

from modicum.insights.finding import Finding, FindingClass
from modicum.insights.history import History
from modicum.insights.segment_costs import most_expensive


def find(history: History) -> Finding:
    values = history.task_values[history.task] if history.task_values is not None else np.full(history.calls, np.nan)
    failed, known = values == 0, ~np.isnan(values)
    tokens = history.prompt + history.output_visible + history.output_reasoning
    spent = float(np.nansum(history.cost_usd[known]))
    usd = float(np.nansum(history.cost_usd[failed]))
    return Finding(
        id="E3",
        name="cost_of_failure",
        title="Spent on tasks that failed",
        what="The whole cost of tasks whose outcomes are all 0.",
        finding_class=FindingClass.INFO,
        calls=int(failed.sum()),
        tokens=int(tokens[failed].sum()),
        gross_usd=usd,
        remedy="modicum yield --by model: what a success costs, failures included, by model and project.",
        guard="This is no saving: nobody knew in advance which task would fail. Tasks without an outcome are left out.",
        examples=most_expensive(history, failed),
        lacks="" if known.any() else "outcomes: add them with 'modicum outcome import' or 'modicum outcome from-git'",
        details={
            "tasks_failed": len(np.unique(history.task[failed])),
            "tasks_with_outcome": len(np.unique(history.task[known])),
            "share_of_cost_with_outcome": usd / spent if spent else 0.0,
        },
    )
