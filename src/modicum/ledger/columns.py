"""Entries as columns, and back: the one noun of the ledger that is no row of `records.py`.

A call has parts (segments, edits, reuse) in tables of their own, which are replaced with it and forgotten with it. Its
columns are described as those of every noun.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any

import msgspec

from modicum.calls import (
    BUCKETS,
    Anatomy,
    Basis,
    BucketCosts,
    Call,
    CallStatus,
    Charges,
    Cost,
    Edit,
    Entry,
    Owner,
    Reuse,
    Segment,
    SegmentKind,
    Tier,
    Usage,
)
from modicum.ledger.record_table import Column, ColumnKind
from modicum.ledger.rows import Columns, json_text, storable_columns

Kinds = Mapping[str, ColumnKind]
"""The columns of a table and what each holds."""

_TEXT, _NAME, _WHOLE, _NUMBER = ColumnKind.TEXT, ColumnKind.NAME, ColumnKind.WHOLE, ColumnKind.NUMBER
_FLAG, _TIME, _MONEY = ColumnKind.FLAG, ColumnKind.TIME, ColumnKind.MONEY


def _bucket_cost(bucket: str) -> Callable[[Entry], Any]:
    return lambda entry: getattr(entry.cost.by_bucket, bucket) if entry.cost.by_bucket is not None else None


def _bucket_tokens(name: str) -> Callable[[Entry], Any]:
    return attrgetter(f"call.usage.{name}")


def _list_events(anatomy: Anatomy | None) -> str:
    return json_text(anatomy.events) if anatomy is not None and anatomy.events else "[]"


TOKEN_SUMS = ("uncached_tokens", "cache_read_tokens", "cache_write_tokens", "completion_tokens")
"""Sums of buckets that the ledger keeps, as `Usage` gives them: nearly every question asks for them."""

ENTRY_COLUMNS: tuple[Column[Entry], ...] = (
    Column("entry_id", _TEXT, attrgetter("call.call_id")),
    Column("revision", _WHOLE, attrgetter("call.revision")),
    Column("source", _NAME, attrgetter("call.source")),
    Column("provider", _NAME, attrgetter("call.provider")),
    Column("model", _NAME, attrgetter("call.model")),
    Column("started", _TIME, attrgetter("call.started")),
    Column("first_token", _TIME, attrgetter("call.first_token"), nullable=True),
    Column("finished", _TIME, attrgetter("call.finished"), nullable=True),
    Column("status", _NAME, attrgetter("call.status.value")),
    Column("finish_reason", _NAME, attrgetter("call.finish_reason")),
    *(Column(bucket, _WHOLE, _bucket_tokens(bucket)) for bucket in BUCKETS),
    *(Column(name, _WHOLE, _bucket_tokens(name)) for name in TOKEN_SUMS),
    Column("usage_basis", _NAME, attrgetter("call.usage_basis.value")),
    Column("output_basis", _NAME, attrgetter("call.output_basis.value")),
    Column("output_tokens_estimated", _WHOLE, attrgetter("call.output_tokens_estimated"), nullable=True),
    Column("tier", _NAME, attrgetter("call.tier.value")),
    Column("web_searches", _WHOLE, attrgetter("call.charges.web_searches")),
    Column("requests", _TEXT, lambda e: json_text(e.call.charges.requests) if e.call.charges.requests else "{}"),
    Column("region", _NAME, attrgetter("call.charges.region")),
    Column("caveats", _TEXT, lambda e: json_text(e.call.charges.caveats) if e.call.charges.caveats else "[]"),
    Column("provider_cost_usd", _MONEY, attrgetter("call.charges.provider_cost_usd"), nullable=True),
    Column("calls_count", _WHOLE, attrgetter("call.calls_count")),
    Column("cost_usd", _MONEY, attrgetter("cost.usd"), nullable=True),
    *(
        Column(f"cost_{bucket}_usd", _MONEY, _bucket_cost(bucket), nullable=True)
        for bucket in BucketCosts.__struct_fields__
    ),
    Column("cost_basis", _NAME, attrgetter("cost.basis.value")),
    Column("price_source", _NAME, lambda e: e.cost.price_source or ""),
    Column("price_version", _NAME, lambda e: e.cost.price_version or ""),
    Column("reported_cost_usd", _MONEY, attrgetter("call.reported_cost_usd"), nullable=True),
    Column("task", _TEXT, attrgetter("call.task")),
    Column("conversation", _TEXT, lambda e: e.call.conversation or e.call.task),
    Column("turn", _WHOLE, attrgetter("call.turn")),
    Column("agent", _TEXT, attrgetter("call.agent")),
    Column("project", _TEXT, attrgetter("call.project")),
    Column("branch", _TEXT, attrgetter("call.branch")),
    Column("team", _NAME, attrgetter("call.owner.team")),
    Column("app", _NAME, attrgetter("call.owner.app")),
    Column("user_name", _TEXT, attrgetter("call.owner.user")),
    Column("key_name", _TEXT, attrgetter("call.owner.key")),
    Column("tags", _TEXT, lambda e: json_text(e.call.tags) if e.call.tags else "{}"),
    Column("place", _NAME, attrgetter("call.place")),
    Column(
        "kept_segments",
        _WHOLE,
        lambda e: e.call.anatomy.kept_segments if e.call.anatomy is not None else None,
        nullable=True,
    ),
    Column("break_cause", _NAME, lambda e: e.call.anatomy.break_cause if e.call.anatomy is not None else ""),
    Column("prompt_events", _NAME, lambda e: _list_events(e.call.anatomy)),
    Column("client_version", _NAME, attrgetter("call.client_version")),
    Column("cache_miss", _NAME, attrgetter("call.charges.cache_miss")),
    Column("effective_tokens", _NUMBER, attrgetter("cost.effective_tokens"), nullable=True),
)
"""Every column and how an entry fills it. `booked_at` is the store's own."""
ENTRY_KINDS: Kinds = {column.name: column.kind for column in ENTRY_COLUMNS}

