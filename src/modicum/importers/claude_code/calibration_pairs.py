"""Steps of Claude Code conversations that are fit to calibrate token counts with.

A step is what was appended to the context between two calls of one conversation. Only such steps are given where the
log shows all of what was appended, so that the provider's count and ours are of the same text:

- one model; no compaction, no message by the client, no meta row between; a call not seen before in another file;
- the first call wrote nothing or text, and one tool call; no thinking, whose logged text is not what is counted;
- one tool result as text came after it and nothing else; no image, no second result, no words of the user;
- or: the first call wrote text alone, and one text of the user came after it.

Reminders that the client hides in a prompt are in no log and stay in. A tool call reaches the model with the values of
its parameters as they are, each in a frame of its own, and not as JSON: counted as JSON, the escaped line ends and
quotes of code make up a tenth of it.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from modicum.calls import Problem
from modicum.importers.claude_code.usage import NO_MODEL
from modicum.importers.files import records
from modicum.importers.unpacking import plain_name
from modicum.metering.calibration import CalibrationPair
from modicum.metering.content_kinds import find_content_kind

_FILE_TOOLS = frozenset({"Read", "Edit", "Write", "MultiEdit"})
_CONTENT = {"Bash": "output", "Grep": "search", "Glob": "search"}
_INPUT = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")


@dataclass(frozen=True)
class Step:
    session: str
    model: str
    prompt_growth_tokens: int
    texts: tuple[str, ...]
    """All that was appended. Never kept longer than it takes to count it."""
    content: str
    """The kind of most of it, as in `Calibration`."""
    tool_calls: int = 0
    parameters: int = 0

    def pair(self, count: Callable[[str], int]) -> CalibrationPair:
        raw_tokens = sum(map(count, self.texts))
        return CalibrationPair(
            raw_tokens, self.prompt_growth_tokens, self.session, self.content, self.tool_calls, self.parameters
        )


@dataclass(frozen=True)
class _Appended:
    texts: tuple[str, ...]
    content: str
    tool_calls: int = 0
    parameters: int = 0


@dataclass
class _Thread:
    """One conversation: its last call, and what was said since."""

    call: str = ""
    model: str = ""
    prompt_tokens: int = 0
    wrote: list[dict[str, Any]] = field(default_factory=list)
    came: list[dict[str, Any]] = field(default_factory=list)


def steps(path: Path, seen: set[str]) -> Iterator[Step | Problem]:
    """The clean steps of a transcript. `seen`: message ids of calls in this and earlier files; it grows."""
    threads: dict[str, _Thread] = {}
    session = plain_name(path.name).removesuffix(".jsonl")
    for record in records(path):
        if isinstance(record, Problem):
            yield record
            continue
        number, outer = record
        try:
            step = _step(outer, threads, seen, session)
        except (AttributeError, KeyError, TypeError):
            yield Problem(str(path), "not used: the row has an unknown shape", number)
            continue
        if step:
            yield step


def _step(outer: dict[str, Any], threads: dict[str, _Thread], seen: set[str], session: str) -> Step | None:
    row, name = _placed(outer)
    if row.get("type") == "system" and "compact" in str(row.get("subtype")):
        threads.pop(name, None)
    if row.get("type") not in {"assistant", "user"}:
        return None
    thread = threads.setdefault(name, _Thread())
    message = row.get("message") or {}
    content = message.get("content") or []
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else list(content)
    if row.get("isCompactSummary") or row.get("isMeta") or message.get("model") == NO_MODEL:
        thread.call = ""
    elif row["type"] == "user":
        thread.came += blocks
    elif thread.call == message["id"]:
        thread.wrote += blocks
    else:
        return _called(thread, message, blocks, seen, session)
    return None


def _placed(outer: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """The row that counts, and which conversation it belongs to."""
    if outer.get("type") == "progress":
        data = outer.get("data") or {}
        return data.get("message") or {}, str(data.get("agentId"))
    return outer, str(outer.get("agentId") or "side") if outer.get("isSidechain") else ""


def _called(
    thread: _Thread, message: dict[str, Any], blocks: list[dict[str, Any]], seen: set[str], session: str
) -> Step | None:
    """A new call begins: its prompt holds what was said since the one before."""
    call, model = str(message["id"]), str(message["model"])
    prompt_tokens = sum(int(message["usage"].get(name) or 0) for name in _INPUT)
    growth = prompt_tokens - thread.prompt_tokens
    step = None
    if thread.call and thread.model == model and growth > 0 and call not in seen:
        appended = _appended(thread)
        if appended:
            step = Step(
                session, model, growth, appended.texts, appended.content, appended.tool_calls, appended.parameters
            )
    seen.add(call)
    thread.call, thread.model, thread.prompt_tokens = call, model, prompt_tokens
    thread.wrote, thread.came = blocks, []
    return step


def _appended(thread: _Thread) -> _Appended | None:
    """What was appended and its kind of content, if the log shows all of it."""
    wrote = [block["type"] for block in thread.wrote]
    came = [block["type"] for block in thread.came]
    texts = tuple(block["text"] for block in thread.wrote if block["type"] == "text" and block["text"].strip())
    if wrote == ["text"] and came == ["text"]:
        return _Appended((*texts, thread.came[0]["text"]), "prose")
    if came != ["tool_result"] or wrote not in (["tool_use"], ["text", "tool_use"]):
        return None
    result, call = thread.came[0].get("content"), thread.wrote[-1]
    if not isinstance(result, str):
        return None
    tool, arguments = call["name"], call["input"]
    content = _CONTENT.get(tool, "")
    if tool in _FILE_TOOLS:
        content = find_content_kind(str(arguments.get("file_path", "")))
    values = [
        value if isinstance(value, str) else json.dumps(value, ensure_ascii=False) for value in arguments.values()
    ]
    return _Appended((*texts, tool, *arguments, *values, result), content, 1, len(arguments))
