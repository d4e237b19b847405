"""Crush: `.crush/crush.db` (SQLite) in each project, found by `projects.json` in Crush's data folder.

Crush keeps no counts of calls: a session's `prompt_tokens` and `completion_tokens` are those of its last call. What it
sums up is its own estimate of the cost. Written from Crush's source (August 2026). Traps, each with a test:

- A session is one record with unknown counts and an estimated cost (the provider's own figure where OpenRouter served
  it, which nothing tells apart). A plan or a model without price costs 0 there: unknown.
- A subagent's cost is added to its parent's: sessions with a parent are not counted again.
- Times are seconds, though the schema says milliseconds.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from modicum.calls import Basis, Call, Charges, Usage
from modicum.calls.provider_names import provider_id
from modicum.importers.agents.agent_database import database_calls, has_columns, rows_of, table_calls
from modicum.importers.agents.row_calls import Row
from modicum.importers.files import document
from modicum.importers.format import Found, LogFormat, Reading
from modicum.providers.fields import checked_dollars, label, listed, mapping, start, text
from modicum.providers.usage_guard import unknown_counts

NAME = "crush"
TABLES = {
    "sessions": {"id", "parent_session_id", "prompt_tokens", "completion_tokens", "cost", "created_at", "updated_at"},
    "messages": {"session_id", "role", "parts", "model"},
}


def read(path: Path, reading: Reading) -> Found:
    del reading
    yield from database_calls(path, NAME, lambda database: _sessions(path, database))


def _sessions(path: Path, database: sqlite3.Connection) -> Found:
    models: dict[str, Counter[tuple[str, str]]] = {}
    for row in rows_of(database, "messages"):
        if row.get("role") == "assistant":
            served = text(row.get("provider")), text(row.get("model"))
            models.setdefault(label(row.get("session_id")), Counter())[served] += 1

    def calls_of(row: Row) -> Iterator[Call]:
        name = label(row.get("id"))
        served = models.get(name)
        if row.get("parent_session_id") or not served:
            return
        provider, model = next(iter(served)) if len(served) == 1 else ("", "")
        finished = start(row.get("updated_at"))
        yield Call(
            call_id=f"{NAME}:{name}",
            source=NAME,
            provider=provider_id(provider),
            model=model,
            started=min(start(row.get("created_at")), finished),
            finished=finished,
            usage=Usage(),
            usage_basis=Basis.UNKNOWN,
            output_basis=Basis.ESTIMATED,  # of the cost, which is all that is there
            reported_cost_usd=checked_dollars(row.get("cost")) or None,
            charges=Charges.of(caveats=unknown_counts(row, TABLES["sessions"], "sessions")),
            calls_count=served.total(),
            task=name,
            project=str(path.absolute().parent.parent) if path.absolute().parent.name == ".crush" else "",
            revision=int(finished.timestamp()),
        )

    yield from table_calls(path, database, "sessions", calls_of)


def recognises(path: Path, head: bytes) -> bool:
    return has_columns(path, head, TABLES)


def places(home: Path, environment: Mapping[str, str]) -> list[Path]:
    """The database of each project that Crush has on its list."""
    data = Path(environment.get("XDG_DATA_HOME") or home / ".local" / "share") / "crush"
    folders = [Path(environment.get("CRUSH_GLOBAL_DATA") or data)]
    if local := environment.get("LOCALAPPDATA"):
        folders.append(Path(local) / "crush")
    found = []
    for folder in folders:
        projects = mapping(document(folder / "projects.json")).get("projects")
        for project in map(mapping, listed(projects) or mapping(projects).values()):
            root, kept = text(project.get("path")), text(project.get("data_dir")) or ".crush"
            if root:
                found.append(Path(root) / kept / "crush.db")
    return found


FORMAT = LogFormat(
    name=NAME,
    title="Crush sessions (database)",
    recognises=recognises,
    read=read,
    places=places,
    checked_against="documentation",
    lines=False,
)