# Columns of a call's parts. How they are filled stands in the functions below: one tuple a part is faster than a
# function a value, and there are millions of segments.
SEGMENT_KINDS: Kinds = {
    "entry_id": _TEXT,
    "position": _WHOLE,
    "offset_tokens": _WHOLE,
    "kind": _NAME,
    "tool": _NAME,
    "tokens": _WHOLE,
    "digest": _TEXT,
    "detail": _TEXT,
    "is_error": _FLAG,
    "basis": _NAME,
}
EDIT_KINDS: Kinds = {
    "entry_id": _TEXT,
    "place": _WHOLE,
    "rule": _NAME,
    "tokens_before": _WHOLE,
    "tokens_after": _WHOLE,
    "why": _NAME,
    "basis": _NAME,
}
REUSE_KINDS: Kinds = {"entry_id": _TEXT, "revision": _WHOLE, "digest": _TEXT, "read_share": _NUMBER}


def entry_columns(entries: Sequence[Entry]) -> Columns:
    return storable_columns({column.name: list(map(column.fill, entries)) for column in ENTRY_COLUMNS})


def segment_columns(entries: Sequence[Entry]) -> Columns:
    """The segments that are born in these entries."""
    columns: Columns = {name: [] for name in SEGMENT_KINDS}
    rows = []
    for entry in entries:
        anatomy = entry.call.anatomy
        if anatomy is None:
            continue
        tokens_before = anatomy.kept_tokens
        for position, part in enumerate(anatomy.added, anatomy.kept_segments):
            rows.append(
                (
                    entry.call.call_id,
                    position,
                    tokens_before,
                    part.kind.value,
                    part.tool,
                    part.tokens,
                    part.digest.hex(),
                    part.detail.hex(),
                    part.is_error,
                    part.basis.value,
                )
            )
            tokens_before += part.tokens
    for name, values in zip(SEGMENT_KINDS, zip(*rows, strict=True), strict=False):
        columns[name] = list(values)
    return storable_columns(columns)


def edit_columns(entries: Sequence[Entry]) -> Columns:
    """What rules changed in these entries, in the order of the rules."""
    columns: Columns = {name: [] for name in EDIT_KINDS}
    for entry in entries:
        for place, edit in enumerate(entry.call.edits):
            values = (
                entry.call.call_id,
                place,
                edit.rule,
                edit.tokens_before,
                edit.tokens_after,
                edit.why,
                edit.basis.value,
            )
            for name, value in zip(EDIT_KINDS, values, strict=True):
                columns[name].append(value)
    return storable_columns(columns)


