"""Which format a file is of, and the calls of many files, read by as many processes as help."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from modicum.calls import Call, Problem
from modicum.calls.caveats import explain_caveat, is_unknown_field
from modicum.calls.containment import contain
from modicum.calls.errors import unknown_name
from modicum.calls.outside.storable import storable
from modicum.calls.project_names import project_of
from modicum.calls.session_reports import REPORTS, SessionCalls
from modicum.calls.words.counted_nouns import number_of
from modicum.importers.files import head, is_document
from modicum.importers.folders import log_files
from modicum.importers.format import Found, LogFormat, Reading
from modicum.importers.unpacking import plain_name

if TYPE_CHECKING:
    from modicum.importers.forks import BookedIn

FORMATS = {
    "qwen-code": "agents.qwen_code",
    "claude-code": "claude_code.format",
    "codex": "agents.codex",
    "gemini-cli": "agents.gemini_cli",
    "opencode-run": "agents.opencode_run",
    "opencode": "agents.opencode",
    "pi": "agents.pi",
    "copilot-cli": "agents.copilot_cli",
    "cline": "agents.cline",
    "kimi": "agents.kimi",
    "goose": "agents.goose",
    "cursor": "agents.cursor",
    "amp": "agents.amp",
    "droid": "agents.droid",
    "crush": "agents.crush",
    "zed": "agents.zed",
    "llm": "agents.llm",
    "claude-headless": "agents.claude_headless",
    "codex-exec": "agents.codex_exec",
    "openai-usage": "recorded.openai_usage",
    "anthropic-usage": "recorded.anthropic_usage",
    "openai": "recorded.openai",
    "anthropic": "recorded.anthropic",
    "litellm": "exports.litellm",
    "langfuse": "exports.langfuse",
    "helicone": "exports.helicone",
    "langsmith": "exports.langsmith",
    "otlp": "exports.otlp",
    "modicum": "exports.modicum",
}
"""Name of each format and the file that reads it, in the order in which they are asked whether they know a file."""

PLAUSIBLE_YEARS = range(2018, 2100)
"""A clock that stands elsewhere was wrong: before there were such models, or far ahead."""

MOST_PROBLEMS = 1_000
"""Of one file that are given one by one; the others are counted."""
GIVEN_UP_AT = 250_000
"""Problems in one file after which it is not read on: each costs time, and a megabyte of gzip can hold a billion."""

WORTH_A_PROCESS_BYTES = 8 * 1024 * 1024
"""Below this a second process costs more than it brings."""


@cache
def format_named(name: str) -> LogFormat:
    """The format of that name.

    Raises:
        UserError: there is none.
    """
    if name not in FORMATS:
        raise unknown_name("source", name, FORMATS)
    found = import_module(f"modicum.importers.{FORMATS[name]}").FORMAT
    assert isinstance(found, LogFormat)  # noqa: S101 - a format file without FORMAT is a bug
    return found


def found_places(home: Path, environment: Mapping[str, str]) -> dict[str, list[Path]]:
    """The log files and folders on this machine that hold anything, by format."""
    places = {
        name: [place for place in format_named(name).places(home, environment) if _holds_logs(place)]
        for name in FORMATS
    }
    return {name: paths for name, paths in places.items() if paths}


def _holds_logs(place: Path) -> bool:
    return place.exists() and any(isinstance(found, Path) for found in log_files(place))


@dataclass(frozen=True)
class LogFile:
    path: Path
    format_name: str


def recognise(path: Path, source: str | None = None) -> LogFile | Problem:
    """The file with its format, from content, or why it has none."""
    start = head(path)
    if isinstance(start, Problem):
        return start
    if source:
        return LogFile(path, format_named(source).name)
    if not start.strip():
        return Problem(str(path), "the file is empty")
    named_as_lines = plain_name(path.name).endswith((".jsonl", ".ndjson"))
    for name in FORMATS:
        log_format = format_named(name)
        if log_format.recognises(path, start):
            if named_as_lines and not log_format.lines and is_document(start):
                return Problem(
                    str(path),
                    f"one JSON document where the name promises lines; looks like {name}: "
                    f"not counted (count it with --source {name})",
                )
            return LogFile(path, name)
    return Problem(str(path), "no known log format; --source NAME forces one")


def read_calls(
    paths: Iterable[Path],
    reading: Reading,
    *,
    source: str | None = None,
    processes: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    booked_in: "BookedIn | None" = None,
) -> Found:
    """The calls and problems in files and folders, file by file in their order.

    One call may come several times, from several files; `Call.revision` says which stands.
    `progress` is told the bytes done and the bytes in all. `booked_in` says which calls a ledger knows, and where: what
    they brought is not taken for booked in another conversation that repeats them.
    """
    if source:
        format_named(source)
    files: list[Sized] = []
    for path in paths:
        for found in log_files(path):
            if isinstance(found, Problem):
                yield found
            else:
                files.append(Sized(found, _size(found)))
    calls = _without_repeated_reports(_read(files, _Task(reading, source), processes, progress))
    if reading.anatomy:
        # It loads numpy and the tokenizer, which a bill does without.
        from modicum.importers.anatomy_reading import order_conversations

        calls = order_conversations(calls, booked_in)
    yield from calls


def _without_repeated_reports(found: Found) -> Found:
    """Without what only reports on calls that stand in these files: reports come last, if they do."""
    known, reports = SessionCalls(), []
    for one in found:
        if isinstance(one, Problem):
            yield one
            continue
        known.add(one)
        if one.place in REPORTS:
            reports.append(one)
        else:
            yield one
    yield from (report for report in reports if not known.has(report))


@dataclass(frozen=True)
class Sized:
    path: Path
    size: int


@dataclass(frozen=True)
class _Task:
    reading: Reading
    source: str | None


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0  # reading it will say why


def _read(
    files: Sequence[Sized],
    task: _Task,
    processes: int | None,
    progress: Callable[[int, int], None] | None,
) -> Found:
    whole = sum(file.size for file in files)
    if progress:
        progress(0, whole)
    workers = min(processes or os.cpu_count() or 1, len(files), whole // WORTH_A_PROCESS_BYTES + 1)
    if workers > 1:
        yield from _read_beside(files, task, workers, whole, progress)
        return
    done = 0
    for file in files:
        yield from _read_file(file.path, task)
        done += file.size
        if progress:
            progress(done, whole)


def _read_file(path: Path, task: _Task) -> Found:
    """What is in one file. Whatever is wrong with it ends no more than it: the rest goes on."""
    problems = 0
    doubts = _Doubts(path)
    is_odd = not _is_storable(str(path))  # calls without a name of their own are called after their file
    with contain() as reading:  # a fault of ours, or of the disk under the file
        for found in _placed(path, task):
            if isinstance(found, Call):
                if found.charges.caveats:
                    doubts.add(found)
                yield _renamed(found) if is_odd else found
                continue
            problems += 1
            if problems <= MOST_PROBLEMS:
                yield found
            elif problems == GIVEN_UP_AT:
                break
    if reading.error is not None:
        error = type(reading.error).__name__
        yield Problem(str(path), f"the rest is not read: {error} in the reader; please report it")
    if problems > MOST_PROBLEMS:
        end = "; the rest is not read" if problems == GIVEN_UP_AT else ""
        yield Problem(str(path), f"{number_of(problems - MOST_PROBLEMS, 'more problem')} in this file{end}")
    yield from doubts.problems()


class _Doubts:
    """Fields that nobody knows, in the calls of one file: each is a problem once, however many calls have it."""

    def __init__(self, path: Path) -> None:
        self._path = str(path)
        self._calls: dict[str, set[str]] = {}

    def add(self, call: Call) -> None:
        for caveat in filter(is_unknown_field, call.charges.caveats):
            self._calls.setdefault(caveat, set()).add(call.call_id)

    def problems(self) -> Iterator[Problem]:
        for caveat, calls in self._calls.items():
            reason = (
                f"{explain_caveat(caveat)}, in {number_of(len(calls), 'call')}, whose cost is estimated; {REPORT_HINT}"
            )
            yield Problem(self._path, reason, is_of_cost=True)


REPORT_HINT = "'modicum doctor --unknown-fields' writes a report to send"


def _placed(path: Path, task: _Task) -> Found:
    known = recognise(path, task.source)
    if isinstance(known, Problem):
        yield known
        return
    log_format = format_named(known.format_name)
    if task.reading.anatomy:
        from modicum.importers.anatomy_reading import read_with_listeners  # as above

        calls = read_with_listeners(log_format, path, task.reading)
    else:
        calls = log_format.read(path, task.reading)
    for found in calls:
        if isinstance(found, Problem):
            yield found
        elif found.started.year in PLAUSIBLE_YEARS:
            yield with_project(with_steady_clock(found))
        else:
            yield Problem(str(path), f"a call's time lies in the year {found.started.year}: not counted")


def _is_storable(text: str) -> bool:
    return storable(text) == text


def _renamed(call: Call) -> Call:
    """The call without half characters in its names, which a file's name may bring."""
    names = {name: value for name in call.__struct_fields__ if isinstance(value := getattr(call, name), str)}
    return msgspec.structs.replace(
        call, **{name: type(value)(storable(value)) for name, value in names.items() if not _is_storable(value)}
    )


