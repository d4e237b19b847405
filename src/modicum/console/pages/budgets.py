"""Budgets and keys: what is spent and left of each limit, when it will be reached, and who may call."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from modicum.calls.words.percentages import percent
from modicum.console.acting.budgets import editable_budgets
from modicum.console.acting.settings_changes import changes_to_undo
from modicum.console.asking import Asking
from modicum.console.page import Cell, Content, Page, Table, Tile, with_command
from modicum.console.view import View
from modicum.governance.access.tokens import TokenScope
from modicum.governance.access.users import EVERY_TEAM, Role
from modicum.governance.budget_raises import Raises
from modicum.governance.budgets import LimitUnit, show_amount
from modicum.governance.keys import Key, KeyEvent, Keys
from modicum.insights.budgets.raises import read_raises
from modicum.insights.budgets.standing import BudgetRow, budget_rows
from modicum.ledger.calls_in_flight import calls_under_way
from modicum.ledger.events import EventFile
from modicum.reports.figures import count, number_of
from modicum.settings import budgets_of

NEAR = 0.2
"""A budget of which less is left is near its limit."""
MOST_ROWS = 200
EVENTS = "events.sqlite"


def read(asking: Asking, view: View) -> Content:
    """The figures of `modicum budget show` and `modicum key list --all`."""
    rows, hidden = read_budgets(asking)
    keys = read_keys(asking)
    acts = _acts(asking, keys)
    if not rows and not keys and not hidden and not acts["may_budgets"] and not acts["may_keys"]:
        return Content()
    near = sum(1 for row in rows if row.left_share < NEAR)
    crossing = [row for row in rows if row.crossed_at is not None and row.left > 0]
    tiles = [
        Tile(label="budgets", value=count(len(rows)), note=f"{near:,} with less than {percent(NEAR, 0)} left"),
        Tile(
            label="limit reached next",
            value=_moment(min(row.crossed_at for row in crossing if row.crossed_at), view.zone.zone)
            if crossing
            else "none",
            note="at the pace so far: a straight line, no forecast",
        ),
        Tile(label="keys in force", value=count(sum(1 for key in keys if key.revoked_at is None))),
    ]
    return Content(
        tiles=tiles,
        tables=[_budget_table(rows), _key_table(keys, view)],
        notes=[
            "what a running gateway has under way is reserved; calls come into 'spent' within a second or two",
            *([f"{number_of(hidden, 'sum')} of other persons: each sees their own only"] if hidden else []),
        ],
        parts=acts,
    )


def _acts(asking: Asking, keys: Sequence[Key]) -> dict[str, Any]:
    """What forms of the page may change."""
    viewer, settings = asking.viewer, asking.settings()
    may_budgets = bool(settings.file) and viewer.may(Role.EDITOR, TokenScope.BUDGETS)
    may_keys = viewer.may(Role.EDITOR, TokenScope.KEYS)
    own = [key for key in keys if viewer.may(Role.EDITOR, TokenScope.KEYS, key.owner.team or EVERY_TEAM)]
    is_of_budgets = [one for one in changes_to_undo(asking) if one.table == "budget"]
    return {
        "may_budgets": may_budgets,
        "may_keys": may_keys,
        "budgets": editable_budgets(asking) if may_budgets else [],
        "own_keys": [key for key in own if key.revoked_at is None][:MOST_ROWS] if may_keys else [],
        "units": list(LimitUnit),
        "team": "" if viewer.teams is None else next(iter(viewer.teams), ""),
        "changes": is_of_budgets,
    }


def read_budgets(asking: Asking) -> tuple[list[BudgetRow], int]:
    """The sums of all budgets that the viewer may see, and how many of other persons are not shown."""
    every = asking.share(("budgets",), lambda: _all_budgets(asking))
    reach = asking.reach
    own = [row for row in every if reach.shows_budget(row.budget, row.instance)]
    return own, len(every) - len(own) if reach.viewer.sees_everything else 0


def _all_budgets(asking: Asking) -> list[BudgetRow]:
    settings, folder = asking.settings(), asking.sources.state
    budgets = budgets_of(settings.budget, settings.timezone, settings.energy)
    if not budgets:
        return []
    raises = Raises(read_raises(folder)) if (folder / EVENTS).exists() else Raises()
    under_way = list(calls_under_way(folder / "journal"))
    now = datetime.now(UTC)
    return asking.unchecked(lambda store: budget_rows(store, budgets, under_way, now, raises))


def read_keys(asking: Asking) -> list[Key]:
    """The keys of the gateway that the viewer may see, revoked ones too, the newest first."""
    path = asking.sources.state / EVENTS
    if not path.exists():
        return []

    def keys() -> list[Key]:
        events = EventFile(path)
        try:
            return Keys(events.read("key", KeyEvent)).all()
        finally:
            events.close()

    shows = asking.reach.shows_owner
    own = [key for key in asking.share(("keys",), keys) if shows(key.owner)]
    return sorted(own, key=lambda key: key.issued_at, reverse=True)


def _budget_table(rows: Sequence[BudgetRow]) -> Table:
    ordered = sorted(rows, key=lambda row: (row.left_share, row.budget.name, row.instance))
    return Table(
        name="budgets",
        title="Budgets",
        most=MOST_ROWS,
        columns=["budget", "of", "per", "limit", "spent", "reserved", "left", "limit reached", "begins anew"],
        left=3,
        rows=[_budget_row(row) for row in ordered[:MOST_ROWS]],
        more=max(0, len(ordered) - MOST_ROWS),
        verb="modicum budget show --all",
        empty=with_command(
            "No budget is set. Editors add one below, where there is a settings file; else ask whoever runs modicum.",
            "add [[budget]] to modicum.toml; docs/budgets.md has examples",
        ),
    )


def _budget_row(row: BudgetRow) -> Sequence[Cell]:
    unit, zone = row.budget.unit, ZoneInfo(row.budget.window.zone)
    used = 1 - row.left_share if row.budget.limit else 1.0
    reached = "now" if row.left == 0 else "" if row.crossed_at is None else _moment(row.crossed_at, zone)
    return [
        Cell(row.budget.name),
        Cell(", ".join(name or "(none)" for name in row.instance)),
        Cell(row.budget.window.text),
        Cell(show_amount(unit, row.budget.limit) + (" (raised)" if row.raised_until else "")),
        Cell(show_amount(unit, row.spent), part=min(1.0, max(0.0, used))),
        Cell(show_amount(unit, row.reserved) if row.reserved else ""),
        Cell(show_amount(unit, row.left)),
        Cell(reached),
        Cell("" if row.resets is None else _moment(row.resets, zone)),
    ]


def _key_table(keys: Sequence[Key], view: View) -> Table:
    zone = view.zone.zone
    return Table(
        name="keys",
        title="Keys of the gateway",
        most=MOST_ROWS,
        columns=["key", "id", "team", "app", "user", "models", "issued", "by", "revoked"],
        left=9,
        rows=[
            [
                Cell(key.owner.key, href=f"where{view.narrowed('key', key.owner.key, by='model')}"),
                Cell(key.key_id),
                Cell(key.owner.team),
                Cell(key.owner.app),
                Cell(key.owner.user),
                Cell(", ".join(key.models) or "all"),
                Cell(_moment(key.issued_at, zone)),
                Cell(key.issued_by),
                Cell(_moment(key.revoked_at, zone) if key.revoked_at else ""),
            ]
            for key in keys[:MOST_ROWS]
        ],
        more=max(0, len(keys) - MOST_ROWS),
        verb="modicum key list --all",
        empty=with_command("No key was issued. Editors issue one below; else ask one.", "modicum key create NAME"),
    )


def _moment(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"


PAGE = Page(
    name="budgets",
    title="Budgets and keys",
    about="What is left of each limit, when it will be reached at the pace so far, and which keys may call.",
    read=read,
    takes_where=False,
    takes_times=False,
    nothing=with_command(
        "No budget is set and no key was issued: ask an owner of this console, or whoever runs modicum.",
        "[[budget]] in modicum.toml sets a budget (docs/budgets.md), modicum key create NAME makes a key",
    ),
)
