"""The audit: where the money went, what bought nothing, and what each change would have saved, alone and together.

Every saving is a replay. Findings of class exact and replayed are also replayed together, so that they cannot add up to
more than was spent; upper bounds and headroom stand beside that, in no sum.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import numpy as np

from modicum.calls import UserError
from modicum.calls.errors import unknown_name
from modicum.calls.outside.tabular import Tabular
from modicum.insights.advice.client_advice import ClientAdvice, advice_for
from modicum.insights.advice.examples import ExampleCall, locate_calls
from modicum.insights.advice.first_steps import WORTH_DOING, AdvisedFinding, AdvisedStep, rank_steps
from modicum.insights.advice.project_beginnings import ProjectBeginning, compare_beginnings
from modicum.insights.advice.spend import Spend, sum_spend
from modicum.insights.cache_replay.cause_words import describe
from modicum.insights.caching import Caching
from modicum.insights.changes.waiting import FirstTokenTime, WaitingSaved, fit_first_token_time, waiting_saved
from modicum.insights.changes.what_if_results import RuleSavings, WhatIfResult, replay_rules, replay_what_ifs
from modicum.insights.finding import Finding, FindingClass, HistoryChange
from modicum.insights.findings import FINDINGS, load_detector
from modicum.insights.findings.prefix_break import find_causes, price_lost
from modicum.insights.history import NO_CALLS, History, load
from modicum.insights.rent import Rent, compute_rent
from modicum.insights.replay import Fidelity, HistoryReplay, Replay, counts_in_joint
from modicum.insights.segment_costs import price_segments
from modicum.insights.timelines import CacheTimeline, Day, build_cache_timeline, list_days
from modicum.insights.trends.context_sizes import ContextSizes, sum_by_context_size
from modicum.insights.what_if import (
    cap_tool_results,
    find_tool_results,
    parse_what_if,
)
from modicum.ledger.store import Store
from modicum.metering.prices import PriceBook
from modicum.metering.prices_of import PricesOf

CAPS = (500, 1000, 2000, 4000, 8000)
"""Tokens per tool result for which the cap curve is drawn."""
STEPS_FIRST = 3
UTC_ZONE = ZoneInfo("UTC")

StepListener = Callable[[str], None]


def ignore_step(_step: str) -> None:
    """The listener of those who want to hear nothing."""


class FindingResult(msgspec.Struct, frozen=True, kw_only=True):
    """A finding with what its change would have saved."""

    id: str
    name: str
    title: str
    what: str
    finding_class: FindingClass
    calls: int
    tokens: int
    gross_usd: float
    saving_usd: float | None
    """Of this change alone; negative: it would have cost more. None: there is nothing to replay."""
    saving_share: float | None
    marginal_usd: float | None
    """On top of the findings above it, in the order of the list; these sum to the joint saving. None: in no sum."""
    remedy: str
    advice: ClientAdvice | None
    """What the user of the agent can do that made most of these calls; None: no agent did, or it has nothing for it."""
    guard: str
    examples: tuple[str, ...]
    example_calls: list[ExampleCall]
    """The same with session, time and project."""
    lacks: str
    details: dict[str, float | int | str]
    waiting: WaitingSaved | None = None
    """What it does to waiting for first tokens. None: nothing shows it, or there is nothing to replay."""


class NamedBreaks(msgspec.Struct, frozen=True, kw_only=True):
    """Cache breaks of one cause in one version of one program."""

    cause: str
    """A `PromptEvent`, or the provider's word."""
    title: str
    remedy: str
    evidence: str
    """`provider`: its diagnostics say so. `measured`: more than three times as frequent behind the event, in either
    half of the sessions. `documented`: by the provider, and what was read fits."""
    source: str
    version: str
    """Of the program; empty where the log does not say."""
    breaks: int
    steps: int
    """Calls of that version behind the same event, broken or not."""
    lost_usd: float
    """What was paid for tokens that would have been read."""
    lift_low: float | None
    contradicted: int
    """Calls of which the provider's diagnostics say something else."""


