"""What a design of an agent costs before it is built, from a few numbers; and these, from logs of one that is built.

A conversation's prompt grows by about as much with every call, so what all its calls send together grows with the
square of their number: where some conversations are much longer than others, they cost more than as many of average
length. The spread of their number is therefore one of the numbers.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence

import msgspec

from modicum.calls import Basis, Call, Entry, Usage
from modicum.calls.rates import Rates


class AgentDesign(msgspec.Struct, frozen=True, kw_only=True):
    """The numbers of a design."""

    calls: float
    """Of a conversation, on average."""
    calls_spread: float = 0.0
    """Standard deviation of their number, as a share of it; 0: all conversations are alike."""
    first_tokens: float
    """Of the first prompt: instructions, tools, the task."""
    growth_tokens: float = 0.0
    """By which each next prompt is longer."""
    output_tokens: float = 0.0
    """Of a reply, reasoning included."""
    cache_hits: float = 0.0
    """Share of what the call before had sent that is read from the cache; 0: no cache."""
    shared: float = 0.0
    """Share of the first prompt that other conversations have in the cache already."""
    hour: float = 0.0
    """Share of what is written to the cache that is kept for an hour, not five minutes."""
    conversations: float = 1.0
    """Of a task: its own and those of its subagents."""


class DesignEstimate(msgspec.Struct, frozen=True, kw_only=True):
    """Of a task, on average."""

    calls: float
    prompt_tokens: float
    cache_read_tokens: float
    cache_write_tokens: float
    uncached_tokens: float
    output_tokens: float
    cost_usd: float | None
    """None: no price is known."""
    parts_usd: dict[str, float]
    """By bucket: cache_read, cache_write, input_uncached, output."""
    largest_prompt_tokens: float
    """Of a conversation of average length."""


def tokens_of(design: AgentDesign) -> DesignEstimate:
    """The tokens of a design, without a price."""
    count, many = design.calls, design.conversations
    squares = count**2 * (1 + design.calls_spread**2)
    prompt = count * design.first_tokens + design.growth_tokens * max(squares - count, 0) / 2
    # What the calls before had sent: all prompts but the last of each conversation.
    before = max(count - 1, 0) * design.first_tokens
    before += design.growth_tokens * max(squares - 3 * count + 2, 0) / 2
    read = design.cache_hits * before + design.shared * design.first_tokens * min(count, 1)
    read = min(read, prompt)
    caches = design.cache_hits > 0 or design.shared > 0
    rest = prompt - read
    return DesignEstimate(
        calls=count * many,
        prompt_tokens=prompt * many,
        cache_read_tokens=read * many,
        cache_write_tokens=rest * many if caches else 0.0,
        uncached_tokens=0.0 if caches else rest * many,
        output_tokens=count * design.output_tokens * many,
        cost_usd=None,
        parts_usd={},
        largest_prompt_tokens=design.first_tokens + design.growth_tokens * max(count - 1, 0),
    )


def estimate_design(design: AgentDesign, rates: Rates | None) -> DesignEstimate:
    """The tokens and the price of a design."""
    tokens = tokens_of(design)
    if rates is None:
        return tokens
    written = float(rates.cache_write_1h) * design.hour + float(rates.cache_write_5m) * (1 - design.hour)
    parts = {
        "cache_read": tokens.cache_read_tokens * float(rates.cache_read),
        "cache_write": tokens.cache_write_tokens * written,
        "input_uncached": tokens.uncached_tokens * float(rates.input_uncached),
        "output": tokens.output_tokens * float(rates.output_visible),
    }
    cost = sum(parts.values()) + tokens.calls * float(rates.request)
    return msgspec.structs.replace(tokens, cost_usd=cost, parts_usd=parts)


def measure_design(entries: Iterable[Entry]) -> AgentDesign | None:
    """The numbers of what was built, from its calls; None: there are none with known tokens."""
    conversations: dict[tuple[str, str], list[Call]] = defaultdict(list)
    for entry in entries:
        call = entry.call
        if call.usage_basis is not Basis.UNKNOWN and call.calls_count:
            conversations[call.task, call.conversation or call.task].append(call)
    if not conversations:
        return None
    every = [sorted(calls, key=lambda one: (one.turn, one.started)) for calls in conversations.values()]
    return _measure([[call.usage for call in calls] for calls in every], len({task for task, _ in conversations}))


def _measure(every: Sequence[Sequence[Usage]], tasks: int) -> AgentDesign:
    counts = [len(usages) for usages in every]
    count = sum(counts) / len(counts)
    spread = math.sqrt(sum((one - count) ** 2 for one in counts) / len(counts)) / count
    firsts = [usages[0] for usages in every]
    first_tokens = sum(one.prompt_tokens for one in firsts)
    grown = sum(usages[-1].prompt_tokens - usages[0].prompt_tokens for usages in every)
    steps = sum(counts) - len(counts)
    before = sum(one.prompt_tokens for usages in every for one in usages[:-1])
    later_reads = sum(one.cache_read for usages in every for one in usages[1:])
    first_reads = sum(one.cache_read for one in firsts)
    hour = sum(one.cache_write_1h for usages in every for one in usages)
    short = sum(one.cache_write_5m for usages in every for one in usages)
    return AgentDesign(
        calls=count,
        calls_spread=spread,
        first_tokens=first_tokens / len(firsts),
        growth_tokens=max(grown / steps, 0.0) if steps else 0.0,
        output_tokens=sum(one.completion_tokens for usages in every for one in usages) / sum(counts),
        cache_hits=min(later_reads / before, 1.0) if before else 0.0,
        shared=min(first_reads / first_tokens, 1.0) if first_tokens else 0.0,
        hour=hour / (hour + short) if hour + short else 0.0,
        conversations=len(every) / max(tasks, 1),
    )


class BilledTasks(msgspec.Struct, frozen=True, kw_only=True):
    """What tasks came to in fact, beside an estimate."""

    tasks: int
    calls: int
    prompt_tokens: float
    """Per task, as the others."""
    output_tokens: float
    cost_usd: float | None
    """None: the cost of a call is not known."""
    error: float | None
    """Of the estimate, as a share of what was billed: +0.1 is ten per cent too much."""


def bill_tasks(entries: Iterable[Entry], estimate: DesignEstimate) -> BilledTasks | None:
    """What the tasks of these entries came to; None: there are none."""
    tasks: set[str] = set()
    calls = prompt = output = 0
    usd: float | None = 0.0
    for entry in entries:
        tasks.add(entry.call.task)
        calls += entry.call.calls_count
        prompt += entry.call.usage.prompt_tokens
        output += entry.call.usage.completion_tokens
        usd = None if usd is None or entry.cost.usd is None else usd + float(entry.cost.usd)
    if not tasks:
        return None
    count = len(tasks)
    cost = None if usd is None else usd / count
    error = estimate.cost_usd / cost - 1 if cost and estimate.cost_usd is not None else None
    return BilledTasks(
        tasks=count,
        calls=calls,
        prompt_tokens=prompt / count,
        output_tokens=output / count,
        cost_usd=cost,
        error=error,
    )
