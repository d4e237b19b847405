"""What people are to be alerted of: pure decisions from how things stand, once for each event.

A condition (a budget above a step, an open circuit) holds or does not. It is an event when it begins to hold, and is
told once, however often it is looked at and however often the process is started again. What comes and goes is told
again after a time at the earliest.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from urllib.parse import urlencode

import msgspec

from modicum.calls.words.counted_nouns import number_of
from modicum.calls.words.percentages import percent
from modicum.governance.budgets import LimitUnit, show_amount

LEAST_PASSED = 0.1
"""The share of a window that must have passed, and of a limit that must be spent, before a pace is believed."""
REFUSALS_WITHIN = timedelta(minutes=5)
SILENT_AFTER = timedelta(seconds=30)
"""A worker reports every five seconds."""


class AlertKind(StrEnum):
    BUDGET_STEP = "budget_step"
    """A budget's spend has reached a step of its limit."""
    BUDGET_FORECAST = "budget_forecast"
    """At the pace so far a budget's limit is reached before it begins anew."""
    REFUSALS = "refusals"
    """Many requests of one owner were refused for one reason."""
    UNKNOWN_PRICE = "unknown_price"
    """Calls are booked whose model has no price: they are in no dollar figure."""
    CIRCUIT_OPEN = "circuit_open"
    """An upstream failed so often that it is left alone."""
    GATEWAY_TROUBLE = "gateway_trouble"
    """A gateway process cannot record, has lost a file that it lives on, or says nothing any more."""
    LEDGER_BEHIND = "ledger_behind"
    """Finished calls do not get into the ledger; the journals keep them."""
    OUTCOME_COST = "outcome_cost"
    """One result costs more than its budget says, and not by chance."""
    SPEND_ANOMALY = "spend_anomaly"
    """An owner spent far more on a day than it usually does."""
    CACHE_COLD = "cache_cold"
    """Far less of an owner's prompts was read from caches than usual."""
    LOOP = "loop"
    """An agent calls a tool again and again, and gets the same answer."""
    YIELD_FALLEN = "yield_fallen"
    """One outcome of an owner costs far more than it did, and not by chance."""
    UNKNOWN_FIELD = "unknown_field"
    """Calls are booked of which something is not understood, so that their cost is not exact."""
    TEST = "test"


VIEWS = {
    AlertKind.BUDGET_STEP: "budgets",
    AlertKind.BUDGET_FORECAST: "budgets",
    AlertKind.REFUSALS: "budgets",
    AlertKind.UNKNOWN_PRICE: "where?by=model",
    AlertKind.UNKNOWN_FIELD: "where?by=model",
    AlertKind.OUTCOME_COST: "tasks",
    AlertKind.SPEND_ANOMALY: "where?by=model",
    AlertKind.CACHE_COLD: "waste",
    AlertKind.LOOP: "tasks",
    AlertKind.YIELD_FALLEN: "tasks",
}
"""The page of the console that shows what an alert is about, where there is one."""


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """One event, for a log, a webhook and people. No text of a prompt, no key."""

    kind: AlertKind
    subject: str
    """What it is about: two with one kind and subject are the same event."""
    at: datetime
    text: str
    """One sentence."""
    facts: dict[str, str | int | float] = {}
    supersedes: tuple[str, ...] = ()
    """Subjects of lesser events that this one includes."""
    conditions: tuple[tuple[str, str], ...] = ()
    """What chooses the calls in the console's view: `since`, and `where` as `team=search`."""

    @property
    def identity(self) -> str:
        return f"{self.kind}:{self.subject}"

    @property
    def view(self) -> str:
        """The address of the view that shows it, within the console; empty: there is none."""
        page = VIEWS.get(self.kind, "")
        if not page or not self.conditions:
            return page
        return f"{page}{'&' if '?' in page else '?'}{urlencode(self.conditions)}"


class BudgetState(NamedTuple):
    """How one sum of a budget stands."""

    name: str
    names: tuple[str, ...]
    """Whose sum it is, where each name has one."""
    unit: LimitUnit
    limit: int
    spent: int
    begins: datetime
    """Of the window; of one that slides, or never ends, a moment that stays the same."""
    resets: datetime | None
    crossed_at: datetime | None
    """When the limit is reached at the pace so far."""

    @property
    def share(self) -> float:
        return self.spent / self.limit if self.limit else 1.0

    @property
    def subject(self) -> str:
        return "|".join((self.name, *self.names, f"{self.limit}", self.begins.isoformat()))

    @property
    def text(self) -> str:
        of = ", ".join(name or "(none)" for name in self.names)
        return f"budget '{self.name}'{f' of {of}' if of else ''}"


class OutcomeState(NamedTuple):
    """A result that costs more than its budget says."""

    outcome: str
    name: str
    """Whose; empty: of all."""
    limit_usd: float
    why: str


