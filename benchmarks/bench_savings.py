"""Savings: the net share of a bill that rules save, at recorded prices and at today's, beside the vendor's setting.

The rules that lose nothing with pings (`net_saving_share`), each alone, and all rules less what reading again costs.
"""

import argparse
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from measured import machine, report
from modicum.calls import Call, Outcome, Tier
from modicum.calls.rates import RateSteps
from modicum.calls.rule import Rule
from modicum.importers import read_calls, rule_watch
from modicum.importers.format import Reading
from modicum.importers.outcomes.outcome_file import read_outcomes
from modicum.insights.changes.edits_by_outcome import sum_edits_by_outcome
from modicum.insights.finding import HistoryChange
from modicum.insights.history import History, load
from modicum.insights.replay import Replay
from modicum.insights.what_if import parse_what_if
from modicum.ledger.opening import open_store
from modicum.ledger.records import OUTCOMES
from modicum.library.call_booking import book_calls
from modicum.metering.keep_warm import best_pings
from modicum.metering.prices import PriceBook
from modicum.metering.return_times import CODING_AGENTS, ReturnTimes
from modicum.optimizers.all_rules import ALL_SET, CONTENT_RULES, LOSSLESS_SET
from modicum.optimizers.code.skeleton_rule import CODE_SKELETON
from modicum.statistics.ratios import ratio_of_sums
from peers import headroom
from savings_content import content_figures
from savings_peers import peers
from savings_split import link, split_by_person
from savings_survival import LITERAL, Survival, rereading_usd, survival_of

EVER = datetime(1990, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
TODAY = datetime(2026, 11, 30, tzinfo=UTC)
TODAYS_MODEL = "claude-opus-5-5"
PINGS, LOSSLESS, ALL = "keep_warm=auto", "rules=lossless", "rules=all"
BESIDE = ("cache_ttl=5m", "cache_ttl=1h", "keep_warm=5m:1", "keep_warm=5m:3", "keep_warm=5m:6")
"""Zero effort is 0: the history as it was recorded. The vendor's best setting is one of the first two."""


class PricesToday(PriceBook):
    """Every call at the prices of one model of today."""

    def steps(
        self,
        provider: str,  # noqa: ARG002 - another model's prices stand for all
        model: str,  # noqa: ARG002
        at: datetime,  # noqa: ARG002
        tier: Tier = Tier.STANDARD,
        region: str = "",
    ) -> RateSteps:
        return super().steps("anthropic", TODAYS_MODEL, TODAY, tier, region)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="a folder of Claude Code transcripts")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--choose", action="store_true", help="what the other half says, from which rules are chosen")
    parser.add_argument("--headroom", action="store_true", help="headroom beside, installed once into the cache folder")
    parser.add_argument("--logs", type=Path, help="a folder of loghub's *_2k.log files, for the rules on content")
    parser.add_argument(
        "--outcomes", type=Path, help="a file for `modicum outcome import`: which edits fell on passed and failed tasks"
    )
    parser.add_argument("--outcome", default="", help="the name of those that count; without it, all of the file")
    options = parser.parse_args()
    outcomes = outcomes_in(options.outcomes, options.outcome) if options.outcomes else []
    halves = split_by_person(options.data)
    paths = halves.chosen_on if options.choose else halves.measured_on
    folder = Path(tempfile.mkdtemp(prefix="modicum-bench-"))
    try:
        beside = peers(headroom() if options.headroom else None) | {CODE_SKELETON.name: (CODE_SKELETON,)}
        history = load_half(paths, folder, beside, outcomes)
    finally:
        shutil.rmtree(folder)
    figures: dict[str, Any] = {
        "half": "chosen on" if options.choose else "measured on",
        "people": halves.people[0 if options.choose else 1],
        "calls": history.calls,
        "tasks": len(history.tasks),
    }
    if options.choose:
        times = return_times(history)
        figures |= {"return_times": str(times), "is_shipped": times == CODING_AGENTS}
    survival = survival_of(paths, beside)
    figures |= survival_figures(survival)
    figures |= {f"later_use_survival_{name}": survival.share(name) for name in beside}
    figures |= {f"later_use_survival_{name}_text": survival.share(name, ["text"]) for name in beside}
    for suffix, prices in (("", PriceBook()), ("_today", PricesToday())):
        figures |= measure(history, prices, suffix, survival)
        for name in beside:
            figures |= peer_figures(history, Replay(history, prices), suffix, survival, name)
    figures |= by_outcome(history)
    if options.logs:
        figures |= content_figures(options.logs)
    report(figures | {"machine": machine()}, as_json=options.json)


def outcomes_in(path: Path, name: str) -> list[Outcome]:
    """What became of tasks.

    Raises:
        SystemExit: the file has none of that name, or a line that is no outcome.
    """
    found = list(read_outcomes(path))
    if problems := [one for one in found if not isinstance(one, Outcome)]:
        raise SystemExit(f"{path}: {problems[0].reason}")
    named = [one for one in found if isinstance(one, Outcome) and name in {"", one.name}]
    if not named:
        raise SystemExit(f"{path}: no outcome is named '{name}'")
    return named


def by_outcome(history: History) -> dict[str, int | float | None]:
    """Which edits fell on tasks that passed and on those that failed, as `modicum audit` has it; nothing where no task
    has an outcome.
    """
    figures: dict[str, int | float | None] = {}
    for row in sum_edits_by_outcome(history):
        for key in ("tasks_passed", "tasks_failed", "tokens_passed", "tokens_failed", "share_passed", "share_failed"):
            figures[f"edits_{key}_{row.rule}"] = getattr(row, key)
    return figures


