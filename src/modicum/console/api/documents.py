"""What the API takes and gives, a struct each: its description is made of these."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

import msgspec

from modicum.console.acting.budgets import EditableBudget
from modicum.console.page import Cell, Content, Page, Table, Tile
from modicum.governance.keys import Key
from modicum.governance.settings_log import SettingsEvent

_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
_Text = Annotated[str, msgspec.Meta(max_length=1000)]


class CellDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A cell of a table: as the page shows it, and as a plain value."""

    text: str
    value: Any
    basis: str = ""


class TableDocument(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[CellDocument]]
    total: Sequence[CellDocument] = ()
    verb: str = ""
    """The command that prints the same figures."""
    more: int = 0
    """Rows that are left out."""


class TileDocument(msgspec.Struct, frozen=True, kw_only=True):
    label: str
    value: str
    basis: str = ""
    note: str = ""


class PageDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What a page shows."""

    name: str
    title: str
    about: str
    is_replaying: bool
    """Whether figures are being worked out: ask again."""
    tiles: Sequence[TileDocument]
    tables: Sequence[TableDocument]
    notes: Sequence[str]


class PageName(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    title: str
    about: str


class ViewerDocument(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks, as the console knows it."""

    name: str
    roles: dict[str, str]
    scopes: Sequence[str]


class RaiseDocument(msgspec.Struct, frozen=True, kw_only=True):
    raise_id: str
    until: datetime | None
    by: str
    why: str


class BudgetDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A budget that the asker may change; how it stands is on the page `budgets`."""

    name: str
    per: str
    unit: str
    limit: float
    team: str
    is_in_settings: bool
    version: str
    raises: Sequence[RaiseDocument]


class NewBudget(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: _Name
    per: _Name
    unit: _Name
    limit: float
    team: _Text = ""


class NewLimit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    limit: float
    version: _Name
    """Of the budget that was looked at: another one is refused with 409."""


class NewRaise(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    limit: float
    until: _Name
    why: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
    version: _Name
    of: tuple[_Text, ...] = ()


class KeyDocument(msgspec.Struct, frozen=True, kw_only=True):
    key_id: str
    name: str
    team: str
    app: str
    user: str
    models: Sequence[str]
    issued_at: datetime
    issued_by: str
    revoked_at: datetime | None


class NewKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: _Name
    team: _Text = ""
    app: _Text = ""
    user: _Text = ""
    models: tuple[_Name, ...] = ()


class IssuedKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key, which cannot be asked for again."""

    key: str
    key_id: str


class NewChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    what_if: _Name
    """A replayed change that a setting of the gateway makes, as `keep_warm=auto`."""


class ChangeDocument(msgspec.Struct, frozen=True, kw_only=True):
    change_id: str
    at: datetime
    by: str
    setting: str
    before: str
    now: str


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """Why something cannot be done."""

    status: int
    error: str


def page_document(page: Page, content: Content) -> PageDocument:
    """A page as JSON has it."""
    job = content.parts.get("job")
    return PageDocument(
        name=page.name,
        title=page.title,
        about=page.about,
        is_replaying=bool(job and job.is_running),
        tiles=[_tile(tile) for tile in content.tiles],
        tables=[_table(table) for table in content.tables],
        notes=content.notes,
    )


def budget_document(budget: EditableBudget) -> BudgetDocument:
    """A budget as JSON has it."""
    return BudgetDocument(
        name=budget.name,
        per=budget.per,
        unit=budget.unit.value,
        limit=budget.limit,
        team=budget.team,
        is_in_settings=budget.is_in_settings,
        version=budget.version,
        raises=[RaiseDocument(raise_id=one.raise_id, until=one.until, by=one.by, why=one.why) for one in budget.raises],
    )


def key_document(key: Key) -> KeyDocument:
    """A key as JSON has it, without anything that opens."""
    return KeyDocument(
        key_id=key.key_id,
        name=key.owner.key,
        team=key.owner.team,
        app=key.owner.app,
        user=key.owner.user,
        models=key.models,
        issued_at=key.issued_at,
        issued_by=key.issued_by,
        revoked_at=key.revoked_at,
    )


def change_document(event: SettingsEvent) -> ChangeDocument:
    """A change of the settings as JSON has it."""
    return ChangeDocument(
        change_id=event.change_id,
        at=event.at,
        by=event.by,
        setting=event.setting,
        before=event.before,
        now=event.now,
    )


def _tile(tile: Tile) -> TileDocument:
    return TileDocument(label=tile.label, value=tile.value, basis=tile.basis, note=tile.note)


def _table(table: Table) -> TableDocument:
    return TableDocument(
        name=table.name,
        title=table.title,
        columns=table.columns,
        rows=[[_cell(cell) for cell in row] for row in table.rows],
        total=[_cell(cell) for cell in table.total],
        verb=table.verb,
        more=table.more,
    )


def _cell(cell: Cell) -> CellDocument:
    return CellDocument(text=cell.text, value=cell.text if cell.value is None else cell.value, basis=cell.basis)
