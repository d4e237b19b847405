"""Do loops tell of failure? The loop finding on agent runs with known outcomes: tau2-bench and tau-bench."""

import argparse
import gzip
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

import measured
import tau2
from modicum.calls import Basis, Call, Cost, Entry, Usage
from modicum.cli.terminal.output import print_json
from modicum.context.growing import Context
from modicum.importers.format import Reading
from modicum.insights.findings.loops import find_repeated_results
from modicum.insights.history import History, load
from modicum.insights.segment_costs import hash_rows, is_kind
from modicum.ledger.opening import open_store
from modicum.providers.message_blocks import message_blocks
from modicum.statistics.proportions import wilson

EVER = datetime(1990, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
START = datetime(2026, 1, 1, tzinfo=UTC)

Run = tuple[str, bool, list[dict]]
"""Name, whether it passed, messages."""


def length(text: str, model: str) -> int:
    """Tokens are of no interest here."""
    del model
    return len(text) // 4 + 1


def tau2_runs(path: Path) -> Iterator[Run]:
    document = tau2.results(path)
    passed = {task: value == 1.0 for task, _, value, *_ in tau2.outcomes(path, document)}
    for simulation in document["simulations"]:
        name = tau2.task_of(path, simulation)
        messages = [
            plain(message)
            for message in simulation["messages"]
            # The simulated user has tools of its own in one domain; its calls are not the agent's.
            if not (message["role"] == "tool" and message.get("requestor") == "user")
        ]
        yield name, passed[name], messages


def plain(message: dict) -> dict:
    """A message of tau2 in the shape of OpenAI's."""
    if message["role"] == "tool":
        return {"role": "tool", "tool_call_id": message["id"], "content": message.get("content") or ""}
    asked = message.get("tool_calls") if message["role"] == "assistant" else None
    calls = [
        {"id": call["id"], "function": {"name": call["name"], "arguments": call["arguments"]}} for call in asked or ()
    ]
    return {"role": message["role"], "content": message.get("content") or "", "tool_calls": calls}


def tau_runs(path: Path) -> Iterator[Run]:
    with gzip.open(path, "rt", encoding="utf-8") as text:
        document = json.load(text)
    for run in document:
        name = f"tau/{path.stem}/{run['task_id']}/{run['trial']}"
        yield name, run["reward"] > 1 - 1e-6, run["traj"]


def history_of(runs: list[Run]) -> History:
    """Every reply of the agent is a call, with the context that the messages before it make."""
    entries = []
    for name, _, messages in runs:
        context, segmenter = Context(), Reading(count=length).segmenter()
        for place, message in enumerate(messages):
            if message["role"] == "assistant":
                anatomy = context.sent()
                prompt = sum(segment.tokens for segment in context.segments)
                call = Call(
                    call_id=f"{name}/{place}",
                    source="tau",
                    provider="",
                    model="",
                    started=START + timedelta(seconds=place),
                    usage=Usage(prompt),
                    usage_basis=Basis.ESTIMATED,
                    output_basis=Basis.UNKNOWN,
                    task=name,
                    turn=place,
                    anatomy=anatomy,
                )
                entries.append(Entry(call, Cost.unknown()))
            context.grow(segmenter.segments(message_blocks(message), ""))
    store = open_store(":memory:")
    store.append(entries)
    found = load(store, *EVER)
    store.close()
    return found


def in_a_row(history: History, *, same_result: bool, times: int) -> set[str]:
    """Tasks with that many equal tool calls in a row, with equal results or any: what the finding is compared with."""
    places = np.flatnonzero(is_kind(history, "tool_result"))
    columns = [history.conversation[history.segment_call[places]], history.segment_detail[places]]
    if same_result:
        columns.append(history.segment_digest[places])
    keys = hash_rows(*columns)
    same = np.concatenate(([False], (keys[1:] == keys[:-1]) & (history.segment_detail[places][1:] != 0)))
    for _ in range(times - 2):
        same[1:] &= same[:-1].copy()
    return tasks_of(history, history.segment_call[places[same]])


def tasks_of(history: History, calls: np.ndarray) -> set[str]:
    return {history.tasks[code] for code in np.unique(history.task[calls])}


def rules(history: History) -> dict[str, set[str]]:
    results, periods = find_repeated_results(history)
    calls = history.segment_call[np.flatnonzero(results)]
    return {
        "three in a row (finding, period 1)": tasks_of(history, calls[periods == 1]),
        "finding, periods 1 to 6": tasks_of(history, calls),
        "twice in a row": in_a_row(history, same_result=True, times=2),
        "three in a row, any result": in_a_row(history, same_result=False, times=3),
    }


def line(name: str, rule: str, passed: dict[str, bool], fires: set[str]) -> dict:
    failed = {task for task, is_passed in passed.items() if not is_passed}
    hits, good = len(fires & failed), len(passed) - len(failed)
    low, high = wilson(hits, len(fires)) if fires else (None, None)
    return {
        "runs": name,
        "rule": rule,
        "count": len(passed),
        "failed": len(failed),
        "failed_share": len(failed) / len(passed),
        "fires_in_failed": hits,
        "fires_in_failed_share": hits / len(failed) if failed else None,
        "fires_in_passed": len(fires - failed),
        "fires_in_passed_share": len(fires - failed) / good if good else None,
        "fail_given_fires": hits / len(fires) if fires else None,
        "fail_given_fires_low": low,
        "fail_given_fires_high": high,
    }


def percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f} %"


def show(lines: list[dict]) -> None:
    print("| runs | rule | runs | failed | fires in failed | fires in passed | P(fail given fires) | 95 % |")
    print("|---|---|---|---|---|---|---|---|")
    for each in lines:
        reach = f"{percent(each['fail_given_fires_low'])} to {percent(each['fail_given_fires_high'])}"
        print(
            f"| {each['runs']} | {each['rule']} | {each['count']} | {percent(each['failed_share'])}"
            f" | {each['fires_in_failed']} ({percent(each['fires_in_failed_share'])})"
            f" | {each['fires_in_passed']} ({percent(each['fires_in_passed_share'])})"
            f" | {percent(each['fail_given_fires'])} | {reach if each['fail_given_fires'] is not None else '-'} |"
        )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--data", type=Path, required=True, help="folder with tau2/ and tau-bench/")
    options.add_argument("--json", action="store_true")
    told = options.parse_args()
    sources = [(path, tau2_runs) for path in sorted((told.data / "tau2").glob("*__*.json.gz"))]
    sources += [(path, tau_runs) for path in sorted((told.data / "tau-bench").glob("*.json.gz"))]
    if not sources:
        sys.exit(f"no result files in {told.data}/tau2 and {told.data}/tau-bench")
    lines, outcome, fired = [], {}, {}
    for path, reader in sources:
        runs = list(reader(path))
        passed = {name: is_passed for name, is_passed, _ in runs}
        outcome |= passed
        for rule, fires in rules(history_of(runs)).items():
            fired.setdefault(rule, set()).update(fires)
            if rule.startswith("three in a row (finding"):
                lines.append(line(tau2.stem(path), rule, passed, fires))
    lines += [line("all", rule, outcome, fires) for rule, fires in fired.items()]
    if told.json:
        print_json({"machine": measured.machine(), "lines": lines})
        return
    show(lines)


if __name__ == "__main__":
    main()
