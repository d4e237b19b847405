"""Codex CLI rollouts: rows as the client writes them, with running totals of tokens."""

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import quicktok
from provider import Part, Provider
from text import Writer

MODEL = "gpt-5.1-codex"
FRONT_TOKENS = 8_400
"""Tool schemas, which no rollout shows, and instructions."""
FIELDS = ("input_tokens", "cached_input_tokens", "output_tokens", "reasoning_output_tokens", "total_tokens")
count = quicktok.get_encoding("o200k_base").count


@dataclass
class Rollout:
    provider: Provider
    name: str
    thread: str
    folder: str
    branch: str
    now: datetime
    said: Writer
    rows: list[dict[str, Any]] = field(default_factory=list)
    number: int = 0

    def __post_init__(self) -> None:
        self.parts = [Part(f"front of {self.folder}", FRONT_TOKENS)]
        self.totals = dict.fromkeys(FIELDS, 0)
        meta = {
            "timestamp": self.stamp(),
            "cwd": self.folder,
            "originator": "codex_cli_rs",
            "cli_version": "0.64.0",
            "source": "cli",
            "model_provider": "openai",
            "id": self.thread,
            "git": {"branch": self.branch},
        }
        self.row("session_meta", meta)

    def stamp(self) -> str:
        return self.now.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def row(self, kind: str, payload: dict[str, Any]) -> None:
        self.rows.append({"timestamp": self.stamp(), "type": kind, "payload": payload})

    def wait(self, **gap: float) -> None:
        self.now += timedelta(**gap)

    def hear(self, text: str) -> None:
        self.parts.append(Part(text, count(text)))

    def user(self, text: str) -> None:
        self.row("event_msg", {"type": "task_started", "model_context_window": 272000})
        self.row("turn_context", {"cwd": self.folder, "approval_policy": "on-request", "model": MODEL})
        content = [{"type": "input_text", "text": text}]
        self.row("response_item", {"type": "message", "role": "user", "content": content})
        self.row("event_msg", {"type": "user_message", "message": text})
        self.hear(text)

    def reply(self, item: dict[str, Any], said: str, reasoning: int) -> None:
        asked = self.now
        self.wait(seconds=self.said.chance.uniform(4, 20))
        counts = self.provider.implicit(MODEL, self.parts, (asked, self.now))
        if reasoning:
            summary = [{"type": "summary_text", "text": self.said.prose(1)}]
            self.row("response_item", {"type": "reasoning", "summary": summary, "encrypted_content": "Z2lz" * 40})
        self.row("response_item", item)
        output = count(said) + reasoning
        last = dict(zip(FIELDS, (counts.prompt, counts.read, output, reasoning, counts.prompt + output), strict=True))
        self.totals = {name: self.totals[name] + last[name] for name in FIELDS}
        info = {"total_token_usage": self.totals, "last_token_usage": last, "model_context_window": 272000}
        self.row("event_msg", {"type": "token_count", "info": info, "rate_limits": None})
        self.parts.append(Part(f"reasoning {len(self.parts)}", reasoning))
        self.hear(said)

    def shell(self, command: str, shown: str, reasoning: int = 0) -> None:
        self.number += 1
        arguments = json.dumps({"command": ["bash", "-lc", command]})
        call = f"call_{self.name}{self.number}"
        item = {"type": "function_call", "name": "shell", "arguments": arguments, "call_id": call}
        self.reply(item, f"shell\n{arguments}", reasoning)
        self.wait(seconds=self.said.chance.uniform(0.4, 3))
        self.row("response_item", {"type": "function_call_output", "call_id": call, "output": shown})
        self.hear(shown)

    def say(self, text: str) -> None:
        content = [{"type": "output_text", "text": text}]
        self.reply({"type": "message", "role": "assistant", "content": content}, text, 64)
        self.row("event_msg", {"type": "task_complete", "last_agent_message": text})

    def write(self, folder: Path) -> None:
        lines = (json.dumps(row, separators=(",", ":")) for row in self.rows)
        path = folder / f"rollout-{self.now:%Y-%m-%d}-{self.thread}.jsonl"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
