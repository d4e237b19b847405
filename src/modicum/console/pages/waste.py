"""Waste: what bought nothing, and what changes would have saved, by a replay of this history."""

from collections.abc import Mapping, Sequence
from typing import Any

from modicum.calls import UserError
from modicum.calls.words.counted_nouns import noun_for, number_of
from modicum.calls.words.percentages import percent
from modicum.console.acting.settings_changes import can_apply, changes_to_undo
from modicum.console.asking import Asking
from modicum.console.jobs import JobResult
from modicum.console.page import Cell, Content, Page, Table, Tile
from modicum.console.view import View
from modicum.insights.what_if import check_what_if
from modicum.reports.figures import count, dollars_of
from modicum.settings.editing.changes import REPLY_CACHE

Document = Mapping[str, Any]

CLASSES = {
    "exact": "nobody would miss it",
    "replayed": "replayed under the provider's cache rules",
    "upper_bound": "at most this; in no sum",
    "headroom": "prove it with an experiment; in no sum",
    "info": "a figure to know",
}
USUAL = ("cache_ttl=1h", "cache_ttl=5m", "keep_warm=auto", "rules=lossless", "cap_tool_results=2000", "tier=batch")
MOST_CHANGES = 6
STEPS_SHOWN = 3
SURE = frozenset({"exact", "replayed"})
"""What only an experiment can prove is not worded like a replay."""


def read(asking: Asking, view: View) -> Content:
    """The figures of `modicum audit` for the same time, from the last replay; one begins where there is none.

    Raises:
        UserError: a change in the address is none that can be replayed.
    """
    changes = changes_of(view)
    if not asking.rows("holdings"):
        return Content()
    job = asking.audit(view.scope, changes)
    if job.value is None:
        return Content(parts=_parts(job, view, changes, None, asking))
    document = job.value
    return Content(
        tiles=_tiles(document),
        notes=_notes(document),
        tables=[
            *([_what_if_table(document, view, changes)] if changes else []),
            _finding_table(document, view),
        ],
        parts=_parts(job, view, changes, document, asking),
    )


def changes_of(view: View) -> tuple[str, ...]:
    """The changes that the address asks for, each once.

    Raises:
        UserError: one is none, or they are too many.
    """
    changes = tuple(dict.fromkeys(view.word("what_if").split()))
    if len(changes) > MOST_CHANGES:
        raise UserError(f"{len(changes)} changes at once; {MOST_CHANGES} are the most")
    for change in changes:
        check_what_if(change)
    return changes


def _parts(
    job: JobResult, view: View, changes: Sequence[str], document: Document | None, asking: Asking
) -> dict[str, Any]:
    at = job.made_at
    return {
        "job": job,
        "made_at": "" if at is None else f"{at.astimezone(view.zone.zone):%Y-%m-%d %H:%M:%S}",
        "changes": changes,
        "usual": [
            (change, view.query(what_if=" ".join((*changes, change)))) for change in USUAL if change not in changes
        ],
        "chosen": [
            (change, view.query(what_if=" ".join(one for one in changes if one != change)), can_apply(asking, change))
            for change in changes
        ],
        "steps": [] if document is None else _steps(document),
        "findings": []
        if document is None
        else [row for row in document["findings"] if not row["lacks"] and row["calls"]],
        "classes": CLASSES,
        "changed": changes_to_undo(asking),
        "reply_cache": REPLY_CACHE if can_apply(asking, REPLY_CACHE) else "",
    }


def _steps(document: Document) -> list[dict[str, str]]:
    """The first things that the reader can do, as `modicum audit` lists them: settings of an agent, else findings."""
    if own := [step for step in document["steps"] if step["who"] == "you"]:
        return [
            _step(step, step["finding"], f"{step['client']}: {step['how']}")
            | {"paste": step["paste"], "into": f"into {step['place']}" if step["place"] else "type"}
            for step in own[:STEPS_SHOWN]
        ]
    rows = {row["name"]: row for row in document["findings"]}
    return [_step(rows[name], name, rows[name]["remedy"]) for name in document["first_steps"] if name in rows]


def _step(row: Document, finding: str, how: str) -> dict[str, str]:
    bound = "" if row["finding_class"] in SURE else "at most "
    saving = "" if row["saving_usd"] is None else f"{bound}{_signed(row['saving_usd'])}, {percent(row['saving_share'])}"
    return {"finding": finding, "title": row["title"], "saving": saving, "how": how, "paste": ""}


