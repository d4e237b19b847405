"""Zed's agent: `threads/threads.db` (SQLite) in Zed's data folder, a thread a row, its JSON packed with zstd.

Zed's threads tell little of what they cost. Written from Zed's source (2026); no database was at hand. Traps, each with
a test:

- `request_token_usage` has one request for each prompt, the last: those before it, for tools, are overwritten. Where
  `cumulative_token_usage` has more, that is the thread's sum; where it has not (many versions leave it at 0), what is
  there is a part, and a problem says so.
- A thread has one model, its last, and no times but its own. Only Anthropic's counts tell cached input apart.
- So a thread is one estimated record, or a lower bound. Zed sells models of its own plan (`zed.dev`) at its own prices.
- A subagent's thread is a row of its own; a shared thread that was imported has no counts.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from modicum.calls import Basis, Call, Charges, Problem, Usage
from modicum.calls.caveats import SUM_OF_SESSION
from modicum.calls.provider_names import provider_id
from modicum.importers.agents.agent_database import database_calls, has_columns, table_calls
from modicum.importers.agents.row_calls import Row
from modicum.importers.array_items import holds_too_much
from modicum.importers.files import MOST_DOCUMENT_BYTES
from modicum.importers.format import Found, LogFormat, Reading
from modicum.importers.recorded.aggregates import aggregated_count
from modicum.importers.unpacking import load_zstd
from modicum.providers.fields import label, mapping, moment, start, text
from modicum.providers.json_values import decoded
from modicum.providers.usage_guard import KnownFields, unknown_numbers

NAME = "zed"
COLUMNS = {"threads": {"id", "summary", "updated_at", "data_type", "data"}}
COUNTS = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "output_tokens")
KNOWN: KnownFields = dict.fromkeys(COUNTS, "priced")
"""What is done with every number of a usage object."""


def read(path: Path, reading: Reading) -> Found:
    del reading
    yield from database_calls(path, NAME, lambda database: _threads(path, database))


def _threads(path: Path, database: sqlite3.Connection) -> Found:
    in_part: list[str] = []

    def calls_of(row: Row) -> Iterator[Call]:
        thread = unpacked(row)
        prompts = [_usage(mapping(counts)) for counts in mapping(thread.get("request_token_usage")).values()]
        last = sum(prompts, Usage())
        whole = _usage(mapping(thread.get("cumulative_token_usage")))
        usage = whole if whole.total_tokens >= last.total_tokens else last
        if not usage.total_tokens:
            return
        name, parent = label(row.get("id")), label(row.get("parent_id"))
        is_whole = usage is whole
        if not is_whole:
            in_part.append(name)
        served = mapping(thread.get("model"))
        provider = text(served.get("provider"))
        finished = start(row.get("updated_at"))
        basis = Basis.LOWER_BOUND if not is_whole and provider == "anthropic" else Basis.ESTIMATED
        yield Call(
            call_id=f"{NAME}:{name}",
            source=NAME,
            provider=provider if provider == "zed.dev" else provider_id(provider),
            model=text(served.get("model")),
            started=min(moment(row.get("created_at")) or finished, finished),
            finished=finished,
            usage=usage,
            usage_basis=basis,
            output_basis=basis,
            charges=Charges.of(caveats=[SUM_OF_SESSION, *_unknown(thread)]),
            calls_count=max(len(prompts), 1),
            task=parent or name,
            conversation=name,
            agent=name if parent else "",
            project=text(row.get("folder_paths")).split("\n")[0],
            revision=usage.total_tokens,
        )

    yield from table_calls(path, database, "threads", calls_of)
    if in_part:
        yield Problem(
            str(path),
            f"of some threads ({len(in_part)}) Zed kept only the last request after each prompt: those before it, for "
            "tools, are in no sum (calls through the gateway are counted in full)",
        )


def unpacked(row: Row) -> Mapping[str, Any]:
    """The document of a thread.

    Raises:
        ValueError: it is none, or a larger one than a thread can be.
    """
    data = row.get("data")
    packed = data if isinstance(data, bytes) else text(data).encode()
    if row.get("data_type") == "zstd":
        zstd = load_zstd()
        unpacking = zstd.ZstdDecompressor()
        try:
            packed = unpacking.decompress(packed, MOST_DOCUMENT_BYTES)
        except zstd.ZstdError:
            raise ValueError("a thread is not packed with zstd, as it says") from None
        if not unpacking.eof:
            raise ValueError("a thread is cut off, or larger than any")
    if holds_too_much(packed):
        raise ValueError("a thread holds more values than any does")
    try:
        thread = decoded(packed)
    except (ValueError, RecursionError):
        raise ValueError("a thread is no JSON") from None
    return mapping(thread)


def _usage(counts: Mapping[str, Any]) -> Usage:
    uncached, read_, written, output = (aggregated_count(name, counts.get(name)) for name in COUNTS)
    return Usage(uncached, read_, written, 0, output)


def _unknown(thread: Mapping[str, Any]) -> list[str]:
    sums = (thread.get("cumulative_token_usage"), *mapping(thread.get("request_token_usage")).values())
    return [path for counts in sums for path in unknown_numbers(mapping(counts), KNOWN)]


def recognises(path: Path, head: bytes) -> bool:
    return has_columns(path, head, COLUMNS)


def places(home: Path, environment: Mapping[str, str]) -> list[Path]:
    folders = [
        Path(environment.get("XDG_DATA_HOME") or home / ".local" / "share") / "zed",
        home / "Library" / "Application Support" / "Zed",
        Path(environment.get("LOCALAPPDATA") or home / "AppData" / "Local") / "Zed",
    ]
    return [folder / "threads" / "threads.db" for folder in folders]


FORMAT = LogFormat(
    name=NAME,
    title="Zed agent threads (database)",
    recognises=recognises,
    read=read,
    places=places,
    checked_against="documentation",
    lines=False,
)
