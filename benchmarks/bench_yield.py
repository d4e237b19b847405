"""What came of the tokens: dollars per 100 committed agent lines, passes per million tokens and dollars per pass."""

import argparse
import csv
import json
import sys
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

import msgspec

import checkpoints
import tau2
from modicum.calls import Call, Outcome, Problem
from modicum.cli.terminal.output import print_json
from modicum.importers import read_calls
from modicum.importers.format import Reading
from modicum.importers.outcomes.outcome_file import read_outcomes
from modicum.insights.yields import Estimate, Yield, YieldLine, build
from modicum.ledger.booking import book, newest_calls
from modicum.ledger.opening import open_store
from modicum.ledger.records import OUTCOMES
from modicum.ledger.store import Store
from modicum.metering.prices import PriceBook

SPAN = {"since": datetime(1990, 1, 1, tzinfo=UTC), "until": datetime(2200, 1, 1, tzinfo=UTC), "tag": "", "zone": "UTC"}


def asked(store: Store, outcome: str, by: str) -> Yield:
    return build(store.ask("yield", outcome=outcome, by=by, **SPAN), outcome, by)


def book_outcomes(store: Store, columns: Iterable[str], rows: Iterable[tuple]) -> None:
    """By way of a file, as a user would."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "outcomes.csv"
        with path.open("w", encoding="utf-8") as out:
            writer = csv.writer(out, lineterminator="\n")
            writer.writerow(columns)
            writer.writerows(rows)
        found = list(read_outcomes(path))
    problems = [each for each in found if isinstance(each, Problem)]
    if problems:
        sys.exit(f"the outcomes could not be read: {problems[0]}")
    store.append_records(OUTCOMES, [each for each in found if isinstance(each, Outcome)])


def of_checkpoints(data: Path, prices: PriceBook) -> dict:
    """Committed agent lines on Claude Code sessions."""
    begun = perf_counter()
    rows = checkpoints.rows_of(data / "checkpoint_outcomes.jsonl.gz")
    store = open_store(":memory:")
    calls = newest_calls(found for found in read_calls([data / "sessions"], Reading()) if isinstance(found, Call))
    store.append([book(call, prices) for call in calls])
    book_outcomes(store, checkpoints.COLUMNS, checkpoints.outcomes(rows))
    lines, commits = asked(store, "agent_lines", "model"), asked(store, "commits", "source")
    store.close()
    total = lines.total
    bill = sum(cost for cost in (total.cost_usd, total.cost_without_outcome_usd, total.cost_outside_tasks_usd) if cost)
    summed = sum(checkpoints.agent_lines(row) or 0 for row in rows)
    return {
        "sessions_with_attribution": total.tasks,
        "sessions_without_attribution": total.tasks_without_outcome,
        "agent_lines": total.outcomes,
        "cost_usd": total.cost_usd,
        "cost_without_attribution_usd": total.cost_without_outcome_usd,
        "cost_failed_usd": total.cost_failed_usd,
        "bill_usd": bill,
        "cost_per_100_lines_usd": hundred(total.cost_per_outcome_usd),
        "cost_per_100_lines_all_sessions_usd": hundred(total.cost_per_outcome_all_tasks_usd),
        "lines_per_million_effective_tokens": total.outcomes_per_million_effective_tokens,
        "lines_per_million_tokens": total.outcomes_per_million_tokens,
        "cost_per_commit_usd": commits.total.cost_per_outcome_usd,
        "by_model": [row(line, 100) for line in lines.rows if line.tasks],
        "basis": total.basis,
        "baseline": {
            "what": "whole bill over the lines of all checkpoint rows, as they stand",
            "agent_lines": summed,
            "cost_per_100_lines_usd": float(bill) / summed * 100,
        },
        "rules": lines.rules,
        "seconds": perf_counter() - begun,
    }


def of_tau2(data: Path, prices: PriceBook) -> dict:
    """Passed simulations of tau2-bench, by result file and by the model that answered."""
    begun = perf_counter()
    store = open_store(":memory:")
    told = {}
    for path in sorted(data.glob("*__*.json.gz")):
        document = tau2.results(path)
        book_calls(store, tau2.calls(path, document), prices)
        results = list(tau2.outcomes(path, document))
        book_outcomes(store, tau2.COLUMNS, results)
        passed = sum(result[2] for result in results)
        cost = sum(simulation.get("agent_cost") or 0 for simulation in document["simulations"])
        told[tau2.stem(path)] = {
            "simulations": len(results),
            "pass_rate": passed / len(results),
            "file_cost_usd": cost,
            "file_cost_per_pass_usd": cost / passed if passed else None,
        }
    by_file, by_model = asked(store, tau2.NAME, "project"), asked(store, tau2.NAME, "model")
    store.close()
    return {
        "by_file": [row(line) | told[line.name] for line in by_file.rows],
        "by_model": [row(line) for line in by_model.rows],
        "rules": by_model.rules,
        "seconds": perf_counter() - begun,
    }


def book_calls(store: Store, lines: Iterable[dict], prices: PriceBook) -> None:
    """By way of modicum's own JSONL, as a user would."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "calls.jsonl"
        path.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
        found = list(read_calls([path], Reading()))
    problems = [each for each in found if isinstance(each, Problem)]
    if problems:
        sys.exit(f"the calls could not be read: {problems[0]}")
    store.append([book(call, prices) for call in found])


