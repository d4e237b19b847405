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

    def _events(self, number: int) -> list[str]:
        """What a recorder that sees requests would say of the call."""
        before = [call for call in self.calls[:number] if call.conversation == self.calls[number].conversation]
        changed = before and before[-1].request != self.calls[number].request
        return ["thinking"] if changed else []

    def _row(self, number: int, call: Sent, usage: dict[str, int], counted: dict[str, int]) -> dict[str, object]:
        return {
            "modicum": 1, "call_id": f"{self.name}:{number}", "provider": self.lane.provider, "model": call.model,
            "started": (BEGAN + timedelta(seconds=call.at)).isoformat(), "task": call.conversation,
            "conversation": call.conversation, "project": "p", "usage": usage,
            "events": self._events(number),
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


def switch_thinking(calls: Sequence[Sent], every: int) -> list[Sent]:
    """The same calls, with a budget for thinking that is another one from each so many turns on."""
    turn: dict[str, int] = {}
    changed = []
    for call in calls:
        number = turn[call.conversation] = turn.get(call.conversation, -1) + 1
        changed.append(replace(call, request=f"budget {number // every}"))
    return changed


def pauses(count: int, turns: int, *lengths: float) -> list[list[float]]:
    """Pauses that come round in turn, from another one on in each conversation."""
    return [[lengths[(turn + first) % len(lengths)] for turn in range(turns)] for first in range(count)]


def histories() -> list[History]:
    return [*_anthropic(), *_partial(), *_other_providers()]


def _anthropic() -> list[History]:
    lane, sonnet, off = LANES["anthropic"], "claude-sonnet-4-5", Setting()
    short, long = pauses(6, 12, 40, 70), pauses(6, 12, 40, 9 * MINUTE, 30, 25 * MINUTE)
    haiku = singles("claude-haiku-4-5", 60, 90, head=2_500)
    both5, both1, head5, head1 = Setting(BOTH, "5m"), Setting(BOTH, "1h"), Setting(HEAD, "5m"), Setting(HEAD, "1h")
    paused, busy = chats(sonnet, long, apart=11 * MINUTE), chats(sonnet, short, apart=130)
    in_waves = [replace(call, at=call.at + call.at // 300 * 1500) for call in singles(sonnet, 120, 2 * MINUTE)]
    alone = singles(sonnet, 50, 60, shared=False)
    opus, large = chats("claude-opus-5-5", long, apart=11 * MINUTE), chats(sonnet, short, apart=130, result=2_000)
    first = chats(sonnet, pauses(12, 3, 45), apart=100)
    switched, switched_late = switch_thinking(busy, 4), switch_thinking(paused, 5)
    to5, to1 = "cache_ttl=5m", "cache_ttl=1h"
    return [
        History("singles_uncached", to5, lane, singles(sonnet, 300, 2 * MINUTE), off, head5),
        History("singles_15_minutes", to1, lane, singles(sonnet, 300, 15 * MINUTE), off, head1),
        History("singles_too_far_apart", to5, lane, singles(sonnet, 80, 15 * MINUTE), off, head5),
        History("chats_uncached", to5, lane, first, off, both5),
        History("different_prompts", to5, lane, alone, off, Setting(END, "5m")),
        History("chats_5m_with_pauses", to1, lane, paused, both5, both1),
        History("chats_1h_without_pauses", to5, lane, busy, both1, both5),
        History("chats_no_cache_at_all", "cache_ttl=off", lane, busy, both5, off),
        History("singles_5m_to_1h", to1, lane, singles(sonnet, 120, 8 * MINUTE), head5, head1),
        History("singles_1h_now_and_then", to5, lane, in_waves, head1, head5),
        History("below_the_smallest_prefix", to5, LANES["anthropic_4096"], haiku, off, head5),
        History("opus_5_5_pauses", to1, LANES["anthropic_512"], opus, both5, both1),
        History("thinking_switched_uncached", to5, lane, switched, off, both5),
        History("thinking_switched_1h", to1, lane, switched_late, both5, both1),
        History("capped_results", "cap_tool_results=300", lane, large, both5, both5, cap=300),
    ]


def _partial() -> list[History]:
    lane, hidden = LANES["anthropic"], frozenset({"system"})
    calls = chats("claude-sonnet-4-5", pauses(5, 14, 40, 9 * MINUTE, 30, 25 * MINUTE), apart=11 * MINUTE)
    both5, both1, off = Setting(BOTH, "5m"), Setting(BOTH, "1h"), Setting()
    unlogged = History("unlogged_prompt_1h", "cache_ttl=1h", lane, calls, both5, both1, unlogged=hidden)
    return [
        unlogged,
        replace(unlogged, name="unlogged_prompt_off", what_if="cache_ttl=off", changed=off),
        replace(unlogged, name="counts_5_percent_off", unlogged=frozenset(), count_error=0.05),
        replace(unlogged, name="unlogged_and_miscounted", count_error=0.05),
    ]


def _other_providers() -> list[History]:
    memory, day, half, twelve = (Setting(ttl=ttl) for ttl in ("in_memory", "24h", "30m", "12h"))
    gemini, disk = Setting(ttl="implicit"), Setting(ttl="disk")
    short = pauses(6, 12, 40, 70)
    nightly = chats("gpt-5.1", pauses(6, 10, 40, 90 * MINUTE), apart=100)
    hours = chats("gpt-5.6-sol", pauses(6, 10, 40, 50 * MINUTE, 60, 2 * HOUR), apart=100)
    swap, cap = "model:gpt-4.1=gpt-4.1-mini", "cap_tool_results=300"
    old = LANES["openai"]

    def large(model: str) -> list[Sent]:
        return chats(model, short, apart=130, result=2_000)

    return [
        History("openai_24h", "cache_ttl=24h", old, nightly, memory, day),
        History("openai_smaller_model", swap, old, large("gpt-4.1"), memory, memory, other_model="gpt-4.1-mini"),
        History("openai_capped", cap, old, large("gpt-5.1"), memory, memory, cap=300),
        History("openai_12h", "cache_ttl=12h", LANES["openai_56"], hours, half, twelve),
        History("gemini_capped", cap, LANES["gemini"], large("gemini-2.5-flash"), gemini, gemini, cap=300),
        History("deepseek_capped", cap, LANES["deepseek"], large("deepseek-chat"), disk, disk, cap=300),
    ]
