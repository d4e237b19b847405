"""Entries as columns, and back: the one place that knows both the nouns and the names in the tables."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from operator import itemgetter
from time import time_ns
from typing import Any

import msgspec

from modicum.calls import (
    Anatomy,
    AuditEvent,
    Basis,
    BucketCosts,
    Call,
    CallStatus,
    Cost,
    Edit,
    EnergyWindow,
    Entry,
    Outcome,
    Owner,
    Reuse,
    Segment,
    SegmentKind,
    Tier,
    Usage,
)
from modicum.calls.storable import storable

Columns = dict[str, list[Any]]

_encode = msgspec.json.Encoder(order="sorted").encode


def _encode_tags(tags: Mapping[str, str]) -> bytes:
    try:
        return _encode(tags)
    except UnicodeEncodeError:
        return _encode({storable(name): storable(value) for name, value in tags.items()})


def _storable(columns: Columns) -> Columns:
    """The columns without half characters, which neither engine takes: one bad name must not lose a batch."""
    for values in columns.values():
        for place, value in enumerate(values):
            if isinstance(value, str):
                if not value.isascii():
                    values[place] = storable(value)
            elif value is not None:
                break  # a column of something else
    return columns


def _bucket_cost(bucket: str) -> Callable[[Entry], Any]:
    return lambda entry: getattr(entry.cost.by_bucket, bucket) if entry.cost.by_bucket is not None else None


ENTRY_COLUMNS: dict[str, Callable[[Entry], Any]] = {
    "entry_id": lambda e: e.call.call_id,
    "revision": lambda e: e.call.revision,
    "source": lambda e: e.call.source,
    "provider": lambda e: e.call.provider,
    "model": lambda e: e.call.model,
    "started": lambda e: e.call.started,
    "first_token": lambda e: e.call.first_token,
    "finished": lambda e: e.call.finished,
    "status": lambda e: e.call.status.value,
    "finish_reason": lambda e: e.call.finish_reason,
    "input_uncached": lambda e: e.call.usage.input_uncached,
    "cache_read": lambda e: e.call.usage.cache_read,
    "cache_write_5m": lambda e: e.call.usage.cache_write_5m,
    "cache_write_1h": lambda e: e.call.usage.cache_write_1h,
    "output_visible": lambda e: e.call.usage.output_visible,
    "output_reasoning": lambda e: e.call.usage.output_reasoning,
    "usage_basis": lambda e: e.call.usage_basis.value,
    "output_basis": lambda e: e.call.output_basis.value,
    "output_tokens_estimated": lambda e: e.call.output_tokens_estimated,
    "tier": lambda e: e.call.tier.value,
    "web_searches": lambda e: e.call.web_searches,
    "calls_count": lambda e: e.call.calls_count,
    "cost_usd": lambda e: e.cost.usd,
    "cost_input_uncached_usd": _bucket_cost("input_uncached"),
    "cost_cache_read_usd": _bucket_cost("cache_read"),
    "cost_cache_write_5m_usd": _bucket_cost("cache_write_5m"),
    "cost_cache_write_1h_usd": _bucket_cost("cache_write_1h"),
    "cost_output_visible_usd": _bucket_cost("output_visible"),
    "cost_output_reasoning_usd": _bucket_cost("output_reasoning"),
    "cost_requests_usd": _bucket_cost("requests"),
    "cost_basis": lambda e: e.cost.basis.value,
    "price_source": lambda e: e.cost.price_source or "",
    "price_version": lambda e: e.cost.price_version or "",
    "reported_cost_usd": lambda e: e.call.reported_cost_usd,
    "task": lambda e: e.call.task,
    "conversation": lambda e: e.call.conversation or e.call.task,
    "turn": lambda e: e.call.turn,
    "agent": lambda e: e.call.agent,
    "project": lambda e: e.call.project,
    "branch": lambda e: e.call.branch,
    "team": lambda e: e.call.owner.team,
    "app": lambda e: e.call.owner.app,
    "user_name": lambda e: e.call.owner.user,
    "key_name": lambda e: e.call.owner.key,
    "tags": lambda e: _encode_tags(e.call.tags).decode() if e.call.tags else "{}",
    "place": lambda e: e.call.place,
    "kept_segments": lambda e: e.call.anatomy.kept_segments if e.call.anatomy is not None else None,
    "break_cause": lambda e: e.call.anatomy.break_cause if e.call.anatomy is not None else "",
    "effective_tokens": lambda e: e.cost.effective_tokens,
}
"""Name of each column and how an entry fills it. `booked_at` is the store's own."""

