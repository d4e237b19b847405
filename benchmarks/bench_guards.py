"""How often would the loop guard act, and on what? Claude Code transcripts, tau2-bench and tau-bench runs."""

import argparse
import gzip
import hashlib
import json
from collections import Counter
from pathlib import Path

from bench_loops import tau2_runs, tau_runs
from modicum.cli.terminal.output import print_json
from modicum.optimizers.loop_guard import NUDGE_AT, STOP_AT, ToolRound, repetition, waits

SHOWN = 160


def digest(value):
    return hashlib.blake2b(json.dumps(value, sort_keys=True).encode(), digest_size=12).digest()


def plain(content):
    if isinstance(content, list):
        return "\n".join(block.get("text", "") for block in content if isinstance(block, dict))
    return content if isinstance(content, str) else ""


class Guard:
    """Goes through rounds in their order, and counts what the rules would do."""

    def __init__(self):
        self.rounds, self.acts, self.results, self.samples = [], Counter(), 0, []

    def begin(self):
        self.rounds = []

    def add(self, tool, given, text):
        self.results += 1
        self.rounds = [*self.rounds[-40:], ToolRound(digest([tool, given]), digest(text), waits(tool, text))]
        times, period = repetition(self.rounds)
        if times < NUDGE_AT:
            every = repetition([one._replace(waits=False) for one in self.rounds])
            if every.times >= NUDGE_AT:
                self.acts["left alone as waiting"] += 1
                self.samples.append(f"waits {every.times}x{every.period} {tool} {json.dumps(given)[:SHOWN]}")
            self.acts["second time in a row"] += times == 2
            return
        act = "stop" if times >= STOP_AT else "nudge"
        self.acts[act] += 1
        self.acts[f"{act}, period {period}"] += 1
        self.samples.append(f"{act} {times}x{period} {tool} {json.dumps(given)[:SHOWN]} -> {text[:SHOWN]!r}")


def transcripts(folder, guard):
    conversations = Counter()
    for path in sorted(folder.glob("*.jsonl*")):
        opener = gzip.open if path.suffix == ".gz" else open
        calls, before = {}, Counter(guard.acts)
        guard.begin()
        with opener(path, "rt", encoding="utf-8", errors="replace") as file:
            for line in file:
                try:
                    row = json.loads(line)
                except ValueError:
                    continue
                message = row.get("message") if isinstance(row, dict) else None
                if not isinstance(message, dict) or row.get("isSidechain"):
                    continue
                add_message(message.get("content"), row.get("type"), calls, guard)
        conversations["all"] += 1
        conversations["with a nudge"] += guard.acts["nudge"] > before["nudge"]
        conversations["with a stop"] += guard.acts["stop"] > before["stop"]
    return conversations


def add_message(content, kind, calls, guard):
    if isinstance(content, str):
        if kind == "user" and not content.startswith("<system-reminder>"):
            guard.begin()
        return
    for block in content or ():
        if not isinstance(block, dict):
            continue
        if block.get("type") == "tool_use":
            calls[block.get("id")] = block.get("name", ""), block.get("input")
        elif block.get("type") == "tool_result" and (call := calls.pop(block.get("tool_use_id"), None)):
            guard.add(*call, plain(block.get("content")))
        elif block.get("type") == "text" and kind == "user" and not block["text"].startswith("<system-reminder>"):
            guard.begin()


def run_acts(messages):
    """What the guard would do in one run of tau-bench or tau2-bench."""
    guard, calls = Guard(), {}
    for message in messages:
        role = message.get("role")
        if role == "user":
            guard.begin()
        for call in message.get("tool_calls") or () if role == "assistant" else ():
            inner = call.get("function") or call
            calls[call.get("id")] = inner.get("name", ""), inner.get("arguments")
        if role == "tool":
            given = calls.get(message.get("tool_call_id") or message.get("id"))
            if given:
                guard.add(*given, plain(message.get("content")))
    return guard


def outcomes(folder):
    found = Counter()
    paths = [(path, tau2_runs) for path in sorted((folder / "tau2").glob("*__*.json.gz"))]
    paths += [(path, tau_runs) for path in sorted((folder / "tau-bench").glob("*.json.gz"))]
    for path, reader in paths:
        for _, passed, messages in reader(path):
            acts = run_acts(messages)
            end = "passed" if passed else "failed"
            found[f"runs {end}"] += 1
            found[f"nudge in {end}"] += acts.acts["nudge"] > 0
            found[f"stop in {end}"] += acts.acts["stop"] > 0
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--samples", type=Path, help="a file of your own that gets every place, with text")
    parser.add_argument("--json", action="store_true")
    wanted = parser.parse_args()
    guard = Guard()
    conversations = transcripts(wanted.data / "claude-code/sessions", guard)
    if wanted.samples:
        wanted.samples.write_text("\n".join(guard.samples), "utf-8")
    found = {
        "transcripts": dict(conversations),
        "transcript_results": guard.results,
        "transcript_acts": dict(guard.acts),
        "runs": dict(outcomes(wanted.data)),
    }
    if wanted.json:
        print_json(found)
        return
    for name, value in found.items():
        print(f"{name}: {value}")


if __name__ == "__main__":
    main()
