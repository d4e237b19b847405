"""Goose: `sessions.db` (SQLite), a row per call in `usage_ledger`, sums alone in older versions.

Written from the schemas of Goose 1.51 and 1.53 as public projects captured them, Goose's change that counts cached
input (pull request 9752), and its source for older sums. Traps, each in the fixture:

- `input_tokens` includes what was read from and written to the cache; the counts of the cache are parts of it.
- Sessions older than `usage_ledger` have sums (`accumulated_*`), at first without the cache, and only the last model.
  Such a session is one estimated record; where a session has rows, its sums are the same again and are not read.
- `cost` is Goose's estimate, unless `cost_source` says that the provider reported it.
- Goose can ask another agent's CLI (Claude Code, Codex, Gemini CLI, Cursor) for a reply, which has logs of its own.
- Times of rows are seconds, those of sessions text in UTC. Deleting a session deletes its rows.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from modicum.calls import Basis, Call, Charges, Problem, Usage
from modicum.calls.caveats import SUM_OF_SESSION
from modicum.calls.provider_names import provider_id, provider_of_own_model
from modicum.calls.usage import is_counted
from modicum.calls.words.counted_nouns import number_of
from modicum.importers.agents.agent_database import database_calls, has_columns, rows_of, table_calls
from modicum.importers.agents.row_calls import Row
from modicum.importers.format import Found, LogFormat, Reading
from modicum.importers.recorded.aggregates import aggregated_count
from modicum.importers.tags import named
from modicum.providers.fields import dollars, label, parsed_mapping, start, text
from modicum.providers.token_buckets import disjoint
from modicum.providers.usage_guard import unknown_counts

NAME = "goose"
TABLES = {"sessions": {"id", "working_dir", "accumulated_input_tokens"}, "messages": {"session_id", "content_json"}}
COUNTS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")
KNOWN = {*COUNTS, "total_tokens"}
KNOWN_SUMS = {*KNOWN, *(f"accumulated_{name}" for name in KNOWN)}
OTHER_AGENTS = ("claude-code", "claude_code", "claude-acp", "codex", "gemini-cli", "gemini_cli", "cursor-agent")
"""Beginnings of the names of providers that are other agents, with logs of their own."""


def read(path: Path, reading: Reading) -> Found:
    del reading
    yield from database_calls(path, NAME, lambda database: _Sessions(path, database).read())


class _Sessions:
    def __init__(self, path: Path, database: sqlite3.Connection) -> None:
        self.path = path
        self.database = database
        self.sessions = {label(row.get("id")): row for row in rows_of(database, "sessions")}
        self.elsewhere: Counter[str] = Counter()
        self.in_rows: set[str] = set()

    def read(self) -> Found:
        yield from table_calls(self.path, self.database, "usage_ledger", self._row)
        yield from table_calls(self.path, self.database, "sessions", self._sums)
        for agent, number in self.elsewhere.items():
            yield Problem(
                str(self.path),
                f"not counted, through {agent}, which has logs of its own: {number_of(number, 'record')}",
            )

    def _row(self, row: Row) -> Iterator[Call]:
        name = label(row.get("session_id"))
        self.in_rows.add(name)
        session = self.sessions.get(name, {})
        if not self._is_own(session) or not any(row.get(count) for count in COUNTS):
            return
        is_reported = text(row.get("cost_source")) == "provider_reported"
        at = start(row.get("created_timestamp"))
        yield _call(
            {name: row.get(name) for name in COUNTS},
            session,
            Basis.EXACT,
            call_id=f"{NAME}:{name}:{label(row.get('id'))}:{label(row.get('created_timestamp'))}",
            model=text(row.get("model")) or _model(session),
            started=at,
            finished=at,
            charges=Charges.of(
                caveats=unknown_counts(row, KNOWN, "usage_ledger"),
                provider_cost_usd=dollars(row.get("cost")) if is_reported else None,
            ),
            tags=named(kind="compaction" if row.get("is_compaction") == 1 else ""),
        )

    def _sums(self, session: Row) -> Iterator[Call]:
        name = label(session.get("id"))
        counts = {count: session.get(f"accumulated_{count}") for count in COUNTS}
        if name in self.in_rows or not any(counts.values()) or not self._is_own(session):
            return
        replies = self.database.execute(
            "SELECT count(*) FROM messages WHERE session_id = ? AND role = 'assistant'", (session["id"],)
        ).fetchone()[0]
        yield _call(
            counts,
            session,
            Basis.ESTIMATED,
            call_id=f"{NAME}:{name}:sums",
            model=_model(session),
            started=start(session.get("created_at")),
            finished=start(session.get("updated_at")),
            charges=Charges.of(caveats=[SUM_OF_SESSION, *unknown_counts(session, KNOWN_SUMS, "sessions")]),
            calls_count=max(replies, 1),
        )

    def _is_own(self, session: Row) -> bool:
        provider = text(session.get("provider_name"))
        if provider.startswith(OTHER_AGENTS):
            self.elsewhere[provider] += 1
            return False
        return True


def _call(counts: Mapping[str, Any], session: Row, known: Basis, **fields: Any) -> Call:
    usage = usage_from(counts)
    basis = known if is_counted(counts, "input_tokens") else Basis.UNKNOWN
    name = label(session.get("id"))
    return Call(
        source=NAME,
        provider=provider_id(text(session.get("provider_name"))) or provider_of_own_model(fields["model"]),
        usage=usage,
        usage_basis=basis,
        output_basis=basis if is_counted(counts, "output_tokens") else Basis.UNKNOWN,
        task=label(session.get("parent_session_id")) or name,
        conversation=name,
        agent=name if session.get("parent_session_id") else "",
        project=text(session.get("working_dir")),
        revision=usage.total_tokens,
        **fields,
    )


def usage_from(counts: Mapping[str, Any]) -> Usage:
    """The counts of a row, or a session's sums, as buckets.

    Raises:
        ValueError: a count is no count of tokens.
    """
    prompt, output, read_, written = (aggregated_count(name, counts.get(name)) for name in COUNTS)
    return disjoint(prompt, output, read=read_, written=(written, 0))


def _model(session: Row) -> str:
    return text(parsed_mapping(session.get("model_config_json")).get("model_name"))


def recognises(path: Path, head: bytes) -> bool:
    return has_columns(path, head, TABLES)


def places(home: Path, environment: Mapping[str, str]) -> list[Path]:
    if root := environment.get("GOOSE_PATH_ROOT"):
        return [Path(root) / "data" / "sessions" / "sessions.db"]
    roaming = Path(environment.get("APPDATA") or home / "AppData" / "Roaming")
    support = home / "Library" / "Application Support"
    folders = [
        Path(environment.get("XDG_DATA_HOME") or home / ".local" / "share") / "goose",
        support / "goose",
        support / "Block" / "goose",
        roaming / "Block" / "goose" / "data",
    ]
    return [folder / "sessions" / "sessions.db" for folder in folders]


FORMAT = LogFormat(
    name=NAME,
    title="Goose sessions (database)",
    recognises=recognises,
    read=read,
    places=places,
    checked_against="documentation",
    lines=False,
)