def reuse_columns(entries: Sequence[Entry]) -> Columns:
    """What is known of the reuse of segments that are born in these entries. Equal texts have one row a call."""
    rows = {}
    for entry in entries:
        for part in entry.call.anatomy.added if entry.call.anatomy is not None else ():
            if part.reuse is not None:
                named = entry.call.call_id, part.digest.hex()
                rows[named] = (named[0], part.reuse.later_calls, named[1], float(part.reuse.read_share))
    return {name: [row[place] for row in rows.values()] for place, name in enumerate(REUSE_KINDS)}


def entry_from(
    row: Mapping[str, Any], segments: Sequence[Mapping[str, Any]], edits: Sequence[Mapping[str, Any]] = ()
) -> Entry:
    """The entry of a row, with its segments (rows in order of position) and its edits (in order of place)."""
    anatomy = None
    if row["kept_segments"] is not None:
        added = tuple(_segment(segment) for segment in segments)
        kept_tokens = segments[0]["offset_tokens"] if segments else 0
        anatomy = Anatomy(row["kept_segments"], kept_tokens, added, row["break_cause"], _texts(row["prompt_events"]))
    call = Call(
        call_id=row["entry_id"],
        revision=row["revision"],
        source=row["source"],
        provider=row["provider"],
        model=row["model"],
        started=_utc(row["started"]),
        first_token=_utc(row["first_token"]) if row["first_token"] else None,
        finished=_utc(row["finished"]) if row["finished"] else None,
        status=CallStatus(row["status"]),
        finish_reason=row["finish_reason"],
        usage=Usage(**{bucket: row[bucket] for bucket in Usage.__struct_fields__}),
        usage_basis=Basis(row["usage_basis"]),
        output_basis=Basis(row["output_basis"]),
        output_tokens_estimated=row["output_tokens_estimated"],
        tier=Tier(row["tier"]),
        charges=Charges(
            msgspec.json.decode(row["requests"], type=dict[str, int]),
            row["region"],
            _texts(row["caveats"]),
            row["provider_cost_usd"],
            cache_miss=row["cache_miss"],
        ),
        calls_count=row["calls_count"],
        reported_cost_usd=row["reported_cost_usd"],
        task=row["task"],
        conversation=row["conversation"],
        turn=row["turn"],
        agent=row["agent"],
        project=row["project"],
        client_version=row["client_version"],
        branch=row["branch"],
        owner=Owner(row["team"], row["app"], row["user_name"], row["key_name"]),
        tags=msgspec.json.decode(row["tags"], type=dict[str, str]),
        place=row["place"],
        anatomy=anatomy,
        edits=tuple(
            Edit(edit["rule"], edit["tokens_before"], edit["tokens_after"], edit["why"], Basis(edit["basis"]))
            for edit in edits
        ),
    )
    return Entry(call, _cost(row))


def _cost(row: Mapping[str, Any]) -> Cost:
    by_bucket = None
    if row["cost_requests_usd"] is not None:
        names = BucketCosts.__struct_fields__
        by_bucket = BucketCosts(**{name: row[f"cost_{name}_usd"] for name in names})
    return Cost(
        row["cost_usd"],
        Basis(row["cost_basis"]),
        by_bucket,
        row["price_source"] or None,
        row["price_version"] or None,
        row["effective_tokens"],
    )


def _segment(row: Mapping[str, Any]) -> Segment:
    return Segment(
        SegmentKind(row["kind"]),
        row["tokens"],
        bytes.fromhex(row["digest"]),
        row["tool"],
        bytes.fromhex(row["detail"]),
        bool(row["is_error"]),
        Basis(row["basis"]),
        None if row["read_share"] is None else Reuse(row["read_share"], row["later_calls"]),
    )


def _texts(listed: str) -> tuple[str, ...]:
    return msgspec.json.decode(listed, type=tuple[str, ...])


def _utc(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