def with_steady_clock(call: Call) -> Call:
    """The call without times before its start, or where no clock stands: one that jumped tells no durations."""
    if call.first_token is not None and (
        call.first_token < call.started or call.first_token.year not in PLAUSIBLE_YEARS
    ):
        call = msgspec.structs.replace(call, first_token=None)
    if call.finished is not None and (
        call.finished < (call.first_token or call.started) or call.finished.year not in PLAUSIBLE_YEARS
    ):
        call = msgspec.structs.replace(call, finished=None)
    return call


def with_project(call: Call) -> Call:
    """The call under its project's one name; how the log spells the folder stays as the tag `folder`."""
    project = project_of(call.project)
    if project == call.project:
        return call
    return msgspec.structs.replace(call, project=project, tags={"folder": call.project, **call.tags})


def _read_beside(
    files: Sequence[Sized],
    task: _Task,
    workers: int,
    whole: int,
    progress: Callable[[int, int], None] | None,
) -> Found:
    """Reads chunks of files in other processes, a bounded number ahead, and gives them in order."""
    from modicum.importers.process_pool import map_in_processes  # most logs are read in this process

    chunks = list(_chunks(files, whole // (workers * 4) + 1))
    # A child of fork starts in milliseconds but must not inherit threads: DuckDB has some from its import on.
    fork = sys.platform == "linux" and "duckdb" not in sys.modules
    if fork and task.reading.anatomy and task.reading.count is None:
        from modicum.metering.tokens import load_encoding

        load_encoding()  # once, and all processes share it: it takes as long as reading 30 MB
    done = 0
    packed_chunks = map_in_processes(partial(_read_chunk, task), chunks, workers, "fork" if fork else "spawn")
    for chunk, packed in zip(chunks, packed_chunks, strict=True):
        batch = _unpack(packed)
        yield from batch.calls
        yield from batch.problems
        done += sum(file.size for file in chunk)
        if progress:
            progress(done, whole)


class Batch(msgspec.Struct, gc=False):
    """What crosses from one process to another."""

    calls: list[Call]
    problems: list[Problem]


_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(Batch).decode


def _read_chunk(task: _Task, files: Sequence[Sized]) -> bytes:
    batch = Batch([], [])
    for file in files:
        for found in _read_file(file.path, task):
            if isinstance(found, Call):
                batch.calls.append(found)
            else:
                batch.problems.append(found)
    return _pack(batch)


def _chunks(files: Sequence[Sized], size: int) -> Iterator[list[Sized]]:
    """Neighbouring files, gathered to about that many bytes."""
    chunk: list[Sized] = []
    held = 0
    for file in files:
        chunk.append(file)
        held += file.size
        if held >= size:
            yield chunk
            chunk, held = [], 0
    if chunk:
        yield chunk