class WatchedOwner(NamedTuple):
    """Whose figures are watched: a name in each dimension of `alerts.by`."""

    names: tuple[tuple[str, str], ...]
    """Dimension and name; an empty name: calls that have none there."""

    @property
    def subject(self) -> str:
        return "|".join(name for _, name in self.names)

    @property
    def text(self) -> str:
        if len(self.names) == 1 and self.names[0][0] == "team":
            return self.names[0][1] or "callers without a team"
        plain = [(dimension.removeprefix("tag:"), name) for dimension, name in self.names]
        return ", ".join(f"{one} {name}" if name else f"no {one}" for one, name in plain)

    @property
    def conditions(self) -> tuple[tuple[str, str], ...]:
        """As the address of a view has them."""
        return tuple(("where", f"{dimension}={name}") for dimension, name in self.names)


class UnusualDay(NamedTuple):
    """A day of an owner that was out of the ordinary."""

    kind: AlertKind
    """`SPEND_ANOMALY` or `CACHE_COLD`."""
    owner: WatchedOwner
    day: date
    figure: float
    """Dollars, or the share of prompts that was read from caches."""
    usual: float


class LoopState(NamedTuple):
    """A tool that gives an agent the same answer again and again."""

    owner: WatchedOwner
    conversation: str
    task: str
    tool: str
    repeats: int
    """Answers that came a third time or more often."""
    since: datetime
    usd: float | None
    """Of the calls that brought them; None: nobody knows."""


class YieldState(NamedTuple):
    """An outcome that costs far more in the last seven days than in the four weeks before."""

    owner: WatchedOwner
    outcome: str
    usd_each: float | None
    """None: no task of the last seven days has passed."""
    usual_usd_each: float
    tasks: int
    """Of the last seven days, with the outcome."""
    tasks_failed: int
    since: date
    """Of the seven days."""


class RefusedLately(NamedTuple):
    """Refusals of one owner for one reason, within `REFUSALS_WITHIN`."""

    team: str
    app: str
    key: str
    kind: str
    requests: int


class WorkerState(NamedTuple):
    """What one gateway process reported last."""

    name: str
    reported: datetime
    trouble: str = ""
    open_circuits: tuple[str, ...] = ()


class Situation(NamedTuple):
    """All that is looked at."""

    at: datetime
    budgets: Sequence[BudgetState] = ()
    refusals: Sequence[RefusedLately] = ()
    unpriced: Sequence[tuple[str, str]] = ()
    """Provider and model of calls without a price that were booked lately."""
    workers: Sequence[WorkerState] = ()
    ledger_reason: str = ""
    """Why the ledger is away."""
    ledger_lag_s: float = 0.0
    """For how long a record has waited to get into it."""
    outcomes: Sequence[OutcomeState] = ()
    unusual: Sequence[UnusualDay] = ()
    unknown_fields: Sequence[tuple[str, str]] = ()
    """Provider and name of what is not understood of calls that were booked lately."""
    loops: Sequence[LoopState] = ()
    fallen: Sequence[YieldState] = ()


RESTS: Mapping[str, timedelta] = {AlertKind.YIELD_FALLEN: timedelta(days=7)}
"""How long what has come and gone is not told again, where that is longer than the settings say: a yield moves once a
day."""


class AlertRules(NamedTuple):
    """What is worth an alert."""

    budget_steps: tuple[float, ...] = (0.5, 0.8, 1.0)
    refusals: int = 20
    """How many within five minutes, of one owner for one reason; 0: never."""
    behind_s: float = 60.0
    again_after: timedelta = timedelta(hours=1)


class Raised(NamedTuple):
    """That an event was told."""

    at: datetime
    holds: bool
    """Whether its condition held when it was looked at last."""


def conditions(situation: Situation, rules: AlertRules) -> Iterator[Alert]:
    """What holds now and is worth an alert."""
    for budget in situation.budgets:
        yield from _of_budget(situation.at, budget, rules)
    for refused in situation.refusals:
        if rules.refusals and refused.requests >= rules.refusals:
            yield _of_refusals(situation.at, refused)
    for provider, model in situation.unpriced:
        yield Alert(
            kind=AlertKind.UNKNOWN_PRICE,
            subject=f"{provider}/{model}",
            at=situation.at,
            text=f"no price is known for {model} of {provider or 'an unknown provider'}: its calls are in no dollar "
            "figure, and hard budgets in dollars refuse them; give it a price in prices.toml",
            facts={"provider": provider, "model": model},
        )
    for outcome in situation.outcomes:
        of = f" of {outcome.name}" if outcome.name else ""
        yield Alert(
            kind=AlertKind.OUTCOME_COST,
            subject=f"{outcome.outcome}|{outcome.name}|{outcome.limit_usd:g}",
            at=situation.at,
            text=f"one {outcome.outcome}{of} costs more than its ${outcome.limit_usd:,.2f}: {outcome.why}",
            facts={"outcome": outcome.outcome, "of": outcome.name, "limit_usd": outcome.limit_usd},
        )
    for provider, name in situation.unknown_fields:
        yield Alert(
            kind=AlertKind.UNKNOWN_FIELD,
            subject=f"{provider}/{name}",
            at=situation.at,
            text=f"calls to {provider or 'an unknown provider'} say something that is not understood ({name}): their "
            "cost is not exact until a newer version knows it",
            facts={"provider": provider, "field": name},
        )
    for unusual in situation.unusual:
        yield _of_day(situation.at, unusual)
    for loop in situation.loops:
        yield _of_loop(situation.at, loop)
    for fallen in situation.fallen:
        yield _of_yield(situation.at, fallen)
    yield from _of_workers(situation)
    yield from _of_ledger(situation, rules)


