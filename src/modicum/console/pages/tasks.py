"""Tasks: the dearest ones, and one of them call by call."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from modicum.calls import Basis
from modicum.console.asking import Asking
from modicum.console.charts import Mark, Series, draw_lines
from modicum.console.page import Cell, Content, Page, Table, Tile, with_command
from modicum.console.view import View
from modicum.insights.dimensions import shown_name
from modicum.insights.trends.task_timeline import TaskTimeline, build_timeline
from modicum.reports.figures import count, dollars, format_tokens, number_of, share

MOST_TASKS, MOST_CALLS, MOST_REPEATS = 100, 1_000, 20
_BASES = list(Basis)


def read(asking: Asking, view: View) -> Content:
    """The tasks of the view, or the one that the address names."""
    task = view.word("task") or view.scope.where.get("task", "")
    return _read_task(asking, view, task) if task else _list_tasks(asking, view)


def _list_tasks(asking: Asking, view: View) -> Content:
    rows = asking.rows("dearest_tasks", most=MOST_TASKS, **view.scope.parameters)
    if not rows:
        return Content()
    most = float(rows[0]["cost_usd"] or 0)
    table = Table(
        name="tasks",
        title="The dearest tasks",
        most=MOST_TASKS,
        columns=["task", "model", "began", "spent", "calls", "failed", "tokens sent", "cached", "outcome"],
        left=2,
        rows=[_task_row(row, view, most) for row in rows],
        verb=f"modicum bill --by task{view.options()}",
        empty="no call of this view names its task",
    )
    notes = [f"the {MOST_TASKS} dearest are shown"] if len(rows) == MOST_TASKS else []
    return Content(tables=[table], notes=notes, parts={"task": "", "chart": ""})


def _task_row(row: Mapping[str, Any], view: View, most: float) -> Sequence[Cell]:
    cost, unknown = row["cost_usd"], int(row["calls_unpriced"])
    text = "unknown" if cost is None else dollars(cost) + (f" + {unknown:,} unknown" if unknown else "")
    more = f" and {int(row['models']) - 1} more" if row["models"] > 1 else ""
    return [
        Cell(row["task"], href=f"tasks{view.query(task=row['task'])}"),
        Cell(shown_name(row["model"]) + more, row["model"]),
        Cell(_local(row["first_started"], view), row["first_started"].isoformat()),
        Cell(
            text,
            "" if cost is None else cost,
            basis=_BASES[int(row["weakest"])].value,
            part=float(cost) / most if cost and most else None,
        ),
        Cell(count(int(row["calls"])), int(row["calls"])),
        Cell(count(int(row["calls_failed"])) if row["calls_failed"] else "", int(row["calls_failed"])),
        Cell(count(int(row["prompt_tokens"])), int(row["prompt_tokens"])),
        Cell(share(row["cache_read_tokens"], row["prompt_tokens"] or 0), int(row["cache_read_tokens"])),
        Cell(
            "" if row["outcomes"] is None else f"{row['value_sum']:g}",
            "" if row["outcomes"] is None else row["value_sum"],
        ),
    ]


def _read_task(asking: Asking, view: View, task: str) -> Content:
    rows = asking.rows("task_calls", task=task, most=MOST_CALLS)
    if not rows:
        return Content(notes=[f"no call of the ledger is of a task '{task}'"], parts={"task": task, "chart": ""})
    line = build_timeline(rows)
    outcomes = asking.rows("task_outcomes", task=task)
    repeats = asking.rows("task_repeats", task=task, most=MOST_REPEATS)
    notes = [f"its first {MOST_CALLS:,} calls are shown"] if len(rows) == MOST_CALLS else []
    return Content(
        tiles=_task_tiles(line, outcomes),
        notes=notes,
        tables=[_outcome_table(outcomes, view), *_repeat_tables(repeats, view), _call_table(line, view)],
        parts={"task": task, "chart": _draw(line)},
    )


def _task_tiles(line: TaskTimeline, outcomes: Sequence[Mapping[str, Any]]) -> list[Tile]:
    unknown = f"{number_of(line.calls_unpriced, 'call')} of unknown cost not in it" if line.calls_unpriced else ""
    return [
        Tile(label="spent", value=dollars(line.cost_usd), basis=line.basis.value, note=unknown),
        Tile(label="calls", value=count(line.calls_count), note=f"within {line.minutes:,.0f} minutes"),
        Tile(
            label="caches lost",
            value=count(line.breaks),
            note=f"{number_of(line.written_again_tokens, 'token')} written again"
            if line.breaks
            else "no prompt cache broke",
        ),
        Tile(
            label="outcome",
            value=", ".join(f"{row['name']} {row['value']:g}" for row in outcomes[:3]) or "unknown",
            note="" if outcomes else "none is on record",
        ),
    ]


def _draw(line: TaskTimeline) -> object:
    labels = [f"{number}" for number in range(1, len(line.steps) + 1)]
    series = [
        Series("tokens sent", [float(step.prompt_tokens) for step in line.steps]),
        Series("read from cache", [float(step.cache_read_tokens) for step in line.steps]),
    ]
    marks = [
        Mark(number, float(step.cache_read_tokens), step.cause)
        for number, step in enumerate(line.steps)
        if step.lost_cache
    ]
    return draw_lines(labels, series, format_tokens, "Tokens sent and read from the cache, call by call", marks)


def _call_table(line: TaskTimeline, view: View) -> Table:
    return Table(
        name="calls",
        title="Call by call",
        most=MOST_CALLS,
        columns=["began", "model", "agent", "what happened", "spent", "tokens sent", "cached", "tokens received"],
        left=4,
        rows=[
            [
                Cell(_local(step.started, view, seconds=True), step.started.isoformat()),
                Cell(shown_name(step.model), step.model),
                Cell(step.agent or "(main)", step.agent),
                Cell(step.remark),
                Cell(dollars(step.cost_usd), "" if step.cost_usd is None else step.cost_usd, basis=step.basis.value),
                Cell(count(step.prompt_tokens), step.prompt_tokens),
                Cell(share(step.cache_read_tokens, step.prompt_tokens), step.cache_read_tokens),
                Cell(count(step.completion_tokens), step.completion_tokens),
            ]
            for step in line.steps
        ],
    )


def _outcome_table(outcomes: Sequence[Mapping[str, Any]], view: View) -> Table:
    return Table(
        name="outcomes",
        title="What came of it",
        columns=["outcome", "value", "when", "source"],
        rows=[
            [
                Cell(row["name"]),
                Cell(f"{row['value']:g}", row["value"]),
                Cell(_local(row["happened_at"], view), row["happened_at"].isoformat()),
                Cell(row["source"]),
            ]
            for row in outcomes
        ],
        empty=with_command(
            "No outcome of this task is on record: ask who knows what came of it to record it.",
            "modicum outcome --help",
        ),
    )


def _repeat_tables(repeats: Sequence[Mapping[str, Any]], view: View) -> list[Table]:
    if not repeats:
        return []
    return [
        Table(
            name="repeats",
            title="The same result of the same tool call, three times or more",
            columns=["tool", "times", "tokens", "first", "last"],
            rows=[
                [
                    Cell(shown_name(row["tool"]), row["tool"]),
                    Cell(count(int(row["times"])), int(row["times"])),
                    Cell(count(int(row["tokens"])), int(row["tokens"])),
                    Cell(_local(row["first_started"], view), row["first_started"].isoformat()),
                    Cell(_local(row["last_started"], view), row["last_started"].isoformat()),
                ]
                for row in repeats
            ],
        )
    ]


def _local(at: datetime, view: View, *, seconds: bool = False) -> str:
    return f"{at.astimezone(view.zone.zone):%Y-%m-%d %H:%M{':%S' if seconds else ''}}"


PAGE = Page(
    name="tasks",
    title="Tasks",
    about="The tasks that cost most, and what came of them. Follow one to see its calls, lost caches and repeats.",
    read=read,
)