SEGMENT_COLUMNS = (
    "entry_id",
    "position",
    "offset_tokens",
    "kind",
    "tool",
    "tokens",
    "digest",
    "detail",
    "is_error",
    "basis",
)
EDIT_COLUMNS = ("entry_id", "place", "rule", "tokens_before", "tokens_after", "why", "basis")
REUSE_COLUMNS = ("entry_id", "revision", "digest", "read_share")
OUTCOME_COLUMNS = ("outcome_id", "revision", "task", "name", "value", "happened_at", "source")
AUDIT_COLUMNS: dict[str, Callable[[AuditEvent], Any]] = {
    "event_id": lambda e: e.event_id,
    "happened_at": lambda e: e.at,
    "by_name": lambda e: e.by,
    "kind": lambda e: e.kind,
    "what": lambda e: e.what,
    "subject": lambda e: e.subject,
    "team": lambda e: e.owner.team,
    "app": lambda e: e.owner.app,
    "user_name": lambda e: e.owner.user,
    "key_name": lambda e: e.owner.key,
    "details": lambda e: _encode_tags(e.details).decode(),
}
"""Name of each column of an event and how it is filled."""
ENERGY_COLUMNS: dict[str, Callable[[EnergyWindow], Any]] = {
    "window_id": lambda w: w.window_id,
    "revision": lambda w: w.revision,
    "started": lambda w: datetime.fromtimestamp(w.started, UTC),
    "seconds": lambda w: float(w.seconds),
    "gpus": lambda w: msgspec.json.encode(w.gpus).decode(),
    "servers": lambda w: msgspec.json.encode(w.servers).decode(),
    "provider": lambda w: w.provider,
    "joules": lambda w: float(w.joules),
    "counted": lambda w: w.counted,
    "generated_tokens": lambda w: float(w.generated_tokens),
    "prompt_tokens": lambda w: float(w.prompt_tokens),
    "cached_tokens": lambda w: None if w.cached_tokens is None else float(w.cached_tokens),
    "steps": lambda w: None if w.steps is None else float(w.steps),
    "running_seconds": lambda w: float(w.running_seconds),
    "busy_seconds": lambda w: float(w.busy_seconds),
    "regime": lambda w: w.regime,
}
"""Name of each column of a window and how it is filled."""


def entry_columns(entries: Sequence[Entry]) -> Columns:
    return _storable({name: [value(entry) for entry in entries] for name, value in ENTRY_COLUMNS.items()})


def segment_columns(entries: Sequence[Entry]) -> Columns:
    """The segments that are born in these entries."""
    columns: Columns = {name: [] for name in SEGMENT_COLUMNS}
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
    for name, values in zip(SEGMENT_COLUMNS, zip(*rows, strict=True), strict=False):
        columns[name] = list(values)
    return _storable(columns)


def edit_columns(entries: Sequence[Entry]) -> Columns:
    """What rules changed in these entries, in the order of the rules."""
    columns: Columns = {name: [] for name in EDIT_COLUMNS}
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
            for name, value in zip(EDIT_COLUMNS, values, strict=True):
                columns[name].append(value)
    return _storable(columns)


