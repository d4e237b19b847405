"""Claude Code transcripts: rows as the client writes them, with the counts of the provider that it talked to."""

import json
import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from provider import Counts, Part, Provider
from text import Writer, tokens

OPUS, HAIKU = "claude-opus-4-5-20251101", "claude-haiku-4-5-20251001"
FRONT_TOKENS, AGENT_FRONT_TOKENS = 17_800, 9_100
KEEPS = timedelta(minutes=5)
UNMARKED = 3
"""Tokens at the end of a prompt, behind the client's last mark."""


@dataclass
class Prompt:
    """The context of one conversation: its front, and what has come behind it."""

    parts: list[Part]
    fresh: int = 0

    def add(self, text: str) -> None:
        size = tokens(text)
        self.parts.append(Part(text, max(size - UNMARKED, 1)))
        self.parts.append(Part(text[-1:], UNMARKED))


@dataclass
class Session:
    """One transcript, written row by row; `said` gives it its words."""

    provider: Provider
    name: str
    person: str
    branch: str
    now: datetime
    said: Writer
    rows: list[dict[str, Any]] = field(default_factory=list)
    parent: str | None = None
    number: int = 0

    def __post_init__(self) -> None:
        self.prompt = Prompt([Part(f"front of {self.folder}", FRONT_TOKENS)])
        self.last_output = 0

    @property
    def folder(self) -> str:
        return f"/home/{self.person}/shop"

    @property
    def chance(self) -> random.Random:
        return self.said.chance

    def id(self, kind: str) -> str:
        self.number += 1
        return f"{kind}_{self.name.replace('-', '')}{self.number:04d}"

    def stamp(self) -> str:
        return self.now.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def row(self, kind: str, message: dict[str, Any] | None, **fields: Any) -> None:
        uuid = self.id("row")
        self.rows.append(
            {
                "parentUuid": self.parent,
                "isSidechain": False,
                "userType": "external",
                "cwd": self.folder,
                "sessionId": self.name,
                "version": "2.1.17",
                "gitBranch": self.branch,
                "type": kind,
                "uuid": uuid,
                "timestamp": self.stamp(),
                **({"message": message} if message else {}),
                **fields,
            }
        )
        self.parent = uuid

    def wait(self, **gap: float) -> None:
        self.now += timedelta(**gap)

    def user(self, text: str) -> None:
        self.prompt.add(text)
        self.row("user", {"role": "user", "content": text})

    def ask(self, model: str, prompt: Prompt) -> dict[str, Any]:
        """Sends the prompt; afterwards it is the time of the reply's first block."""
        asked = self.now
        self.wait(seconds=self.chance.uniform(2, 5))
        marks = [0, len(prompt.parts) - 2]
        counts = self.provider.explicit(model, prompt.parts, marks, (asked, self.now), KEEPS)
        return usage_of(counts)

    def reply(self, blocks: list[dict[str, Any]], **extra: Any) -> None:
        """One call: its blocks are rows of one message, with an output count that grows and is never final."""
        usage = self.ask(OPUS, self.prompt) | extra
        message_id, request = self.id("msg"), self.id("req")
        size = sum(tokens(json.dumps(block)) for block in blocks)
        for place, block in enumerate(blocks, 1):
            message = {
                "id": message_id,
                "model": OPUS,
                "type": "message",
                "role": "assistant",
                "content": [block],
                "stop_reason": None,
                "usage": {**usage, "output_tokens": max(1, size * place // (3 * len(blocks)))},
            }
            self.row("assistant", message, requestId=request)
            if place < len(blocks):
                self.wait(seconds=self.chance.uniform(0.5, 3))
        self.prompt.add(json.dumps(blocks))

    def say(self, text: str) -> None:
        self.reply([{"type": "text", "text": text}])

    def tool(self, name: str, arguments: dict[str, Any], result: str, *, failed: bool = False, say: str = "") -> None:
        """A call that uses a tool, and the tool's result."""
        tool_id = self.id("toolu")
        blocks: list[dict[str, Any]] = [{"type": "text", "text": say}] if say else []
        blocks.append({"type": "tool_use", "id": tool_id, "name": name, "input": arguments})
        self.reply(blocks)
        self.wait(seconds=self.chance.uniform(0.5, 4))
        self.prompt.add(result)
        content = [{"type": "tool_result", "tool_use_id": tool_id, "content": result, "is_error": failed}]
        self.row("user", {"role": "user", "content": content})

    def read(self, name: str, code: str, say: str = "") -> None:
        self.tool("Read", {"file_path": f"{self.folder}/{name}"}, self.said.numbered(code), say=say)

    def edit(self, name: str, code: str) -> None:
        """Changes two lines of a file that was read."""
        lines = code.split("\n")
        at = self.chance.randrange(len(lines) - 2)
        arguments = {
            "file_path": f"{self.folder}/{name}",
            "old_string": "\n".join(lines[at : at + 2]),
            "new_string": f"{lines[at]}\n{self.said.code(3)}\n{lines[at + 1]}",
        }
        self.tool("Edit", arguments, f"The file {self.folder}/{name} has been updated.", say=self.said.prose(1))

    def run(self, command: str, shown: str, *, failed: bool = False, say: str = "") -> None:
        self.tool("Bash", {"command": command}, shown, failed=failed, say=say)

    def compact(self, summary: str) -> None:
        self.parent = None
        self.row("system", None, subtype="compact_boundary", content="Conversation compacted")
        self.prompt = Prompt(self.prompt.parts[:1])
        self.prompt.add(summary)
        self.row("user", {"role": "user", "content": summary}, isCompactSummary=True, isVisibleInTranscriptOnly=True)

    def subagent(self, agent: str, task: str, steps: int) -> None:
        """A subagent whose calls stand only in progress rows."""
        prompt = Prompt([Part(f"agent's front of {self.folder}", AGENT_FRONT_TOKENS)])
        prompt.add(task)
        self.progress(agent, {"type": "user", "message": {"role": "user", "content": [{"type": "text", "text": task}]}})
        for step in range(steps):
            word = self.said.noun()
            usage = self.ask(HAIKU, prompt)
            blocks: list[dict[str, Any]]
            tool_id = self.id("toolu")
            blocks = [{"type": "tool_use", "id": tool_id, "name": "Grep", "input": {"pattern": word}}]
            if step == steps - 1:
                blocks = [{"type": "text", "text": self.said.prose(4)}]
            usage["output_tokens"] = tokens(json.dumps(blocks))
            message = {"id": self.id("msg"), "model": HAIKU, "role": "assistant", "content": blocks, "usage": usage}
            self.progress(agent, {"type": "assistant", "requestId": self.id("req"), "message": message})
            prompt.add(json.dumps(blocks))
            if step < steps - 1:
                found = self.said.found(word, 14)
                prompt.add(found)
                result = [{"type": "tool_result", "tool_use_id": tool_id, "content": found}]
                self.progress(agent, {"type": "user", "message": {"role": "user", "content": result}})

    def progress(self, agent: str, inner: dict[str, Any]) -> None:
        inner = {"uuid": self.id("row"), "timestamp": self.stamp(), **inner}
        self.row("progress", None, data={"type": "agent_progress", "agentId": agent, "message": inner})

    def write(self, folder: Path) -> None:
        lines = (json.dumps(row, separators=(",", ":")) for row in self.rows)
        (folder / f"{self.name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


def usage_of(counts: Counts) -> dict[str, Any]:
    """As the client logs it."""
    return {
        "input_tokens": counts.uncached,
        "cache_creation_input_tokens": counts.written,
        "cache_read_input_tokens": counts.read,
        "cache_creation": {"ephemeral_5m_input_tokens": counts.written, "ephemeral_1h_input_tokens": 0},
        "output_tokens": 0,
        "service_tier": "standard",
    }