def alert_of_test(at: datetime) -> Alert:
    """What says that alerts arrive."""
    text = "this is a test: alerts of this gateway arrive here"
    return Alert(kind=AlertKind.TEST, subject="test", at=at, text=text)


def new_alerts(
    holding: Iterable[Alert], raised: Mapping[str, Raised], now: datetime, again_after: timedelta
) -> tuple[list[Alert], dict[str, Raised]]:
    """Which of the conditions that hold are events that were not told yet, and what is told then.

    What no longer holds is forgotten after `again_after`, or the longer rest of its kind, so that it stays told if it
    comes back before.
    """
    alerts: list[Alert] = []
    after: dict[str, Raised] = {}
    for alert in holding:
        former = raised.get(alert.identity)
        is_new = former is None or (not former.holds and now - former.at >= _rest_of(alert.kind, again_after))
        if is_new:
            alerts.append(alert)
        raised_at = now if is_new or former is None else former.at
        after[alert.identity] = Raised(raised_at, holds=True)
        for subject in alert.supersedes:
            lesser = f"{alert.kind}:{subject}"
            before = raised.get(lesser)
            after[lesser] = Raised(before.at if before is not None else now, holds=True)
    for identity, one in raised.items():
        if identity not in after and now - one.at < _rest_of(identity.partition(":")[0], again_after):
            after[identity] = one._replace(holds=False)
    return alerts, after


def _rest_of(kind: str, again_after: timedelta) -> timedelta:
    return max(again_after, RESTS.get(kind, again_after))


def _of_budget(at: datetime, budget: BudgetState, rules: AlertRules) -> Iterator[Alert]:
    facts: dict[str, str | int | float] = {
        "budget": budget.name,
        "of": ", ".join(budget.names),
        "unit": budget.unit.value,
        "share": round(budget.share, 4),
    }
    limit = show_amount(budget.unit, budget.limit)
    reached = sorted(step for step in rules.budget_steps if budget.share >= step)
    if reached:
        spent = show_amount(budget.unit, budget.spent)
        yield Alert(
            kind=AlertKind.BUDGET_STEP,
            subject=f"{budget.subject}|{reached[-1]:g}",
            at=at,
            text=f"{budget.text} has reached {percent(reached[-1], 0)} of its limit: {spent} of {limit} are spent",
            facts={**facts, "step": reached[-1]},
            supersedes=tuple(f"{budget.subject}|{step:g}" for step in reached[:-1]),
        )
    crossed = budget.crossed_at
    if crossed is None or crossed <= at or not LEAST_PASSED <= budget.share < 1:
        return
    if budget.resets is not None and (at - budget.begins) < LEAST_PASSED * (budget.resets - budget.begins):
        return
    before = "" if budget.resets is None else f"; it begins anew on {budget.resets:%Y-%m-%d %H:%M} UTC"
    yield Alert(
        kind=AlertKind.BUDGET_FORECAST,
        subject=budget.subject,
        at=at,
        text=f"{budget.text} reaches its limit of {limit} on {crossed:%Y-%m-%d %H:%M} UTC at the pace so far{before}",
        facts={**facts, "limit_reached": crossed.isoformat()},
    )


def _of_day(at: datetime, unusual: UnusualDay) -> Alert:
    owner, day = unusual.owner, unusual.day.isoformat()
    spent = f"spent ${unusual.figure:,.2f} on {day}, where ${unusual.usual:,.2f} were to be expected of that day"
    now, before = percent(unusual.figure, 0), percent(unusual.usual, 0)
    read = f"read {now} of its prompts from caches on {day}; in the two weeks before {before}"
    return Alert(
        kind=unusual.kind,
        subject=f"{owner.subject}|{day}",
        at=at,
        text=f"{owner.text} {spent if unusual.kind is AlertKind.SPEND_ANOMALY else read}",
        facts=_facts(owner, day=day, figure=round(unusual.figure, 4), usual=round(unusual.usual, 4)),
        conditions=(("since", day), *owner.conditions),
    )


