"""What a long request takes to be read for rules and written as they want, its history seen and not seen.

scripts/bench requests [--kb 200] [--rounds 40] [--json]

One conversation of an agent, 40 tool results of JSON, each shortened by the rule `content.json_minify`. CPU of the
thread, medians and least, of all that the gateway does with the request for rules: its facts, its place in the
conversation, its prompt, the rule, and the request as the rule wants it.
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
from modicum.context.live_turns import LiveTurns
from modicum.optimizers.json_minify import MINIFY_JSON
from modicum.optimizers.running import RequestCall, prompt_in, run_rules
from modicum.providers.dialects import DIALECTS
from modicum.providers.seen_requests import SeenRequests

TURNS = 40
TOOL = "mcp__shop__orders"


def rows(turn, count):
    return json.dumps([{"id": turn * 100 + n, "name": f"row {n} of {turn}", "value": n * turn} for n in range(count)])


def chat(turns, count):
    messages = [{"role": "system", "content": "You are a helpful assistant. " * 40}]
    for turn in range(turns):
        call = {
            "id": f"call_{turn}",
            "type": "function",
            "function": {"name": TOOL, "arguments": f'{{"page": {turn}}}'},
        }
        messages += [
            {"role": "user", "content": f"do step {turn} " * 10},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": f"call_{turn}", "content": rows(turn, count)},
        ]
    schema = {"type": "function", "function": {"name": TOOL, "parameters": {"type": "object"}}}
    return {"model": "gpt-5-mini", "messages": messages, "tools": [schema]}


def messages(turns, count):
    made = [{"role": "user", "content": [{"type": "text", "text": "begin " * 10}]}]
    for turn in range(turns):
        call = {"type": "tool_use", "id": f"toolu_{turn}", "name": TOOL, "input": {"page": turn}}
        answer = {"type": "tool_result", "tool_use_id": f"toolu_{turn}", "content": rows(turn, count)}
        made += [{"role": "assistant", "content": [call]}, {"role": "user", "content": [answer]}]
    schema = {"name": TOOL, "input_schema": {"type": "object"}}
    return {"model": "claude-sonnet-5", "max_tokens": 1000, "messages": made, "tools": [schema]}


def prepared(dialect, body, facts, turns, seen):
    """As the gateway does: what of the request came before is not read again."""
    split = dialect.split(body, seen) if seen is not None else None
    dialect.request(body if split is None else split.rest, "/v1/chat/completions")
    turns.find(dialect, body, "key", "", split)
    call = RequestCall(dialect, body, facts, prompt_in(dialect, body, seen, split), seen)
    run_rules((MINIFY_JSON,), call)
    return call.body


def cpu_ms(work):
    started = time.thread_time()
    work()
    return (time.thread_time() - started) * 1000


def figures_of(name, make, arguments):
    dialect, count = DIALECTS[name], arguments.kb * 1000 // TURNS // 62
    body, next_body = (json.dumps(make(turns, count)).encode() for turns in (TURNS, TURNS + 1))
    rules = frozenset({MINIFY_JSON.name})
    facts = Facts(at=datetime.now(UTC), model="m", dialect=name, turn=7, cached_tokens=30_000, since_last_call_s=3.0)
    facts = Facts(**{field: getattr(facts, field) for field in facts.__struct_fields__} | {"rules_before": rules})
    every = {"facts_alone": [], "not_seen": [], "seen": [], "next_turn": []}
    first_call = partial(prepared, dialect, body, facts)
    for _ in range(arguments.rounds):
        memory = LiveTurns(), SeenRequests()
        every["facts_alone"].append(cpu_ms(partial(dialect.request, body, "/v1/chat/completions")))
        every["not_seen"].append(cpu_ms(partial(first_call, LiveTurns(), None)))
        assert json.loads(first_call(*memory)) == json.loads(first_call(LiveTurns(), None))
        every["seen"].append(cpu_ms(partial(first_call, *memory)))
        every["next_turn"].append(cpu_ms(partial(prepared, dialect, next_body, facts, *memory)))
    word = name.replace("-", "_")
    figures = {f"{word}_kb": len(body) / 1000}
    for stage, taken in every.items():
        figures |= {f"{word}_{stage}_ms": statistics.median(taken), f"{word}_{stage}_least_ms": min(taken)}
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
    measured.report(figures | {"machine": measured.machine()}, as_json=arguments.json)


if __name__ == "__main__":
    main()
