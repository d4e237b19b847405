"""Writes the sample that the package ships: three invented Claude Code sessions with the usual kinds of waste in them.

All text is made here, from word lists, with a fixed seed. The provider's side is played by a simple rule: a prompt is
read from cache as far as it agrees with the one before it and that one is not older than five minutes.
"""

import json
import random
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

WORDS = [
    "order",
    "basket",
    "price",
    "stock",
    "customer",
    "address",
    "invoice",
    "refund",
    "parcel",
    "label",
    "carrier",
    "voucher",
    "discount",
    "tax",
    "shelf",
    "pallet",
    "return",
    "receipt",
    "supplier",
    "delivery",
    "quantity",
    "discount",
    "total",
    "currency",
    "rounding",
    "warehouse",
    "picker",
    "route",
    "depot",
    "slot",
]
VERBS = [
    "load",
    "save",
    "check",
    "count",
    "send",
    "group",
    "merge",
    "split",
    "find",
    "drop",
    "keep",
    "move",
    "sort",
    "join",
    "print",
    "parse",
    "fetch",
    "close",
]
OPUS, HAIKU = "claude-opus-4-5-20251101", "claude-haiku-4-5-20251001"
PREFIX_TOKENS = 17_800
TTL = timedelta(minutes=5)


class Session:
    """One transcript, written row by row, with the clock and the cache that belong to it."""

    def __init__(self, seed: int, name: str, branch: str, start: datetime) -> None:
        self.random = random.Random(seed)
        self.name, self.branch, self.now = name, branch, start
        self.rows: list[dict] = []
        self.parent: str | None = None
        self.number = 0
        self.prompt = PREFIX_TOKENS
        self.cached = 0
        self.cached_at = start

    def id(self, kind: str) -> str:
        self.number += 1
        return f"{kind}_{self.name[-4:]}{self.number:04d}"

    def row(self, kind: str, message: dict | None, **fields) -> str:
        uuid = self.id("row")
        self.rows.append(
            {
                "parentUuid": self.parent,
                "isSidechain": False,
                "userType": "external",
                "cwd": "/home/ada/shop",
                "sessionId": self.name,
                "version": "2.1.17",
                "gitBranch": self.branch,
                "type": kind,
                "uuid": uuid,
                "timestamp": self.now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                **({"message": message} if message else {}),
                **fields,
            }
        )
        self.parent = uuid
        return uuid

    def user(self, text: str) -> None:
        self.prompt += tokens(text)
        self.row("user", {"role": "user", "content": text})

    def wait(self, **gap: float) -> None:
        self.now += timedelta(**gap)

    def usage(self, output: int, *, broken_at: int | None = None) -> dict:
        fresh = self.now - self.cached_at > TTL
        read = 0 if fresh else self.cached
        if broken_at is not None:
            read = min(read, broken_at)
        written = max(self.prompt - read - 3, 0)
        self.cached, self.cached_at = self.prompt - 3, self.now
        return {
            "input_tokens": 3,
            "cache_creation_input_tokens": written,
            "cache_read_input_tokens": read,
            "cache_creation": {"ephemeral_5m_input_tokens": written, "ephemeral_1h_input_tokens": 0},
            "output_tokens": output,
            "service_tier": "standard",
        }

    def reply(self, blocks: list[dict], model: str = OPUS, **kwargs) -> None:
        """One call: its blocks are written as rows of one message, with the count growing as it does in real logs."""
        self.wait(seconds=self.random.uniform(3, 9))
        message_id, request = self.id("msg"), self.id("req")
        size = sum(tokens(json.dumps(block)) for block in blocks)
        usage = self.usage(size, **kwargs)
        for place, block in enumerate(blocks, 1):
            logged = {**usage, "output_tokens": max(1, size * place // (3 * len(blocks)))}
            message = {
                "id": message_id,
                "model": model,
                "type": "message",
                "role": "assistant",
                "content": [block],
                "stop_reason": None,
                "usage": logged,
            }
            self.row("assistant", message, requestId=request)
        self.prompt += size

    def tool(self, name: str, arguments: dict, result: str, *, error: bool = False, say: str = "", **kwargs) -> None:
        """A call that uses a tool, and the tool's result."""
        tool_id = self.id("toolu")
        blocks = [{"type": "text", "text": say}] if say else []
        blocks.append({"type": "tool_use", "id": tool_id, "name": name, "input": arguments})
        self.reply(blocks, **kwargs)
        self.wait(seconds=self.random.uniform(0.5, 4))
        self.prompt += tokens(result)
        content = [{"type": "tool_result", "tool_use_id": tool_id, "content": result, "is_error": error}]
        self.row("user", {"role": "user", "content": content})

    def compact(self, summary: str) -> None:
        self.parent = None
        self.row("system", None, subtype="compact_boundary", content="Conversation compacted")
        self.prompt = PREFIX_TOKENS + tokens(summary)
        self.cached = min(self.cached, PREFIX_TOKENS)
        self.row("user", {"role": "user", "content": summary}, isCompactSummary=True, isVisibleInTranscriptOnly=True)

    def subagent(self, agent: str, task: str, steps: int) -> None:
        """A subagent whose calls stand only in progress rows."""
        prompt, cached = 9_000 + tokens(task), 0
        self.progress(agent, {"type": "user", "message": {"role": "user", "content": [{"type": "text", "text": task}]}})
        for _ in range(steps):
            self.wait(seconds=self.random.uniform(2, 5))
            tool_id, pattern = self.id("toolu"), self.random.choice(WORDS)
            usage = {
                "input_tokens": 2,
                "cache_creation_input_tokens": prompt - cached - 2,
                "cache_read_input_tokens": cached,
                "cache_creation": {"ephemeral_5m_input_tokens": prompt - cached - 2, "ephemeral_1h_input_tokens": 0},
                "output_tokens": 4,
                "service_tier": "standard",
            }
            content = [{"type": "tool_use", "id": tool_id, "name": "Grep", "input": {"pattern": pattern}}]
            message = {"id": self.id("msg"), "model": HAIKU, "role": "assistant", "content": content, "usage": usage}
            self.progress(agent, {"type": "assistant", "requestId": self.id("req"), "message": message})
            cached = prompt - 2
            found = code(self.random, 12)
            result = [{"type": "tool_result", "tool_use_id": tool_id, "content": found}]
            self.progress(agent, {"type": "user", "message": {"role": "user", "content": result}})
            prompt += 60 + tokens(found)

    def progress(self, agent: str, inner: dict) -> None:
        stamp = self.now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        inner = {"uuid": self.id("row"), "timestamp": stamp, **inner}
        self.row("progress", None, data={"type": "agent_progress", "agentId": agent, "message": inner})

    def write(self, folder: Path) -> None:
        lines = (json.dumps(row, separators=(",", ":")) for row in self.rows)
        (folder / f"{self.name}.jsonl").write_text("\n".join(lines) + "\n")


def tokens(text: str) -> int:
    return max(1, len(text) * 10 // 36)


def prose(chance: random.Random, sentences: int) -> str:
    said = []
    for _ in range(sentences):
        words = [
            chance.choice(VERBS),
            "the",
            chance.choice(WORDS),
            "and",
            chance.choice(VERBS),
            "each",
            chance.choice(WORDS),
        ]
        said.append(" ".join(words).capitalize() + ".")
    return " ".join(said)


def code(chance: random.Random, lines: int) -> str:
    made = []
    for number in range(1, lines + 1):
        one, other, verb = chance.choice(WORDS), chance.choice(WORDS), chance.choice(VERBS)
        made.append(f"{number:6d}\t    {one}_{other} = {verb}_{one}(self.{other}, {chance.randint(0, 99)})")
    return "\n".join(made)


def feature(session: Session) -> None:
    """A session that goes well, apart from reading one file again and again and a long lunch."""
    session.user("Add a voucher to the basket. " + prose(session.random, 3))
    files = {
        name: code(session.random, size) for name, size in (("basket.py", 420), ("voucher.py", 160), ("tax.py", 90))
    }
    for name, text in files.items():
        session.tool("Read", {"file_path": f"/home/ada/shop/{name}"}, text, say=f"I read {name} first.")
    session.subagent("a1f3", "Find every caller of the basket total.", 5)
    for number in range(6):
        edit = {
            "file_path": "/home/ada/shop/basket.py",
            "old_string": f"line {number}",
            "new_string": code(session.random, 6),
        }
        session.tool("Edit", edit, "The file was changed.", say=prose(session.random, 1))
        if number in {1, 3}:
            session.tool(
                "Read", {"file_path": "/home/ada/shop/tax.py"}, files["tax.py"], say="I look at the tax again."
            )
    session.wait(minutes=48)
    session.user("Now run the tests.")
    session.tool("Bash", {"command": "pytest -q"}, code(session.random, 700) + "\n3 failed", say="Running the tests.")
    for _ in range(4):
        session.tool(
            "Bash",
            {"command": "pytest -q tests/test_voucher.py"},
            code(session.random, 40),
            say=prose(session.random, 1),
        )
    session.reply([{"type": "text", "text": "The voucher is in, and the tests pass."}])


def stuck(session: Session) -> None:
    """A session that repeats one failing command, loses its cached prefix, and is given up."""
    session.user("The nightly import fails. Find out why. " + prose(session.random, 2))
    session.tool("Read", {"file_path": "/home/ada/shop/import.py"}, code(session.random, 300), say="I read the import.")
    failure = "error: connection refused\n" + code(session.random, 30)
    for _ in range(5):
        session.tool("Bash", {"command": "make import"}, failure, error=True)
    session.tool(
        "Grep", {"pattern": "connect"}, code(session.random, 80), say="Let me look elsewhere.", broken_at=9_000
    )
    for number in range(4):
        session.tool(
            "Bash", {"command": f"tail -n {100 + number} import.log"}, code(session.random, 60), broken_at=9_000
        )
        session.wait(seconds=20)
    session.reply([{"type": "text", "text": "I could not find the cause."}])


def long_review(session: Session) -> None:
    """A long session on one-line questions to the dearest model, with a compaction in the middle."""
    session.user("Review the whole checkout module with me.")
    for number in range(14):
        text = code(session.random, session.random.randint(60, 260))
        session.tool("Read", {"file_path": f"/home/ada/shop/checkout/part{number}.py"}, text)
        if number % 4 == 3:
            session.reply([{"type": "text", "text": prose(session.random, 4)}])
            session.wait(minutes=session.random.choice([1, 2, 9]))
            session.user(prose(session.random, 1))
    session.compact("Summary of the review so far. " + prose(session.random, 12))
    session.user("Go on with the last three parts.")
    for number in range(14, 17):
        session.tool("Read", {"file_path": f"/home/ada/shop/checkout/part{number}.py"}, code(session.random, 120))
    session.reply([{"type": "text", "text": prose(session.random, 5)}])


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    start = datetime(2026, 3, 2, 9, tzinfo=UTC)
    stories = ((feature, "feature/voucher"), (stuck, "fix/import"), (long_review, "review/checkout"))
    for number, (story, branch) in enumerate(stories):
        session = Session(number, f"sample-{story.__name__.replace('_', '-')}", branch, start + timedelta(days=number))
        story(session)
        session.write(folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent / "src/modicum/sample")
