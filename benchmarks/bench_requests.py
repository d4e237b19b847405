"""What the rules that run by themselves add to a long request, its history seen and not seen.

scripts/bench requests [--kb 200] [--rounds 40] [--json]

One conversation of an agent, 40 tool results (files with numbered lines, matches of a search, JSON in turn) behind 55
kB of tools and instructions; the rules change nearly all of them. CPU, medians and least, of all that the gateway does
with the request until it goes out and until what rules changed is counted: its facts, its context, and with rules its
place in the conversation, its prompt, the rules, the request as they want it, the tokens of each change. `..._added_ms`
is what a call with rules takes more than one without, in alternating rounds; `..._added_of_json` the same as a share of
what `json.loads` of the request takes in the same rounds.
"""

import argparse
import gc
import json
import statistics
import sys
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import measured
from modicum.calls.facts import Facts
from modicum.context.live import Counts, LiveContexts
from modicum.context.live_turns import LiveTurns
from modicum.gateway.edit_tokens import EditTokens
from modicum.metering.digests import Digester
from modicum.optimizers.all_rules import DEFAULT_RULES
from modicum.optimizers.running import RequestCall, prompt_in
from modicum.providers.dialects import DIALECTS
from modicum.providers.seen_requests import SeenRequests

TURNS, HEAD_KB = 40, 55
TOOLS = ("Read", "Grep", "mcp__shop__orders")
LINE = "        return self.total(order, {0}) if order.paid else self.remind(order.customer, {0})"