def row(line: YieldLine, unit: int = 1) -> dict:
    """A line of the yield, with the cost per so many outcomes."""
    each = line.cost_per_outcome_usd
    return {
        "name": line.name,
        "tasks": line.tasks,
        "tasks_failed": line.tasks_failed,
        "outcomes": line.outcomes,
        "tokens": line.tokens,
        "cost_usd": line.cost_usd,
        "cost_failed_usd": line.cost_failed_usd,
        "basis": line.basis,
        "calls_unpriced": line.calls_unpriced,
        "per_million_effective_tokens": line.outcomes_per_million_effective_tokens,
        "per_million_tokens": line.outcomes_per_million_tokens,
        f"cost_per_{unit}_usd" if unit > 1 else "cost_each_usd": hundred(each) if unit == 100 else each,
    }


def hundred(each: Estimate) -> Estimate:
    scaled = {end: value * 100 for end in ("value", "low", "high") if (value := getattr(each, end)) is not None}
    return msgspec.structs.replace(each, **scaled)


def span(estimate: Estimate, form: str = "{:.3g}") -> str:
    if estimate.value is None:
        return "unknown"
    value = form.format(estimate.value)
    if estimate.low is None:
        return f"{value} (no interval: {estimate.no_interval})"
    return f"{value} ({form.format(estimate.low)} to {form.format(estimate.high)})"


def markdown(found: dict) -> str:
    lines, bench = found["claude_code"], found["tau2"]
    base = lines["baseline"]
    usd = "${:.2f}"
    text = [
        "| committed agent lines | value (95 % interval) |",
        "|---|---|",
        f"| sessions with an attributed commit | {lines['sessions_with_attribution']}, ${lines['cost_usd']:.2f} |",
        f"| sessions without | {lines['sessions_without_attribution']}, ${lines['cost_without_attribution_usd']:.2f} |",
        f"| agent lines, each commit once | {lines['agent_lines']:,.0f} |",
        f"| **cost per 100 lines**, sessions with such a commit | {span(lines['cost_per_100_lines_usd'], usd)} |",
        f"| cost per 100 lines, all sessions | {span(lines['cost_per_100_lines_all_sessions_usd'], usd)} |",
        f"| cost of sessions whose commits kept no agent line | ${lines['cost_failed_usd']:.2f} |",
        f"| lines per million effective tokens | {span(lines['lines_per_million_effective_tokens'])} |",
        f"| lines per million raw tokens | {span(lines['lines_per_million_tokens'])} |",
        f"| cost per commit, all sessions | {span(lines['cost_per_commit_usd'], usd)} |",
        f"| baseline: {base['what']} | ${base['cost_per_100_lines_usd']:.2f} ({base['agent_lines']:,} lines) |",
        "",
        "| model | sessions | agent lines | per million effective tokens | cost per 100 lines |",
        "|---|---:|---:|---|---|",
    ]
    text += [
        f"| {each['name']} | {each['tasks']} | {each['outcomes']:,.0f} | {span(each['per_million_effective_tokens'])}"
        f" | {span(each['cost_per_100_usd'], usd)} |"
        for each in lines["by_model"]
    ]
    text += [
        "",
        "| tau2 file | passed | per million effective | per million raw | cost per pass | of failed | basis | file |",
        "|---|---|---|---|---|---:|---|---:|",
    ]
    text += [
        f"| {each['name']} | {each['outcomes']:.0f} of {each['simulations']} | "
        f"{span(each['per_million_effective_tokens'])} | {span(each['per_million_tokens'])} | "
        f"{span(each['cost_each_usd'], '${:.4f}')} | {money(each['cost_failed_usd'])} | {each['basis'].value} | "
        f"${each['file_cost_per_pass_usd']:.4f} |"
        for each in bench["by_file"]
    ]
    text += [
        "",
        "| model that answered | tasks | passed | passes per million effective tokens | cost per pass |",
        "|---|---:|---:|---|---|",
    ]
    text += [
        f"| {each['name']} | {each['tasks']} | {each['outcomes']:.0f} | {span(each['per_million_effective_tokens'])} | "
        f"{span(each['cost_each_usd'], '${:.4f}')} |"
        for each in bench["by_model"]
    ]
    return "\n".join(text)


def money(usd) -> str:
    return "unknown" if usd is None else f"${usd:.2f}"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--data", type=Path, default=Path("data"), help="folder with claude-code/ and tau2/")
    arguments.add_argument("--json", action="store_true")
    told = arguments.parse_args()
    for folder in ("claude-code", "tau2"):
        if not (told.data / folder).is_dir():
            sys.exit(f"there is no {told.data / folder}; give the folder that holds claude-code/ and tau2/ with --data")
    prices = PriceBook()
    found = {
        "claude_code": of_checkpoints(told.data / "claude-code", prices),
        "tau2": of_tau2(told.data / "tau2", prices),
    }
    if told.json:
        print_json(found)
    else:
        print(markdown(found))


if __name__ == "__main__":
    main()