class CapPoint(msgspec.Struct, frozen=True, kw_only=True):
    """One point of the cap curve."""

    cap_tokens: int
    results: int
    gross_usd: float
    saving_usd: float
    saving_share: float


class SourceFidelity(msgspec.Struct, frozen=True, kw_only=True):
    source: str
    fidelity: Fidelity
    is_bound: bool
    """Worse than 2 % in total or 3 % for the median task, or over 10 % excused: its replayed figures are bounds."""


class Audit(Tabular, msgspec.Struct, frozen=True, kw_only=True):
    """What a bill was spent on, what of it was waste, and what changes would have saved."""

    calls: int
    tasks: int
    calls_unpriced: int
    calls_without_anatomy: int
    apart_calls: int
    apart_cost_usd: float
    cost_usd: float
    """What the record says, of the calls that have a price."""
    spend: Spend | None = None
    """The same as the bill has it, with basis, by model and project."""
    rent: Rent
    fidelity: Fidelity
    fidelity_by_source: list[SourceFidelity]
    is_bound: bool
    findings: list[FindingResult]
    joint_saving_usd: float
    joint_saving_share: float
    rule_savings: RuleSavings
    what_if: list[WhatIfResult]
    what_if_saving_usd: float | None
    what_if_saving_share: float | None
    first_token_time: FirstTokenTime
    """On what the seconds rest."""
    cap_curve: list[CapPoint]
    break_causes: list[NamedBreaks]
    """Named causes of the breaks of B2, the dearest first."""
    first_steps: list[str]
    """Names of the findings to act on first."""
    steps: list[AdvisedStep]
    """What the user of the agent can set that made most of these calls, what saves most first, by replay; what only
    its vendor can change behind that. Empty: no agent did."""
    beginnings: list[ProjectBeginning]
    """What conversations of each project begin with, beside the leanest project."""
    timezone: str
    """In which days begin."""
    days: list[Day]
    context_sizes: ContextSizes
    """Outcomes and calls by the size of the context. No cause."""
    cache_timeline: CacheTimeline | None
    """Of the task that lost most by losing its prompt cache."""

    def to_dicts(self) -> list[dict[str, Any]]:
        """The findings."""
        rows: list[dict[str, Any]] = audit_document(self)["findings"]
        return rows


def audit(
    store: Store,
    prices: PriceBook,
    span: tuple[datetime, datetime],
    *,
    only: Sequence[str] = (),
    what_ifs: Sequence[str] = (),
    on_step: StepListener = ignore_step,
    zone: ZoneInfo = UTC_ZONE,
) -> Audit:
    """The audit of the calls that began in that time.

    Args:
        store: the ledger.
        prices: the rates of its days.
        span: since, until.
        only: names of findings; all where empty.
        what_ifs: changes as `parse_what_if` reads them.
        on_step: is called before each step, with a few words about it.
        zone: in which days begin.

    Raises:
        UserError: there is no finding of that name, no call in that time, or a change cannot be read.
    """
    names = check_finding_names(only)
    on_step("loading the calls")
    history = load(store, *span)
    if not history.calls:
        raise UserError(NO_CALLS)
    on_step("sharing out the bill")
    found = build(history, compute_rent(store, "kind", *span), prices, names, what_ifs, on_step, zone)
    return msgspec.structs.replace(found, spend=sum_spend(store, span, zone))


def check_finding_names(only: Sequence[str]) -> list[str]:
    """The names of the findings to look for: those that were given by name or id, in the order of `FINDINGS`, or all.

    Raises:
        UserError: there is no finding of that name.
    """
    by_id = {finding_id: name for name, finding_id in FINDINGS.items()}
    chosen = {by_id.get(name.upper(), name) for name in only}
    for name in sorted(chosen):
        if name not in FINDINGS:
            raise unknown_name("finding", name, FINDINGS)
    return [name for name in FINDINGS if not only or name in chosen]


