"""The nouns of the ledger, a row each: how outcomes, windows of energy and decisions are stored, read and forgotten.

A new noun is a struct in `calls/` and a row here. Its table, its way through the ledger process, `ledger copy` and
`ledger purge` follow from the row on both engines; a question (`questions/*.sql`) may ask for it by the row's name.

Entries are the one special case (`columns.py`): a call has parts in tables of their own (segments, edits, reuse), which
are replaced and forgotten with it, and it is forgotten by owner too.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec

from modicum.calls import AuditEvent, BookedShortening, EnergyWindow, Entry, Outcome, Owner
from modicum.ledger.record_table import SENT, Column, ColumnKind, RecordTable, Repeats
from modicum.ledger.rows import Row, json_text

_TEXT, _NAME, _WHOLE, _NUMBER = ColumnKind.TEXT, ColumnKind.NAME, ColumnKind.WHOLE, ColumnKind.NUMBER
_FLAG, _TIME = ColumnKind.FLAG, ColumnKind.TIME


def _outcome(row: Row) -> Outcome:
    return Outcome(
        outcome_id=row["outcome_id"],
        task=row["task"],
        name=row["name"],
        value=row["value"],
        time=row["happened_at"],
        source=row["source"],
    )


OUTCOMES: RecordTable[Outcome] = RecordTable(
    name="outcomes",
    label="outcomes",
    noun=Outcome,
    columns=(
        Column("outcome_id", _TEXT, lambda o: o.outcome_id),
        SENT,
        Column("task", _TEXT, lambda o: o.task),
        Column("name", _NAME, lambda o: o.name),
        Column("value", _NUMBER, lambda o: o.value),
        Column("happened_at", _TIME, lambda o: o.time),
        Column("source", _NAME, lambda o: o.source),
    ),
    from_row=_outcome,
    identity="outcome_id",
    time="happened_at",
    repeats=Repeats.LAST_SENT_STANDS,
    journal_kind="outcome",
)


def _energy_window(row: Row) -> EnergyWindow:
    fields = {name: row[name] for name in EnergyWindow.__struct_fields__}
    fields["started"] = row["started"].timestamp()
    for name in ("gpus", "servers"):
        fields[name] = msgspec.json.decode(row[name], type=tuple[str, ...])
    return EnergyWindow(**fields)


ENERGY_WINDOWS: RecordTable[EnergyWindow] = RecordTable(
    name="energy_windows",
    label="windows of energy",
    noun=EnergyWindow,
    columns=(
        Column("window_id", _TEXT, lambda w: w.window_id),
        Column("revision", _WHOLE, lambda w: w.revision),
        Column("started", _TIME, lambda w: datetime.fromtimestamp(w.started, UTC)),
        Column("seconds", _NUMBER, lambda w: w.seconds),
        Column("gpus", _NAME, lambda w: json_text(w.gpus)),
        Column("servers", _NAME, lambda w: json_text(w.servers)),
        Column("provider", _NAME, lambda w: w.provider),
        Column("joules", _NUMBER, lambda w: w.joules),
        Column("counted", _FLAG, lambda w: w.counted),
        Column("generated_tokens", _NUMBER, lambda w: w.generated_tokens),
        Column("prompt_tokens", _NUMBER, lambda w: w.prompt_tokens),
        Column("cached_tokens", _NUMBER, lambda w: w.cached_tokens, nullable=True),
        Column("steps", _NUMBER, lambda w: w.steps, nullable=True),
        Column("running_seconds", _NUMBER, lambda w: w.running_seconds),
        Column("busy_seconds", _NUMBER, lambda w: w.busy_seconds),
        Column("regime", _NAME, lambda w: w.regime, default=""),
    ),
    from_row=_energy_window,
    identity="window_id",
    time="started",
    repeats=Repeats.GREATEST_REVISION_STANDS,
    purged_by_age=True,
    clickhouse_log="energy_log",
)


def _audit_event(row: Row) -> AuditEvent:
    return AuditEvent(
        event_id=row["event_id"],
        at=row["happened_at"],
        by=row["by_name"],
        kind=row["kind"],
        what=row["what"],
        subject=row["subject"],
        owner=Owner(row["team"], row["app"], row["user_name"], row["key_name"]),
        details=msgspec.json.decode(row["details"], type=dict[str, str]),
    )


AUDIT_EVENTS: RecordTable[AuditEvent] = RecordTable(
    name="audit_events",
    label="events of the audit log",
    noun=AuditEvent,
    columns=(
        Column("event_id", _TEXT, lambda e: e.event_id),
        Column("happened_at", _TIME, lambda e: e.at),
        Column("by_name", _TEXT, lambda e: e.by),
        Column("kind", _NAME, lambda e: e.kind),
        Column("what", _NAME, lambda e: e.what),
        Column("subject", _TEXT, lambda e: e.subject),
        Column("team", _NAME, lambda e: e.owner.team),
        Column("app", _NAME, lambda e: e.owner.app),
        Column("user_name", _TEXT, lambda e: e.owner.user),
        Column("key_name", _TEXT, lambda e: e.owner.key),
        Column("details", _TEXT, lambda e: json_text(e.details)),
    ),
    from_row=_audit_event,
    identity="event_id",
    time="happened_at",
    repeats=Repeats.FIRST_STANDS,
    clickhouse_log="audit_log",
)

SHORTENINGS: RecordTable[BookedShortening] = RecordTable(
    name="shortenings",
    label="hypothetical edits of tool results",
    noun=BookedShortening,
    columns=(
        Column("shortening_id", _TEXT, lambda s: s.shortening_id),
        SENT,
        Column("entry_id", _TEXT, lambda s: s.entry_id),
        Column("started", _TIME, lambda s: s.started),
        Column("digest", _TEXT, lambda s: s.digest.hex()),
        Column("rules", _NAME, lambda s: s.rules),
        Column("share", _NUMBER, lambda s: s.share),
    ),
    from_row=lambda row: BookedShortening(
        shortening_id=row["shortening_id"],
        entry_id=row["entry_id"],
        started=row["started"],
        digest=bytes.fromhex(row["digest"]),
        rules=row["rules"],
        share=row["share"],
    ),
    identity="shortening_id",
    time="started",
    repeats=Repeats.LAST_SENT_STANDS,
    purged_by_age=True,
)


def shortenings_of(entries: Iterable[Entry]) -> list[BookedShortening]:
    """What rules would have made of the tool results that these entries brought, as rows of the ledger."""
    rows: dict[str, BookedShortening] = {}
    for entry in entries:
        for part in entry.call.anatomy.added if entry.call.anatomy is not None else ():
            for one in part.shortenings:
                name = f"{entry.call.call_id}:{part.digest.hex()}:{one.rules}"
                rows[name] = BookedShortening(
                    shortening_id=name,
                    entry_id=entry.call.call_id,
                    started=entry.call.started,
                    digest=part.digest,
                    rules=one.rules,
                    share=one.share,
                )
    return list(rows.values())


RECORDS: dict[str, RecordTable[Any]] = {
    table.name: table for table in (OUTCOMES, ENERGY_WINDOWS, AUDIT_EVENTS, SHORTENINGS)
}
"""Every noun that a ledger holds beside its entries, by name. A ledger that is opened gets the tables that it lacks."""
