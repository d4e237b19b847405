"""Histories with a known answer: what a program sent, how it used the cache, and what it would have used instead."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from cache_provider import HOUR, LANES, MINUTE, Block, Lane, Sent, Setting, cap_results, cost_usd, simulate

BEGAN = datetime(2026, 11, 2, 9, tzinfo=UTC)
END, HEAD, BOTH = frozenset({"end"}), frozenset({"system"}), frozenset({"system", "end"})


@dataclass(frozen=True)
class History:
    """Two worlds that differ in one thing; the first is written as a log."""

    name: str
    what_if: str
    lane: Lane
    calls: list[Sent]
    recorded: Setting
    changed: Setting
    cap: int | None = None
    other_model: str | None = None
    unlogged: frozenset[str] = frozenset()
    """Kinds of blocks that the log does not show."""
    count_error: float = 0.0
    """By how much the log's own counts of blocks may be off."""

    def truth(self) -> float:
        """The share of the recorded cost that the change saves."""
        before = cost_usd(self.calls, simulate(self.calls, self.lane, self.recorded))
        calls = cap_results(self.calls, self.cap) if self.cap else self.calls
        if self.other_model:
            calls = [replace(call, model=self.other_model) for call in calls]
        return 1 - cost_usd(calls, simulate(calls, self.lane, self.changed)) / before

    def write(self, folder: Path) -> Path:
        """The recorded world, as modicum's own JSON lines."""
        random = np.random.default_rng(len(self.name))
        counted: dict[str, int] = {}
        path = folder / f"{self.name}.jsonl"
        usages = simulate(self.calls, self.lane, self.recorded)
        with path.open("w", encoding="utf-8") as out:
            for number, (call, usage) in enumerate(zip(self.calls, usages, strict=True)):
                for block in call.blocks:
                    error = 1 + self.count_error * random.uniform(-1, 1)
                    counted.setdefault(block.digest, max(1, round(block.tokens * error)))
                out.write(json.dumps(self._row(number, call, usage, counted)) + "\n")
        return path

    def _row(self, number: int, call: Sent, usage: dict[str, int], counted: dict[str, int]) -> dict[str, object]:
        return {
            "modicum": 1, "call_id": f"{self.name}:{number}", "provider": self.lane.provider, "model": call.model,
            "started": (BEGAN + timedelta(seconds=call.at)).isoformat(), "task": call.conversation,
            "conversation": call.conversation, "project": "p", "usage": usage,
            "segments": [
                {"kind": block.kind, "tokens": counted[block.digest], "digest": block.digest,
                 "basis": "estimated" if self.count_error else "exact"}
                for block in call.blocks if block.kind not in self.unlogged
            ],
        }  # fmt: skip


def _digest(*parts: object) -> str:
    import hashlib

    return hashlib.blake2b("/".join(map(str, parts)).encode(), digest_size=16).hexdigest()


def singles(
    model: str, count: int, gap: float, *, head: int = 12_000, asked: int = 300, shared: bool = True
) -> list[Sent]:
    """Calls that stand alone: one prompt, one question each."""
    return [
        Sent(number * gap, f"s{number}", (
            Block("system", _digest("head", 0 if shared else number), head),
            Block("user", _digest("question", number), asked)), 150, model)
        for number in range(count)
    ]  # fmt: skip


def chats(
    model: str, gaps: Sequence[Sequence[float]], *, apart: float, head: int = 8_000, result: int = 900
) -> list[Sent]:
    """Conversations with one system prompt: each turn adds a reply, a call of a tool and its result."""
    calls = []
    for number, pauses in enumerate(gaps):
        at = number * apart
        blocks = [Block("system", _digest("head"), head), Block("user", _digest("u", number), 200)]
        for turn, pause in enumerate((0.0, *pauses)):
            at += pause
            if turn:
                blocks += [Block("assistant", _digest("a", number, turn), 120),
                           Block("tool_result", _digest("r", number, turn), result + 37 * turn)]  # fmt: skip
            calls.append(Sent(at, f"c{number}", tuple(blocks), 120, model))
    return sorted(calls, key=lambda call: call.at)


def pauses(count: int, turns: int, *lengths: float) -> list[list[float]]:
    """Pauses that come round in turn, from another one on in each conversation."""
    return [[lengths[(turn + first) % len(lengths)] for turn in range(turns)] for first in range(count)]


def histories() -> list[History]:
    return [*_anthropic(), *_partial(), *_other_providers()]


