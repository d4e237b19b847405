"""Codex without a terminal: the events that `codex exec --json` prints.

Traps, each with a fixture:

- `turn.completed` has the sum of the whole thread so far, of turns before a resumption too, whatever its name says: the
  last one is the thread's. So a thread is one record, which a later file of it replaces by its greater sum.
- The events name no model and no time: the time is that of the thread's id (a UUID of version 7), else of the file; the
  cost is unknown. The rollout in `~/.codex/sessions` has both, and every call: where it is read too, the sum is left
  out (`modicum.calls.session_reports`).
"""

import re
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from modicum.calls import Call, Charges, Problem
from modicum.calls.provider_names import provider_of_own_model
from modicum.calls.session_reports import RUN
from modicum.importers.agents.codex import KNOWN, Counts, counts_of
from modicum.importers.files import records
from modicum.importers.format import Found, LogFormat, Reading
from modicum.importers.recorded.exchanges import file_time
from modicum.importers.unpacking import plain_name
from modicum.providers.fields import mapping, moment, text
from modicum.providers.openai.usage import buckets
from modicum.providers.usage_guard import unknown_numbers

NAME = "codex-exec"


class ExecThread:
    """What a file tells of one thread."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.model = ""
        self.last: datetime | None = None
        self.before: Counts = (0,) * 5
        """The sums of counters that ended: one that falls has started again."""
        self.total: Counts = (0,) * 5
        self.caveats: list[str] = []

    def add(self, total: Counts) -> None:
        if any(now < then for now, then in zip(total, self.total, strict=True)):
            self.before = self.whole()
        self.total = total

    def whole(self) -> Counts:
        return tuple(map(sum, zip(self.before, self.total, strict=True)))


def read(path: Path, reading: Reading) -> Found:
    del reading
    unnamed = plain_name(path.name).removesuffix(".jsonl").removesuffix(".json")
    thread = ExecThread(unnamed)
    threads: dict[str, ExecThread] = {}
    for found in records(path):
        if isinstance(found, Problem):
            yield found
            continue
        number, row = found
        if row.get("type") == "thread.started":
            name = text(row.get("thread_id")) or unnamed
            thread = threads.setdefault(name, ExecThread(name))
        thread.model = text(row.get("model")) or thread.model
        thread.last = moment(row.get("timestamp")) or thread.last
        if row.get("type") == "turn.completed":
            try:
                usage = mapping(row.get("usage"))
                thread.add(counts_of(usage))
                thread.caveats += unknown_numbers(usage, KNOWN)
            except ValueError as error:
                yield Problem(str(path), f"not counted: {error}", number)
                continue
            threads.setdefault(thread.name, thread)
    for thread in threads.values():
        if any(thread.whole()):
            yield from _sum(path, thread)
    if not any(any(thread.whole()) for thread in threads.values()):
        yield Problem(str(path), "no turn of it has ended with its usage: nothing to count")


def _sum(path: Path, thread: ExecThread) -> Found:
    prompt, read_, written, completion, reasoning = thread.whole()
    started = _creation_time(thread.name)
    if started is None and thread.last is None:
        yield Problem(str(path), f"the thread {thread.name} has no time; the time of the file stands for it")
    usage = buckets(prompt=prompt, read=read_, written=written, completion=completion, reasoning=reasoning)
    yield Call(
        call_id=f"{NAME}:{thread.name}",
        source=NAME,
        provider=provider_of_own_model(thread.model),
        model=thread.model,
        started=started or thread.last or file_time(path),
        finished=thread.last,
        usage=usage,
        charges=Charges.of(caveats=thread.caveats),
        task=thread.name,
        place=RUN,
        revision=usage.total_tokens,
    )


def _creation_time(name: str) -> datetime | None:
    """When a thread was made, from its id: 48 bits of milliseconds since 1970."""
    try:
        identity = UUID(name)
    except ValueError:
        return None
    return datetime.fromtimestamp((identity.int >> 80) / 1000, UTC) if identity.version == 7 else None


_KIND = re.compile(rb'"type"\s*:\s*"(?:thread\.started|turn\.(?:started|completed|failed))"')


def recognises(path: Path, head: bytes) -> bool:
    """Events of a thread or of its turns."""
    del path
    return head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in {b"{", b"["} and _KIND.search(head[:8192]) is not None


FORMAT = LogFormat(
    name=NAME,
    title="Codex headless runs (codex exec --json)",
    recognises=recognises,
    read=read,
    checked_against="documentation",
)