def load_half(
    paths: Sequence[Path], folder: Path, beside: Mapping[str, tuple[Rule, ...]], outcomes: Iterable[Outcome] = ()
) -> History:
    """The transcripts as a history that says what our rules, and those beside them, would have sent."""
    store = open_store(str(folder / "ledger.duckdb"))
    ours = rule_watch.rule_sets()
    rule_watch.rule_sets = lambda: {**ours, **beside}
    try:
        calls = read_calls([link(paths, folder / "half")], Reading(anatomy=True), processes=1)
        book_calls((call for call in calls if isinstance(call, Call)), store, PriceBook())
        store.append_records(OUTCOMES, list(outcomes))
        return load(store, *EVER)
    finally:
        rule_watch.rule_sets = lambda: ours
        store.close()


def peer_figures(history: History, replays: Replay, suffix: str, survival: Survival, name: str) -> dict[str, Any]:
    """What a peer saves, before and after what agents read again."""
    share = history.shortened_shares.get(name, np.ones(history.segments))
    change = HistoryChange(segment_tokens=np.ceil(history.segment_tokens * share).astype(np.int64))
    extra = rereading_usd(survival, name, history.entry_ids, history.prompt, replays.rates)
    gross = replays.run([change])
    net = 1 - float((np.nansum(gross.changed.cost_usd) + extra.sum()) / np.nansum(gross.base.cost_usd))
    return {f"{name}{suffix}": gross.saving_share, f"{name}_net{suffix}": net}


def survival_figures(survival: Survival) -> dict[str, Any]:
    """How much of what agents used later survives the rules that lose nothing, and all rules."""
    figures: dict[str, Any] = {"later_used_items": sum(survival.items.values())}
    for rules, name in ((LOSSLESS_SET, "later_use_survival"), (ALL_SET, "later_use_survival_all")):
        figures[name] = survival.share(rules)
        figures[f"{name}_text"] = survival.share(rules, ["text"])
        figures[f"{name}_tool_input"] = survival.share(rules, ["tool_input"])
        figures[f"{name}_worst_tasks"] = survival.worst_share(rules)
    return figures | {"later_use_survival_literal": survival.share(LITERAL)}


def measure(history: History, prices: PriceBook, suffix: str, survival: Survival) -> Mapping[str, Any]:
    """Shares of the bill that are saved, by rule. Keys end in `suffix`."""
    replays = Replay(history, prices)
    rates = prices.rates("anthropic", TODAYS_MODEL if suffix else "claude-opus-4-5", TODAY)
    figures: dict[str, Any] = {
        f"bill_usd{suffix}": replays.recorded.total_usd,
        f"replay_error{suffix}": replays.fidelity().total_error,
    }
    if rates is not None:
        figures[f"pings{suffix}"] = best_pings(CODING_AGENTS, 300, float(rates.cache_read), float(rates.cache_write_5m))
    pings, lossless, every = (parse_what_if(name, history, prices).change for name in (PINGS, LOSSLESS, ALL))
    figures |= shares(replays, history, [pings, lossless], f"net_saving_share{suffix}")
    figures |= shares(replays, history, [pings], f"pings_share{suffix}")
    figures |= shares(replays, history, [lossless], f"lossless_share{suffix}")
    for rule in CONTENT_RULES:
        change = parse_what_if(f"rules={rule.name}", history, prices).change
        figures[f"{rule.name}{suffix}"] = replays.run([change]).saving_share
    extra = rereading_usd(survival, ALL_SET, history.entry_ids, history.prompt, replays.rates)
    figures |= shares(replays, history, [pings, every], f"all_rules_share{suffix}", extra)
    for name in BESIDE:
        change = parse_what_if(name, history, prices).change
        figures[f"{name}{suffix}"] = replays.run([change]).saving_share
    vendor = max(figures[f"{name}{suffix}"] for name in BESIDE if name.startswith("cache_ttl"))
    figures[f"vendors_best_share{suffix}"] = vendor
    figures[f"over_vendors_best{suffix}"] = figures[f"net_saving_share{suffix}"] - vendor
    return figures


def shares(
    replays: Replay, history: History, changes: Sequence[HistoryChange], name: str, extra_usd: Any = 0.0
) -> dict[str, float | None]:
    """What changes save, less what they cost besides, with an interval by task."""
    replayed = replays.run(changes)
    before, after = np.nan_to_num(replayed.base.cost_usd), np.nan_to_num(replayed.changed.cost_usd) + extra_usd
    ratio = ratio_of_sums(after, before, history.task)
    return {
        name: 1 - float(after.sum() / before.sum()),
        f"{name}_low": None if ratio.high is None else 1 - ratio.high,
        f"{name}_high": None if ratio.low is None else 1 - ratio.low,
    }


def return_times(history: History) -> ReturnTimes:
    """How soon calls came after replies to main agents."""
    main = history.agent == history.code_of(history.agents, "")
    finished = np.where(np.isnan(history.finished_s), history.started_s, history.finished_s)
    gaps = np.full(history.calls, np.inf)
    goes_on = history.conversation[1:] == history.conversation[:-1]
    gaps[:-1] = np.where(goes_on, history.started_s[1:] - finished[:-1], np.inf)
    return ReturnTimes.of_gaps(gaps[main])


if __name__ == "__main__":
    main()