def _anthropic() -> list[History]:
    lane, sonnet, off = LANES["anthropic"], "claude-sonnet-4-5", Setting()
    short, long = pauses(6, 12, 40, 70), pauses(6, 12, 40, 9 * MINUTE, 30, 25 * MINUTE)
    haiku = singles("claude-haiku-4-5", 60, 90, head=2_500)
    return [
        History("singles_uncached", "cache_ttl=5m", lane, singles(sonnet, 300, 2 * MINUTE), off, Setting(HEAD, "5m")),
        History("singles_15_minutes", "cache_ttl=1h", lane, singles(sonnet, 300, 15 * MINUTE), off, Setting(HEAD, "1h")),
        History("singles_too_far_apart", "cache_ttl=5m", lane, singles(sonnet, 80, 15 * MINUTE), off, Setting(HEAD, "5m")),
        History("chats_uncached", "cache_ttl=5m", lane, chats(sonnet, pauses(12, 3, 45), apart=100), off, Setting(BOTH, "5m")),
        History("different_prompts", "cache_ttl=5m", lane, singles(sonnet, 50, 60, shared=False), off, Setting(END, "5m")),
        History("chats_5m_with_pauses", "cache_ttl=1h", lane, chats(sonnet, long, apart=11 * MINUTE),
                Setting(BOTH, "5m"), Setting(BOTH, "1h")),
        History("chats_1h_without_pauses", "cache_ttl=5m", lane, chats(sonnet, short, apart=130),
                Setting(BOTH, "1h"), Setting(BOTH, "5m")),
        History("chats_no_cache_at_all", "cache_ttl=off", lane, chats(sonnet, short, apart=130), Setting(BOTH, "5m"), off),
        History("singles_5m_to_1h", "cache_ttl=1h", lane, singles(sonnet, 120, 8 * MINUTE),
                Setting(HEAD, "5m"), Setting(HEAD, "1h")),
        History("singles_1h_now_and_then", "cache_ttl=5m", lane,
                [replace(call, at=call.at + call.at // 300 * 1500) for call in singles(sonnet, 120, 2 * MINUTE)],
                Setting(HEAD, "1h"), Setting(HEAD, "5m")),
        History("below_the_smallest_prefix", "cache_ttl=5m", LANES["anthropic_4096"], haiku, off, Setting(HEAD, "5m")),
        History("opus_5_5_pauses", "cache_ttl=1h", LANES["anthropic_512"], chats("claude-opus-5-5", long, apart=11 * MINUTE),
                Setting(BOTH, "5m"), Setting(BOTH, "1h")),
        History("capped_results", "cap_tool_results=300", lane, chats(sonnet, short, apart=130, result=2_000),
                Setting(BOTH, "5m"), Setting(BOTH, "5m"), cap=300),
    ]  # fmt: skip


def _partial() -> list[History]:
    lane, sonnet = LANES["anthropic"], "claude-sonnet-4-5"
    long, hidden = pauses(5, 14, 40, 9 * MINUTE, 30, 25 * MINUTE), frozenset({"system"})
    both5, both1, off = Setting(BOTH, "5m"), Setting(BOTH, "1h"), Setting()
    return [
        History("unlogged_prompt_1h", "cache_ttl=1h", lane, chats(sonnet, long, apart=11 * MINUTE), both5, both1, unlogged=hidden),
        History("unlogged_prompt_off", "cache_ttl=off", lane, chats(sonnet, long, apart=11 * MINUTE), both5, off, unlogged=hidden),
        History("counts_5_percent_off", "cache_ttl=1h", lane, chats(sonnet, long, apart=11 * MINUTE), both5, both1,
                count_error=0.05),
        History("unlogged_and_miscounted", "cache_ttl=1h", lane, chats(sonnet, long, apart=11 * MINUTE), both5, both1,
                unlogged=hidden, count_error=0.05),
    ]  # fmt: skip


def _other_providers() -> list[History]:
    memory, day, none = Setting(ttl="in_memory"), Setting(ttl="24h"), Setting(ttl="implicit")
    half, twelve = Setting(ttl="30m"), Setting(ttl="12h")
    long, short = pauses(6, 10, 40, 90 * MINUTE), pauses(6, 12, 40, 70)
    hours = pauses(6, 10, 40, 50 * MINUTE, 60, 2 * HOUR)
    return [
        History("openai_24h", "cache_ttl=24h", LANES["openai"], chats("gpt-5.1", long, apart=100), memory, day),
        History("openai_smaller_model", "model:gpt-4.1=gpt-4.1-mini", LANES["openai"], chats("gpt-4.1", short, apart=130),
                memory, memory, other_model="gpt-4.1-mini"),
        History("openai_capped", "cap_tool_results=300", LANES["openai"], chats("gpt-5.1", short, apart=130, result=2_000),
                memory, memory, cap=300),
        History("openai_12h", "cache_ttl=12h", LANES["openai_56"], chats("gpt-5.6-sol", hours, apart=100), half, twelve),
        History("gemini_capped", "cap_tool_results=300", LANES["gemini"],
                chats("gemini-2.5-flash", short, apart=130, result=2_000), none, none, cap=300),
        History("deepseek_capped", "cap_tool_results=300", LANES["deepseek"],
                chats("deepseek-chat", short, apart=130, result=2_000), Setting(ttl="disk"), Setting(ttl="disk"), cap=300),
    ]  # fmt: skip
