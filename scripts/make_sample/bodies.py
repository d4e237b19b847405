"""Recorded requests and replies of the shop's own services, gzipped, since every request repeats its context."""

import gzip
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import quicktok
from provider import Counts, Part, Provider
from text import Writer

KEEPS = timedelta(minutes=5)
BETWEEN = 4
count = quicktok.get_encoding("o200k_base").count


@dataclass
class Service:
    """A program that calls a model: it writes down each request with its reply. One clock for all its calls."""

    provider: Provider
    app: str
    team: str
    model: str
    now: datetime
    said: Writer
    rows: list[dict[str, Any]] = field(default_factory=list)

    def wait(self, **gap: float) -> None:
        self.now += timedelta(**gap)

    def record(self, request: dict[str, Any], task: str, **fields: Any) -> tuple[datetime, datetime, dict[str, Any]]:
        """A row without its reply; when the request came, and when the reply began."""
        asked = self.now
        row = {
            "timestamp": asked.isoformat().replace("+00:00", "Z"),
            "task": task,
            "app": self.app,
            "team": self.team,
            **fields,
            "request": request,
        }
        self.wait(seconds=round(self.said.chance.uniform(0.6, 2.5), 3))
        ready = self.now
        self.wait(seconds=round(self.said.chance.uniform(0.5, 4), 3))
        row["duration_ms"] = int((self.now - asked).total_seconds() * 1000)
        self.rows.append(row)
        return asked, ready, row

    def openai(self, task: str, request: dict[str, Any], message: dict[str, Any], **fields: Any) -> None:
        lane = fields.pop("lane", "default")
        ends = fields.pop("ends", "tool_calls" if "tool_calls" in message else "stop")
        request = {"model": self.model, **request}
        asked, ready, row = self.record(request, task, **fields)
        counts = self.provider.implicit(self.model, parts_of(request), (asked, ready))
        output = count(json.dumps(message))
        row["response"] = {
            "id": f"chatcmpl-{self.app}{len(self.rows):04d}",
            "object": "chat.completion",
            "created": int(asked.timestamp()),
            "model": self.model,
            "service_tier": lane,
            "choices": [{"index": 0, "message": {"role": "assistant", **message}, "finish_reason": ends}],
            "usage": {
                "prompt_tokens": counts.prompt,
                "completion_tokens": output,
                "total_tokens": counts.prompt + output,
                "prompt_tokens_details": {"cached_tokens": counts.read},
            },
        }

    def refused(self, task: str, request: dict[str, Any]) -> None:
        _, _, row = self.record({"model": self.model, **request}, task)
        row["status"] = 529
        row["response"] = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}

    def anthropic(
        self, task: str, request: dict[str, Any], content: list[dict[str, Any]], *, cached: bool, ends: str = ""
    ) -> None:
        """Cached: with a mark behind the system prompt and one behind the last message."""
        request = {"model": self.model, "max_tokens": 2000, **request}
        asked, ready, row = self.record(request, task)
        parts = parts_of(request)
        marks = [1, len(parts) - 1] if cached else []
        counts = self.provider.explicit(self.model, parts, marks, (asked, ready), KEEPS)
        row["response"] = {
            "id": f"msg_{self.app}{len(self.rows):04d}",
            "type": "message",
            "role": "assistant",
            "model": self.model,
            "content": content,
            "stop_reason": ends or ("tool_use" if content[-1]["type"] == "tool_use" else "end_turn"),
            "usage": usage_of(counts, sum(count(json.dumps(block)) for block in content)),
        }

    def write(self, folder: Path) -> None:
        write_rows(folder / f"{self.app}.jsonl.gz", self.rows)


def parts_of(request: dict[str, Any]) -> list[Part]:
    """Tools, system prompt and messages, as a provider reads them: some tokens go to what stands between them."""
    system = request.get("system", "")
    tools = [json.dumps(tool.get("function", tool), separators=(",", ":")) for tool in request.get("tools", [])]
    parts = [Part("\n".join(tools), sum(count(tool) + BETWEEN for tool in tools))]
    parts += [Part(system, count(system) + BETWEEN)] if system else []
    parts += [Part(json.dumps(message), count(words_of(message)) + BETWEEN) for message in request["messages"]]
    return parts


def words_of(message: dict[str, Any]) -> str:
    """What a model reads of a message, without the JSON around it."""
    if calls := message.get("tool_calls"):
        return "\n".join(call["function"]["name"] + call["function"]["arguments"] for call in calls)
    content = message["content"]
    blocks = content if isinstance(content, list) else [{"text": content}]
    return "\n".join(
        block.get("text") or block.get("content") or block["name"] + json.dumps(block["input"]) for block in blocks
    )


def usage_of(counts: Counts, output: int) -> dict[str, Any]:
    return {
        "input_tokens": counts.uncached,
        "cache_creation_input_tokens": counts.written,
        "cache_read_input_tokens": counts.read,
        "cache_creation": {"ephemeral_5m_input_tokens": counts.written, "ephemeral_1h_input_tokens": 0},
        "output_tokens": output,
        "service_tier": "standard",
    }


def write_rows(path: Path, rows: list[dict[str, Any]]) -> None:
    """Gzipped without a time in the head, so that the same rows are the same file."""
    text = "".join(json.dumps(row, separators=(",", ":")) + "\n" for row in rows)
    path.write_bytes(gzip.compress(text.encode(), mtime=0))