def reuse_columns(entries: Sequence[Entry]) -> Columns:
    """What is known of the reuse of segments that are born in these entries. Equal texts have one row a call."""
    rows = {}
    for entry in entries:
        for part in entry.call.anatomy.added if entry.call.anatomy is not None else ():
            if part.reuse is not None:
                named = entry.call.call_id, part.digest.hex()
                rows[named] = (named[0], part.reuse.later_calls, named[1], float(part.reuse.read_share))
    return _storable({name: [row[place] for row in rows.values()] for place, name in enumerate(REUSE_COLUMNS)})


def outcome_columns(outcomes: Sequence[Outcome], revisions: Sequence[int] | None) -> Columns:
    """Of each id the one that was sent last: at the time that its revision tells; None: all now, in this order."""
    sent = sorted(zip(revisions or [time_ns()] * len(outcomes), outcomes, strict=True), key=itemgetter(0))
    latest = {outcome.outcome_id: (revision, outcome) for revision, outcome in sent}
    outcomes = [outcome for _, outcome in latest.values()]
    return _storable(
        {
            "outcome_id": [outcome.outcome_id for outcome in outcomes],
            "revision": [revision for revision, _ in latest.values()],
            "task": [outcome.task for outcome in outcomes],
            "name": [outcome.name for outcome in outcomes],
            "value": [outcome.value for outcome in outcomes],
            "happened_at": [outcome.time for outcome in outcomes],
            "source": [outcome.source for outcome in outcomes],
        }
    )


def energy_columns(windows: Sequence[EnergyWindow]) -> Columns:
    return _storable({name: [value(window) for window in windows] for name, value in ENERGY_COLUMNS.items()})


def audit_columns(events: Sequence[AuditEvent]) -> Columns:
    return _storable({name: [value(event) for event in events] for name, value in AUDIT_COLUMNS.items()})


def longest(windows: Sequence[EnergyWindow]) -> list[EnergyWindow]:
    """Of records of one window the most complete."""
    found: dict[str, EnergyWindow] = {}
    for window in windows:
        known = found.get(window.window_id)
        if known is None or window.revision > known.revision:
            found[window.window_id] = window
    return list(found.values())


def entry_from(
    row: Mapping[str, Any], segments: Sequence[Mapping[str, Any]], edits: Sequence[Mapping[str, Any]] = ()
) -> Entry:
    """The entry of a row, with its segments (rows in order of position) and its edits (in order of place)."""
    anatomy = None
    if row["kept_segments"] is not None:
        added = tuple(_segment(segment) for segment in segments)
        kept_tokens = segments[0]["offset_tokens"] if segments else 0
        anatomy = Anatomy(row["kept_segments"], kept_tokens, added, row["break_cause"])
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
        web_searches=row["web_searches"],
        calls_count=row["calls_count"],
        reported_cost_usd=row["reported_cost_usd"],
        task=row["task"],
        conversation=row["conversation"],
        turn=row["turn"],
        agent=row["agent"],
        project=row["project"],
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


def outcome_from(row: Mapping[str, Any]) -> Outcome:
    return Outcome(
        outcome_id=row["outcome_id"],
        task=row["task"],
        name=row["name"],
        value=row["value"],
        time=_utc(row["happened_at"]),
        source=row["source"],
    )


def audit_from(row: Mapping[str, Any]) -> AuditEvent:
    return AuditEvent(
        event_id=row["event_id"],
        at=_utc(row["happened_at"]),
        by=row["by_name"],
        kind=row["kind"],
        what=row["what"],
        subject=row["subject"],
        owner=Owner(row["team"], row["app"], row["user_name"], row["key_name"]),
        details=msgspec.json.decode(row["details"], type=dict[str, str]),
    )


def energy_window_from(row: Mapping[str, Any]) -> EnergyWindow:
    told = {name: row[name] for name in EnergyWindow.__struct_fields__}
    told["started"] = _utc(row["started"]).timestamp()
    told["counted"] = bool(row["counted"])
    for name in ("gpus", "servers"):
        told[name] = msgspec.json.decode(row[name], type=tuple[str, ...])
    return EnergyWindow(**told)


def _utc(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
