"""GitHub Copilot CLI: `~/.copilot/session-store.db` and `~/.copilot/session-state/<session>/events.jsonl`.

Written from the types that GitHub publishes with its SDK (1.0.14) and what users report of real files in public issues;
the shape of both was seen there, no whole file was at hand. Traps, each with a fixture:

- Since about 1.0.70 the database has a row per call (`assistant_usage_events`). Older sessions have sums alone, by
  model, when Copilot ends (`session.shutdown`); they are one record of many calls. A session that stands in both is
  read from the database, and from its events what ended before the first call there.
- Sums start anew when a session is resumed (until about 1.0.70) or go on (later). Which of the two is told by the
  output of the replies since the sum before; a sum that is written twice is counted once.
- `input_tokens` includes what was read from and written to the cache; reasoning is inside the output.
- What follows the last sum (Copilot is still open, was killed, or left by `/new`) has output alone: a problem, and no
  calls.
- Copilot charges requests or credits (`request_multiplier`, `total_nano_aiu`). Credits are not dollars: not read.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from modicum.calls import Basis, Call, Charges, Problem, Usage
from modicum.calls.usage import is_counted
from modicum.importers.agents.agent_database import database_calls, has_columns, rows_of, table_calls
from modicum.importers.agents.opencode import SQLITE, is_database
from modicum.importers.agents.row_calls import Row, row_calls
from modicum.importers.files import records
from modicum.importers.format import Found, LogFormat, Reading
from modicum.importers.recorded.aggregates import aggregated_count
from modicum.importers.sqlite_files import DAMAGED, columns_of, opened
from modicum.providers.fields import label, mapping, moment, start, text
from modicum.providers.token_buckets import disjoint
from modicum.providers.usage_guard import KnownFields, unknown_counts, unknown_numbers

NAME = "copilot-cli"
PROVIDER = "github-copilot"
CALLS = "assistant_usage_events"
COLUMNS = {CALLS: {"session_id", "model", "input_tokens", "output_tokens", "created_at"}}
COUNTS = ("inputTokens", "outputTokens", "cacheReadTokens", "cacheWriteTokens", "reasoningTokens")
COUNT_COLUMNS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens")
KNOWN_COLUMNS = {*COUNT_COLUMNS, "total_tokens", "max_tokens", "max_prompt_tokens", "max_output_tokens"}
KNOWN_SUMS: KnownFields = {
    "usage": dict.fromkeys((*COUNTS, "totalTokens"), "priced"),
    "requests": {"count": "the number of calls", "cost": "Copilot's premium requests, no dollars"},
    "totalNanoAiu": "Copilot's credits, no dollars",
}
"""What is done with every number of a model's sums."""


def read(path: Path, reading: Reading) -> Found:
    del reading
    if is_database(path):
        yield from database_calls(path, NAME, lambda database: _stored(path, database))
        return
    events = _Events(path)
    yield from row_calls(path, records(path), events.calls_of)
    yield from events.problems()


def _stored(path: Path, database: sqlite3.Connection) -> Found:
    sessions = {label(row.get("id")): row for row in rows_of(database, "sessions")}

    def calls_of(row: Row) -> Iterator[Call]:
        finished = start(row.get("created_at"))
        milliseconds = row.get("duration_ms")
        lasted = timedelta(milliseconds=milliseconds) if isinstance(milliseconds, int | float) else timedelta()
        name = label(row.get("session_id"))
        session = sessions.get(name, {})
        counts = {camel: row.get(column) for camel, column in zip(COUNTS, COUNT_COLUMNS, strict=True)}
        yield _call(
            counts,
            call_id=f"{NAME}:{name}:{label(row.get('id'))}",
            charges=Charges.of(caveats=unknown_counts(row, KNOWN_COLUMNS, CALLS)),
            model=text(row.get("copilot_usage_model")) or text(row.get("model")),
            started=finished - lasted if timedelta(0) < lasted < timedelta(days=1) else finished,
            finished=finished,
            finish_reason=text(row.get("finish_reason")),
            task=name,
            agent=label(row.get("agent_id")) or label(row.get("parent_tool_call_id")),
            project=text(session.get("cwd")),
            branch=text(session.get("branch")),
        )

    yield from table_calls(path, database, CALLS, calls_of)


def _call(counts: Mapping[str, Any], **fields: Any) -> Call:
    usage = usage_from(counts)
    basis = Basis.counted(is_counted(counts, "inputTokens"))
    return Call(
        source=NAME,
        provider=PROVIDER,
        usage=usage,
        usage_basis=basis,
        output_basis=basis | Basis.counted(is_counted(counts, "outputTokens")),
        revision=usage.total_tokens,
        **fields,
    )


def usage_from(counts: Mapping[str, Any]) -> Usage:
    """The counts of a call, or of a session by model, as buckets.

    Raises:
        ValueError: a count is no count of tokens.
    """
    prompt, output, read_, written, reasoning = (aggregated_count(name, counts.get(name)) for name in COUNTS)
    return disjoint(prompt, output, read=read_, written=(written, 0), reasoning=reasoning)