def build(
    history: History,
    rents: Rent,
    prices: PriceBook,
    names: Sequence[str],
    what_ifs: Sequence[str],
    on_step: StepListener = ignore_step,
    zone: ZoneInfo = UTC_ZONE,
) -> Audit:
    on_step("replaying without changes")
    replays = Replay(history, prices)
    parsed = [parse_what_if(text, history, prices) for text in what_ifs]
    findings = []
    for name in names:
        on_step(f"looking for {name.replace('_', ' ')}")
        findings.append(load_detector(name)(history))
    on_step("replaying what was found, alone and together")
    advice = advice_for(history)
    rows, joint_usd = _replay_findings(replays, findings, advice)
    steps = rank_steps(advice, _advised(findings), replays, prices)
    on_step("replaying what was asked, and cuts of tool results")
    answers = replay_what_ifs(replays, parsed)
    together = replays.run([one.change for one in parsed]) if parsed else None
    fidelity = replays.fidelity()
    whole = replays.recorded.total_usd
    return Audit(
        calls=history.calls,
        tasks=len(history.tasks),
        calls_unpriced=int(np.isnan(history.cost_usd).sum()),
        calls_without_anatomy=int((~history.has_anatomy).sum()),
        apart_calls=history.apart_calls,
        apart_cost_usd=history.apart_cost_usd,
        cost_usd=float(np.nansum(history.cost_usd)),
        rent=rents,
        fidelity=fidelity,
        fidelity_by_source=_compute_fidelity_by_source(replays),
        is_bound=not fidelity.is_within,
        findings=rows,
        joint_saving_usd=joint_usd,
        joint_saving_share=joint_usd / whole if whole else 0.0,
        rule_savings=replay_rules(replays, prices, None if isinstance(prices, PricesOf) else datetime.now(UTC)),
        what_if=answers,
        what_if_saving_usd=together.saving_usd if together else None,
        what_if_saving_share=together.saving_share if together else None,
        first_token_time=fit_first_token_time(history).time,
        cap_curve=_cap_curve(replays),
        break_causes=_list_break_causes(history, replays.caching),
        first_steps=_choose_first_steps(rows, steps),
        steps=steps,
        beginnings=compare_beginnings(history) if "fixed_overhead" in names else [],
        timezone=zone.key,
        days=list_days(history, zone),
        context_sizes=sum_by_context_size(history),
        cache_timeline=build_cache_timeline(history),
    )


def _replay_findings(
    replays: Replay, findings: Sequence[Finding], advice: Sequence[ClientAdvice]
) -> tuple[list[FindingResult], float]:
    """Every finding replayed alone, and what those that may be summed save together."""
    by_finding = {one.finding: one for one in reversed(advice)}
    alone = [replays.run([found.change]) if found.change else None for found in findings]
    on_top = _find_marginal_savings(replays, findings, alone)
    located = locate_calls(replays.history, [name for found in findings for name in found.examples])
    rows = [
        FindingResult(
            id=found.id,
            name=found.name,
            title=found.title,
            what=found.what,
            finding_class=found.finding_class,
            calls=found.calls,
            tokens=found.tokens,
            gross_usd=found.gross_usd,
            saving_usd=replayed.saving_usd if replayed else None,
            saving_share=replayed.saving_share if replayed else None,
            marginal_usd=on_top.get(place),
            remedy=found.remedy,
            advice=by_finding.get(found.name),
            guard=found.guard,
            examples=found.examples,
            example_calls=[located[name] for name in found.examples if name in located],
            lacks=found.lacks,
            details=found.details,
            waiting=_waiting(replays.history, found, replayed),
        )
        for place, (found, replayed) in enumerate(zip(findings, alone, strict=True))
    ]
    return rows, sum(on_top.values())