def result(turn, size):
    """A file, a search or rows of a shop, of that many characters."""
    shown = turn * 100 + 1
    if turn % 3 == 0:
        lines = [f"{shown + n:6}→{LINE.format(n * turn)}" for n in range(size // 100)]
    elif turn % 3 == 1:
        lines = [f"src/shop/orders/part_{turn}.py:{shown + n}:{LINE.format(n)}" for n in range(size // 120)]
    else:
        rows = [{"id": shown + n, "name": f"row {n} of {turn}", "value": n * turn} for n in range(size // 62)]
        return json.dumps(rows)
    return "\n".join(lines)


def described(name):
    """A tool as agents describe theirs: 1.5 kB."""
    return {"type": "object", "description": f"{name}: " + "what it is for and when to use it; " * 40}


def chat(turns, size):
    messages = [{"role": "system", "content": "You are a helpful assistant. " * 400}]
    for turn in range(turns):
        function = {"name": TOOLS[turn % 3], "arguments": f'{{"page": {turn}}}'}
        messages += [
            {"role": "user", "content": f"do step {turn} " * 10},
            {"role": "assistant", "content": None, "tool_calls": [_chat_call(turn, function)]},
            {"role": "tool", "tool_call_id": f"call_{turn}", "content": result(turn, size)},
        ]
    tools = [{"type": "function", "function": {"name": name, "parameters": described(name)}} for name in _names()]
    return {"model": "gpt-5-mini", "messages": messages, "tools": tools}


def _chat_call(turn, function):
    return {"id": f"call_{turn}", "type": "function", "function": function}


def _names():
    return [*TOOLS, *(f"tool_{number}" for number in range(22))]


def messages(turns, size):
    made = [{"role": "user", "content": [{"type": "text", "text": "begin " * 10}]}]
    for turn in range(turns):
        call = {"type": "tool_use", "id": f"toolu_{turn}", "name": TOOLS[turn % 3], "input": {"page": turn}}
        answer = {"type": "tool_result", "tool_use_id": f"toolu_{turn}", "content": result(turn, size)}
        made += [{"role": "assistant", "content": [call]}, {"role": "user", "content": [answer]}]
    tools = [{"name": name, "input_schema": described(name)} for name in _names()]
    system = [{"type": "text", "text": "You are a helpful assistant. " * 400}]
    return {"model": "claude-sonnet-5", "max_tokens": 1000, "messages": made, "system": system, "tools": tools}


def responses(turns, size):
    items = []
    for turn in range(turns):
        call, given = f"call_{turn}", f'{{"page": {turn}}}'
        items += [
            {"role": "user", "content": f"do step {turn} " * 10},
            {"type": "reasoning", "id": f"rs_{turn}", "summary": [], "encrypted_content": "c2Vj" * 100},
            {"type": "function_call", "call_id": call, "name": TOOLS[turn % 3], "arguments": given},
            {"type": "function_call_output", "call_id": call, "output": result(turn, size)},
        ]
    tools = [{"type": "function", "name": name, "parameters": described(name)} for name in _names()]
    return {"model": "gpt-5-mini", "instructions": "You help. " * 900, "input": items, "tools": tools, "store": False}


class Process:
    """What one gateway process remembers."""

    def __init__(self, dialect, facts):
        self.dialect, self.facts = dialect, facts
        self.turns, self.seen, self.tokens = LiveTurns(), SeenRequests(), EditTokens()
        self.contexts = LiveContexts(Digester(b"k" * 32))

    def without_rules(self, body):
        split = self.dialect.split(body, self.seen)
        self.dialect.request(body if split is None else split.rest, "/v1/chat/completions")
        self._take(body, split)
        return body

    def with_rules(self, body):
        dialect, split = self.dialect, self.dialect.split(body, self.seen)
        dialect.request(body if split is None else split.rest, "/v1/chat/completions")
        self.turns.find(dialect, body, "key", "", split)
        call = CountedCall(dialect, body, self.facts, prompt_in(dialect, body, self.seen, split), self.seen)
        call.tokens, call.changes = self.tokens, []
        call.run(DEFAULT_RULES)
        edited = call.body
        self._take(edited, call.split)
        for replaced in call.changes:
            replaced.removed_tokens()
        return edited

    def _take(self, body, split):
        """Counting the tokens of a context is not measured: it is the same with and without rules."""
        context, uncounted = self.contexts.take(self.dialect, body, self.facts.model, split)
        self.contexts.counted(context, ((part, Counts(1, {})) for part, _ in uncounted))


class CountedCall(RequestCall):
    def put_texts(self, rule, change):
        self.changes.append(self.tokens.replaced(self.prompt, change, self.facts.model))
        super().put_texts(rule, change)

    def begin_anew(self, prompt):
        self.changes = []
        super().begin_anew(prompt)


def cpu_ms(work):
    started = time.process_time()
    work()
    return (time.process_time() - started) * 1000


def figures_of(name, make, arguments):
    dialect, size = DIALECTS[name], (arguments.kb - HEAD_KB) * 1000 // TURNS
    body, next_body = (json.dumps(make(turns, size)).encode() for turns in (TURNS, TURNS + 1))
    model = json.loads(body)["model"]
    rules = frozenset(rule.name for rule in DEFAULT_RULES)
    facts = Facts(
        at=datetime.now(UTC), model=model, dialect=name, turn=7, cached_tokens=30_000, since_last_call_s=3.0,
        rules_before=rules,
    )  # fmt: skip
    every = {f"{stage}_{way}": [] for stage in ("not_seen", "seen", "next_turn") for way in ("without", "with")}
    assert Process(dialect, facts).with_rules(body) != body
    loads = []
    for _ in range(arguments.rounds):
        loads.append(cpu_ms(partial(json.loads, body)))
        for way in ("without", "with"):
            process = Process(dialect, facts)
            work = partial(getattr(process, f"{way}_rules"))
            for stage, request in (("not_seen", body), ("seen", body), ("next_turn", next_body)):
                every[f"{stage}_{way}"].append(cpu_ms(partial(work, request)))
    word = name.replace("-", "_")
    figures = {f"{word}_kb": len(body) / 1000, f"{word}_json_loads_ms": statistics.median(loads)}
    for stage in ("not_seen", "seen", "next_turn"):
        without, with_rules = every[f"{stage}_without"], every[f"{stage}_with"]
        figures |= {
            f"{word}_{stage}_ms": statistics.median(with_rules),
            f"{word}_{stage}_added_ms": statistics.median(with_rules) - statistics.median(without),
            f"{word}_{stage}_added_least_ms": min(with_rules) - min(without),
            f"{word}_{stage}_added_of_json": (statistics.median(with_rules) - statistics.median(without))
            / statistics.median(loads),
        }
    return figures


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kb", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--data", help="not used")
    arguments = parser.parse_args()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)  # as the gateway
    figures = figures_of("openai-chat", chat, arguments) | figures_of("anthropic-messages", messages, arguments)
    figures |= figures_of("openai-responses", responses, arguments)
    measured.report(figures | {"machine": measured.machine()}, as_json=arguments.json)


if __name__ == "__main__":
    main()