class _Events:
    """One session's events: who and where, and the sums when Copilot ended."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.session = path.parent.name
        self.project = self.branch = ""
        self.began: datetime | None = None
        self.at: datetime | None = None
        self.outputs: dict[str, int] = {}
        """Output of each reply since the last sum."""
        self.last: dict[str, dict[str, int]] = {}
        self.passed: set[str] = set()

    def calls_of(self, row: Row) -> Iterator[Call]:
        kind, data = text(row.get("type")), mapping(row.get("data"))
        self.at = at = moment(row.get("timestamp")) or self.at
        if kind in {"session.start", "session.resume"}:
            where = mapping(data.get("context"))
            self.session = label(data.get("sessionId")) or self.session
            self.project, self.branch = text(where.get("cwd")) or self.project, text(where.get("branch")) or self.branch
            self.began = moment(data.get("startTime")) or moment(data.get("resumeTime")) or at
        elif kind == "assistant.message":
            reply = label(data.get("apiCallId")) or label(data.get("messageId")) or label(row.get("id"))
            output = aggregated_count("outputTokens", data.get("outputTokens"))
            self.outputs[reply] = max(output, self.outputs.get(reply, 0))
        elif kind == "session.shutdown":
            name = label(row.get("id")) or label(row.get("timestamp"))
            if name not in self.passed:
                self.passed.add(name)
                yield from self._sums(name, data, at)

    def _sums(self, name: str, data: Mapping[str, Any], at: datetime | None) -> Iterator[Call]:
        sums = {text(model): mapping(entry) for model, entry in mapping(data.get("modelMetrics")).items()}
        totals = {model: _totals(entry) for model, entry in sums.items()}
        before = self.last if self._goes_on(totals) else {}
        self.last, self.outputs = totals or self.last, {}
        at = at or moment(data.get("sessionStartTime"))
        began, self.began = self.began or moment(data.get("sessionStartTime")) or at, None
        if at is None or began is None:
            raise ValueError("the sums of a session have no time")
        first_stored = first_in_store(self.path, self.session)
        if first_stored and first_stored < at:
            return
        for model, total in totals.items():
            own = {count: number - before.get(model, {}).get(count, 0) for count, number in total.items()}
            if not any(own.values()):
                continue
            calls = own.pop("calls")
            counted = mapping(sums[model].get("usage"))
            yield _call(
                {count: number if is_counted(counted, count) else None for count, number in own.items()},
                charges=Charges.of(caveats=unknown_numbers(sums[model], KNOWN_SUMS, "modelMetrics")),
                call_id=f"{NAME}:{self.session}:{name}:{model}",
                model=model,
                started=min(began, at),
                finished=at,
                calls_count=max(calls, 1),
                task=self.session,
                project=self.project,
                branch=self.branch,
            )

    def _goes_on(self, totals: Mapping[str, Mapping[str, int]]) -> bool:
        """Whether these sums hold those before them."""
        if not self.last or any(
            number > totals.get(model, {}).get(count, 0)
            for model, last in self.last.items()
            for count, number in last.items()
        ):
            return False
        since = sum(self.outputs.values())
        output = sum(total["outputTokens"] for total in totals.values())
        before = sum(last["outputTokens"] for last in self.last.values())
        return abs(output - before - since) < abs(output - since)

    def problems(self) -> Iterator[Problem]:
        if self.outputs and first_in_store(self.path, self.session) is None:
            yield Problem(
                str(self.path),
                f"replies after the last sums of this session ({len(self.outputs)}) have no input in the log: not "
                "counted (Copilot writes sums when it ends: leave it with /exit)",
            )


def _totals(entry: Mapping[str, Any]) -> dict[str, int]:
    usage = mapping(entry.get("usage"))
    totals = {count: aggregated_count(count, usage.get(count)) for count in COUNTS}
    return totals | {"calls": aggregated_count("requests.count", mapping(entry.get("requests")).get("count"))}


def first_in_store(events: Path, session: str) -> datetime | None:
    """When the database beside the sessions has its first call of this one; None where it has none."""
    store = events.absolute().parent.parent.parent / "session-store.db"
    try:
        if not store.is_file():
            return None
        with opened(store) as (database, _):
            if not COLUMNS[CALLS] <= columns_of(database, CALLS):
                return None
            query = f"SELECT min(created_at) FROM {CALLS} WHERE session_id = ?"  # noqa: S608 - a name in our code
            return moment(database.execute(query, (session,)).fetchone()[0])
    except (*DAMAGED, OSError):
        return None


def recognises(path: Path, head: bytes) -> bool:
    """A database with Copilot's table of calls, or the events of a session: its start, or the sums at its end."""
    if head.startswith(SQLITE):
        return has_columns(path, head, COLUMNS)
    squeezed = head.lstrip(b"\xef\xbb\xbf \t\r\n").replace(b'": "', b'":"')
    first = squeezed.split(b"\n", 1)[0]
    is_start = b'"type":"session.start"' in first and b'"sessionId"' in first and b'"data"' in first
    return squeezed.startswith(b"{") and (is_start or (b'"session.shutdown"' in head and b'"modelMetrics"' in head))


def places(home: Path, environment: Mapping[str, str]) -> list[Path]:
    folder = Path(environment.get("COPILOT_HOME") or home / ".copilot")
    return [folder / "session-store.db", *sorted((folder / "session-state").glob("*/events.jsonl"))]


FORMAT = LogFormat(
    name=NAME,
    title="GitHub Copilot CLI sessions",
    recognises=recognises,
    read=read,
    places=places,
    checked_against="documentation",
)