def _of_loop(at: datetime, loop: LoopState) -> Alert:
    who = f"task {loop.task}" if loop.task else "an agent without a task"
    cost = "" if loop.usd is None else f"; the calls that brought it cost ${loop.usd:,.2f}"
    of_owner = ("since", f"{loop.since:%Y-%m-%d}"), *loop.owner.conditions
    return Alert(
        kind=AlertKind.LOOP,
        subject=f"{loop.conversation}|{loop.tool}",
        at=at,
        text=f"{who} of {loop.owner.text} goes in circles: since {loop.since:%Y-%m-%d %H:%M} UTC the tool {loop.tool} "
        f"gave {number_of(loop.repeats, 'time')} what it had given twice before{cost}",
        facts=_facts(loop.owner, task=loop.task or None, tool=loop.tool, repeats=loop.repeats, usd=_rounded(loop.usd)),
        conditions=(("task", loop.task),) if loop.task else of_owner,
    )


def _of_yield(at: datetime, fallen: YieldState) -> Alert:
    now = "no task has passed" if fallen.usd_each is None else f"one costs ${fallen.usd_each:,.2f}"
    return Alert(
        kind=AlertKind.YIELD_FALLEN,
        subject=f"{fallen.owner.subject}|{fallen.outcome}",
        at=at,
        text=f"the yield of {fallen.owner.text} fell: of outcome {fallen.outcome} {now} since {fallen.since}, where it "
        f"was ${fallen.usual_usd_each:,.2f} in the four weeks before ({number_of(fallen.tasks, 'task')}, "
        f"{fallen.tasks_failed:,} failed)",
        facts=_facts(
            fallen.owner,
            outcome=fallen.outcome,
            usd_each=_rounded(fallen.usd_each),
            usual_usd_each=_rounded(fallen.usual_usd_each),
            tasks=fallen.tasks,
            tasks_failed=fallen.tasks_failed,
        ),
        conditions=(("since", fallen.since.isoformat()), *fallen.owner.conditions),
    )


def _facts(owner: WatchedOwner, **figures: str | float | None) -> dict[str, str | int | float]:
    """Whose by dimension, and what is known of the figures."""
    return {**dict(owner.names), **{name: figure for name, figure in figures.items() if figure is not None}}


def _rounded(usd: float | None) -> float | None:
    return None if usd is None else round(usd, 4)


def _of_refusals(at: datetime, refused: RefusedLately) -> Alert:
    who = ", ".join(f"{part} {name}" for part, name in zip(("team", "app", "key"), refused[:3], strict=True) if name)
    return Alert(
        kind=AlertKind.REFUSALS,
        subject="|".join(refused[:4]),
        at=at,
        text=f"{number_of(refused.requests, 'request')} of {who or 'callers without a valid key'} "
        f"{'was' if refused.requests == 1 else 'were'} refused within five minutes: {refused.kind}",
        facts={"team": refused.team, "app": refused.app, "key": refused.key, "refusal": refused.kind}
        | {"count": refused.requests},
    )


def _of_workers(situation: Situation) -> Iterator[Alert]:
    at = situation.at
    live = [worker for worker in situation.workers if at - worker.reported < SILENT_AFTER]
    for upstream in sorted({name for worker in live for name in worker.open_circuits}):
        yield Alert(
            kind=AlertKind.CIRCUIT_OPEN,
            subject=upstream,
            at=at,
            text=f"the upstream {upstream} has failed too often: its circuit is open, and calls go elsewhere or are "
            "refused",
            facts={"upstream": upstream},
        )
    for worker in situation.workers:
        silent_s = (at - worker.reported).total_seconds()
        reason = worker.trouble if worker in live else f"it has not reported for {silent_s:.0f} s"
        if reason:
            yield Alert(
                kind=AlertKind.GATEWAY_TROUBLE,
                subject=worker.name,
                at=at,
                text=f"the gateway process {worker.name} has trouble: {reason}",
                facts={"worker": worker.name, "reason": reason},
            )


def _of_ledger(situation: Situation, rules: AlertRules) -> Iterator[Alert]:
    if situation.ledger_lag_s >= rules.behind_s:
        why = f": it is away ({situation.ledger_reason})" if situation.ledger_reason else ""
        yield Alert(
            kind=AlertKind.LEDGER_BEHIND,
            subject="ledger",
            at=situation.at,
            text=f"calls have waited for {situation.ledger_lag_s:.0f} s to get into the ledger{why}; the journals keep "
            "them, and bills and budgets of others do not see them yet",
            facts={"lag_s": round(situation.ledger_lag_s), "reason": situation.ledger_reason},
        )