def _tiles(document: Document) -> list[Tile]:
    fidelity = document["fidelity"]
    basis = "estimated"
    return [
        Tile(label="replayed", value=dollars_of(document["cost_usd"]), note=number_of(document["calls"], "call")),
        Tile(
            label="would be saved together",
            value=_signed(document["joint_saving_usd"]),
            basis=basis,
            note=f"{percent(document['joint_saving_share'])} of it, all that is exact or replayed",
        ),
        Tile(
            label="by rules that run by themselves",
            value=_signed(document["rule_savings"]["default"]["saving_usd"]),
            basis=basis,
            note=f"with pings that keep caches warm {_signed(document['rule_savings']['lossless']['saving_usd'])}",
        ),
        Tile(
            label="the replay without changes",
            value=percent(fidelity["total_error"], sign="+"),
            note=f"off the record; median task {percent(fidelity['median_task_error'])}",
        ),
    ]


def _notes(document: Document) -> list[str]:
    notes = []
    if document["is_bound"]:
        notes.append("the replay is more than 2 %, 3 % or, unexplained, 10 % off: replayed figures are bounds")
    if document["calls_unpriced"]:
        notes.append(
            f"{number_of(document['calls_unpriced'], 'call has', 'calls have')} no known cost and "
            f"{noun_for(document['calls_unpriced'], 'is', 'are')} in no sum"
        )
    if document["calls_without_anatomy"]:
        notes.append(f"{number_of(document['calls_without_anatomy'], 'call')}: what their prompts held is not known")
    return notes


def _finding_table(document: Document, view: View) -> Table:
    shown = [row for row in document["findings"] if not row["lacks"] and (row["calls"] or row["saving_usd"])]
    most = max((row["gross_usd"] or 0 for row in shown), default=0)
    return Table(
        name="findings",
        title="What bought nothing",
        columns=["finding", "class", "in the record", "saves alone", "in the sum", "calls", "tokens"],
        left=2,
        rows=[
            [
                Cell(f"{row['id']} {row['title']}", row["name"], href=f"#{row['name']}"),
                Cell(row["finding_class"].replace("_", " ")),
                Cell(
                    dollars_of(row["gross_usd"]),
                    row["gross_usd"],
                    part=(row["gross_usd"] or 0) / most if most else None,
                ),
                Cell(_signed(row["saving_usd"]), _plain(row["saving_usd"])),
                Cell(_signed(row["marginal_usd"]), _plain(row["marginal_usd"])),
                Cell(count(row["calls"]), row["calls"]),
                Cell(count(row["tokens"]), row["tokens"]),
            ]
            for row in shown
        ],
        verb=f"modicum audit{view.options(takes_where=False)}",
        empty="no waste of the known kinds was found",
    )


def _what_if_table(document: Document, view: View, changes: Sequence[str]) -> Table:
    options = "".join(f" --what-if {change}" for change in changes)
    return Table(
        name="what-if",
        title="What if",
        columns=["change", "class", "saves alone", "share", "on top", "between"],
        left=2,
        rows=[
            [
                Cell(one["name"]),
                Cell(one["finding_class"].replace("_", " ")),
                Cell(_signed(one["saving_usd"]), one["saving_usd"]),
                Cell(percent(one["saving_share"], sign="+"), one["saving_share"]),
                Cell(_signed(one["marginal_usd"]), one["marginal_usd"]),
                Cell(_between(one)),
            ]
            for one in document["what_if"]
        ],
        total=[
            Cell("together"),
            Cell(""),
            Cell(_signed(document["what_if_saving_usd"]), document["what_if_saving_usd"]),
            Cell(percent(document["what_if_saving_share"] or 0, sign="+"), document["what_if_saving_share"]),
            Cell(""),
            Cell(""),
        ],
        verb=f"modicum audit{options}{view.options(takes_where=False)}",
    )


def _between(one: Document) -> str:
    low, high = one["saving_share_low"], one["saving_share_high"]
    return "" if low is None or high is None else f"{percent(low, sign='+')} and {percent(high, sign='+')}"


def _signed(usd: float | None) -> str:
    return "" if usd is None else dollars_of(usd)


def _plain(usd: float | None) -> object:
    return "" if usd is None else usd


PAGE = Page(
    name="waste",
    title="Waste",
    about="What bought nothing, and what a change would have saved: a replay of your history, all changes together.",
    read=read,
    for_teams=False,
    takes_where=False,
)
