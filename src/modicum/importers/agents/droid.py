"""Droid (Factory): `~/.factory/sessions/<folder>/<session>.settings.json`, one sum for the whole session.

Droid logs no counts of single calls. Written from the schema of its settings as public projects have it; no file was at
hand. Traps, each with a fixture:

- The sum is that of the session's last model, whatever models it had, and nothing tells whether reasoning is inside the
  output: an estimated record. The session's own rows, beside it, tell how many replies there were, and when.
- `tokenUsage` is the session's own; `inclusiveTokenUsage` holds its subagents' too, which have files of their own.
- The sum grows while the session goes on: a later record of it stands in the place of the earlier one.
- Names like `custom:Sonnet-0` are the user's own, and no models; `factoryCredits` are not dollars.
"""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from modicum.calls import Basis, Call, Charges, Problem
from modicum.calls.caveats import SUM_OF_SESSION
from modicum.calls.provider_names import provider_of_own_model
from modicum.calls.usage import is_counted
from modicum.importers.files import document, records
from modicum.importers.format import Found, LogFormat, Reading
from modicum.importers.recorded.aggregates import aggregated_count
from modicum.providers.fields import label, listed, mapping, moment, text
from modicum.providers.token_buckets import disjoint
from modicum.providers.usage_guard import KnownFields, unknown_numbers

NAME = "droid"
ENDING = ".settings.json"
COUNTS = ("inputTokens", "outputTokens", "cacheReadTokens", "cacheCreationTokens", "thinkingTokens")
KNOWN: KnownFields = {**dict.fromkeys(COUNTS, "priced"), "factoryCredits": "Factory's own, no dollars"}
"""What is done with every number of a sum."""


def read(path: Path, reading: Reading) -> Found:
    del reading
    if not path.name.endswith(ENDING):
        return  # the rows of a session: they are read with its settings
    found = document(path)
    if isinstance(found, Problem):
        yield found
        return
    settings = mapping(found)
    counts = mapping(settings.get("tokenUsage"))
    try:
        call = _sum(path, settings, counts) if any(counts.get(name) for name in COUNTS) else None
    except ValueError as error:
        yield Problem(str(path), f"not counted: {error}")
    else:
        if call:
            yield call


def _sum(path: Path, settings: Mapping[str, Any], counts: Mapping[str, Any]) -> Call:
    prompt, output, read_, written, thinking = (aggregated_count(name, counts.get(name)) for name in COUNTS)
    usage = disjoint(
        prompt + read_ + written, output, read=read_, written=(written, 0), reasoning=min(thinking, output)
    )
    rows = _Rows(path.with_name(path.name.removesuffix(ENDING) + ".jsonl"))
    started = rows.first or moment(settings.get("providerLockTimestamp"))
    if started is None:
        raise ValueError("neither the session's rows nor providerLockTimestamp tell its time")
    name, parent = path.name.removesuffix(ENDING), _parent(settings)
    model = text(settings.get("model"))
    model = "" if model.startswith("custom:") else model
    basis = Basis.ESTIMATED if is_counted(counts, "inputTokens") else Basis.UNKNOWN
    return Call(
        call_id=f"{NAME}:{name}",
        source=NAME,
        provider=provider_of_own_model(model),
        model=model,
        started=started,
        finished=rows.last,
        usage=usage,
        usage_basis=basis,
        output_basis=basis if is_counted(counts, "outputTokens") else Basis.UNKNOWN,
        charges=Charges.of(caveats=[SUM_OF_SESSION, *unknown_numbers(counts, KNOWN, "tokenUsage")]),
        calls_count=max(rows.replies, 1),
        task=parent or name,
        conversation=name,
        agent=name if parent else "",
        project=rows.project,
        revision=usage.total_tokens,
    )


def _parent(settings: Mapping[str, Any]) -> str:
    """The session whose subagent this one is."""
    callers = (mapping(mapping(tag).get("metadata")).get("callingSessionId") for tag in listed(settings.get("tags")))
    return next(filter(None, map(label, callers)), "")


class _Rows:
    """What a session's rows say: when it was, how many replies there were, and where."""

    def __init__(self, path: Path) -> None:
        self.first: datetime | None = None
        self.last: datetime | None = None
        self.replies = 0
        self.project = ""
        for found in records(path):
            if isinstance(found, Problem):
                continue  # the file is read for its own sake elsewhere, or is not there
            row = found[1]
            at = moment(row.get("timestamp"))
            self.first, self.last = self.first or at, at or self.last
            self.replies += mapping(row.get("message")).get("role") == "assistant"
            if row.get("type") == "session_start":
                self.project = text(row.get("cwd"))


def recognises(path: Path, head: bytes) -> bool:
    """Settings of a session with its sum; and the rows of a session, which hold no counts."""
    if not path.name.endswith(ENDING):
        is_rows = path.name.endswith(".jsonl") and b'"session_start"' in head[:4096]
        return is_rows and path.with_name(path.name.removesuffix(".jsonl") + ENDING).is_file()
    return head.lstrip().startswith(b"{") and b'"tokenUsage"' in head


def places(home: Path, environment: Mapping[str, str]) -> list[Path]:
    folder = Path(environment.get("FACTORY_DIR") or home / ".factory") / "sessions"
    return sorted(folder.glob(f"**/*{ENDING}"))


FORMAT = LogFormat(
    name=NAME,
    title="Droid (Factory) sessions",
    recognises=recognises,
    read=read,
    places=places,
    checked_against="documentation",
    lines=False,
)