def _waiting(history: History, found: Finding, replayed: HistoryReplay | None) -> WaitingSaved | None:
    if replayed is None or found.change is None or found.change.moves_calls:
        return None
    return waiting_saved(history, replayed)


def _find_marginal_savings(
    replays: Replay, findings: Sequence[Finding], alone: Sequence[HistoryReplay | None]
) -> dict[int, float]:
    """What each finding that may be summed saves on top of those before it, by its place.

    A change that costs more on its own, or on top of the others, is advice against itself: it is in no sum.
    """
    found: dict[int, float] = {}
    together, changes = 0.0, list[HistoryChange]()
    for place, (finding, replayed) in enumerate(zip(findings, alone, strict=True)):
        if finding.change is None or replayed is None or not counts_in_joint(finding) or replayed.saving_usd <= 0:
            continue
        saving = replays.run([*changes, finding.change]).saving_usd if changes else replayed.saving_usd
        if saving > together:
            found[place] = saving - together
            together, changes = saving, [*changes, finding.change]
    return found


def _cap_curve(replays: Replay) -> list[CapPoint]:
    history = replays.history
    results = find_tool_results(history)
    points = []
    for cap in CAPS if results.any() else ():
        change: HistoryChange = cap_tool_results(history, cap)
        over = results & (history.segment_tokens > cap)
        _, usd = price_segments(history, over, history.segment_tokens[over] - cap)
        replayed = replays.run([change])
        points.append(
            CapPoint(
                cap_tokens=cap,
                results=int(over.sum()),
                gross_usd=usd,
                saving_usd=replayed.saving_usd,
                saving_share=replayed.saving_share,
            )
        )
    return points


def _list_break_causes(history: History, caching: Caching) -> list[NamedBreaks]:
    lost_usd = price_lost(history, caching)
    rows = []
    for one in find_causes(history):
        title, remedy = describe(one.cause)
        rows.append(
            NamedBreaks(
                cause=one.cause,
                title=title,
                remedy=remedy,
                evidence=one.evidence,
                source=one.source,
                version=one.version,
                breaks=len(one.calls),
                steps=one.steps,
                lost_usd=float(lost_usd[one.calls].sum()),
                lift_low=one.lift_low,
                contradicted=one.contradicted,
            )
        )
    return sorted(rows, key=lambda row: -row.lost_usd)


def _compute_fidelity_by_source(replays: Replay) -> list[SourceFidelity]:
    history = replays.history
    rows = []
    for code, source in enumerate(history.sources):
        fidelity = replays.fidelity(history.source == code)
        rows.append(SourceFidelity(source=source, fidelity=fidelity, is_bound=not fidelity.is_within))
    return rows


def _advised(findings: Sequence[Finding]) -> Mapping[str, AdvisedFinding]:
    return {
        found.name: AdvisedFinding(finding_class=found.finding_class, change=found.change)
        for found in findings
        if not found.lacks
    }


def _choose_first_steps(rows: Sequence[FindingResult], steps: Sequence[AdvisedStep]) -> list[str]:
    """The findings to act on first: those of the steps that the reader can take; where no agent is advised, those that
    save most: first what may be summed, then what has to be proved.
    """
    if own := [step.finding for step in steps if step.who == "you"]:
        return list(dict.fromkeys(own[:STEPS_FIRST]))
    changeable = [row for row in rows if row.advice is None or row.advice.who == "you"]
    able = [row for row in changeable if row.remedy and (row.saving_usd or 0) > 0]
    proved = [row for row in able if row.marginal_usd is not None and (row.saving_share or 0) >= WORTH_DOING]
    able.sort(key=lambda row: (row not in proved, -(row.saving_usd or 0)))
    return [row.name for row in able[:STEPS_FIRST]]


def audit_document(result: Audit) -> dict[str, Any]:
    """The one JSON object of `modicum audit --json`; its fields are explained in docs/audit.md."""
    built: dict[str, Any] = msgspec.to_builtins(result, builtin_types=(Decimal,))
    return built
