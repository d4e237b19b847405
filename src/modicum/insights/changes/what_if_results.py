"""What-ifs with what they would have saved: in dollars, and in seconds of waiting."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from modicum.calls import UserError
from modicum.insights.changes.edits_by_outcome import EditsByOutcome, sum_edits_by_outcome
from modicum.insights.changes.waiting import WaitingSaved, waiting_saved
from modicum.insights.finding import FindingClass, HistoryChange
from modicum.insights.history import History
from modicum.insights.replay import HistoryReplay, Replay, marginal_savings
from modicum.insights.what_if import (
    KEEP_WARM,
    RULES_FORM,
    TTL_BY_PAUSES,
    WRITTEN_ONCE,
    WhatIf,
    keep_warm_by_price,
    parse_what_if,
)
from modicum.metering.prices import PriceBook
from modicum.metering.prices_of import PricesOf
from modicum.optimizers.all_rules import (
    ALL_SET,
    CACHE_RULES,
    CODE_RULES,
    CONTENT_RULES,
    GUARD_RULES,
    LOSSLESS_SET,
    TOOL_RULES,
)

OFFERED = (
    *(f"{RULES_FORM}={rule.name}" for rule in (*CONTENT_RULES, *CODE_RULES, *TOOL_RULES, *CACHE_RULES, *GUARD_RULES)),
    WRITTEN_ONCE,
    TTL_BY_PAUSES,
    KEEP_WARM,
)
"""Every rule, and what is chosen beside them, as a what-if."""
UNPROVED = "no call was seen that read a beginning which another conversation had left in the cache"
UNFAITHFUL = "the replay without changes is off the record"


class WhatIfResult(msgspec.Struct, frozen=True, kw_only=True):
    """A `--what-if` with what it would have saved."""

    name: str
    finding_class: FindingClass
    saving_usd: float
    saving_share: float
    marginal_usd: float
    """On top of those before it."""
    unpriced_calls: int
    saving_share_low: float | None
    """With `saving_share_high`: between what it lies. None: the figure stands."""
    saving_share_high: float | None
    why_bound: str
    """What is not known, so that it is a bound; empty: the figure stands."""
    waiting: WaitingSaved | None = None
    """What it does to waiting for first tokens. None: nothing shows it, or another model or lane would answer."""
    notes: tuple[str, ...] = ()


class RuleNotReplayed(msgspec.Struct, frozen=True, kw_only=True):
    """A rule of which this history shows too little."""

    name: str
    why: str


class RuleSetsToday(msgspec.Struct, frozen=True, kw_only=True):
    """The sets of rules at the prices of a day for all calls."""

    day: str
    cost_usd: float
    """Of the calls as they were, at these prices."""
    default: WhatIfResult
    lossless: WhatIfResult
    every: WhatIfResult


class RuleSavings(msgspec.Struct, frozen=True, kw_only=True):
    """What the rules of the gateway and library would have saved, replayed with the very same code."""

    default: WhatIfResult
    """Those that run by themselves."""
    lossless: WhatIfResult
    """The rules that lose nothing and the pings that keep caches warm, together."""
    every: WhatIfResult
    """The same with those rules that an owner has to weigh. What agents would have read again is not priced."""
    rules: list[WhatIfResult]
    """Each alone; those that would have changed nothing save 0."""
    not_replayed: list[RuleNotReplayed] = []
    by_outcome: list[EditsByOutcome] = []
    """On which tasks edits of tool results fell. Empty: no task has an outcome, or no result would have been edited."""
    today: RuleSetsToday | None = None
    """The sets at today's prices. None: the whole audit is at other prices than those of the record."""


def _weaken(finding_class: FindingClass, *, is_bound: bool) -> FindingClass:
    return FindingClass.UPPER_BOUND if is_bound and finding_class is FindingClass.REPLAYED else finding_class


def replay_what_ifs(replays: Replay, what_ifs: Sequence[WhatIf]) -> list[WhatIfResult]:
    on_top = marginal_savings(replays, [what_if.change for what_if in what_ifs])
    return [
        _describe(replays, what_if, replays.run([what_if.change]), more)
        for what_if, more in zip(what_ifs, on_top, strict=True)
    ]


def _describe(replays: Replay, what_if: WhatIf, replayed: HistoryReplay, on_top: float | None) -> WhatIfResult:
    fidelity = replays.fidelity()
    error = 0.0 if fidelity.is_within else abs(fidelity.total_error) + fidelity.unexplained_share
    low, high = replayed.range_share(error)
    why = "" if replayed.is_proved else UNPROVED
    why += f"{'; ' if why else ''}{UNFAITHFUL}" if not fidelity.is_within else ""
    return WhatIfResult(
        name=what_if.name,
        finding_class=_weaken(what_if.finding_class, is_bound=bool(why)),
        saving_usd=replayed.saving_usd,
        saving_share=replayed.saving_share,
        marginal_usd=replayed.saving_usd if on_top is None else on_top,
        unpriced_calls=replayed.unpriced_calls,
        saving_share_low=low if why else None,
        saving_share_high=high if why else None,
        why_bound=why,
        waiting=None if what_if.change.moves_calls else waiting_saved(replays.history, replayed),
        notes=what_if.notes,
    )


def replay_rules(replays: Replay, prices: PriceBook, today: datetime | None = None) -> RuleSavings:
    """Every rule as a what-if, and what they save together.

    Args:
        replays: of the history.
        prices: of its days.
        today: a moment at whose prices the sets are replayed too; None: at no other prices.
    """
    history = replays.history
    results, refused = [], []
    for name in OFFERED:
        try:
            one = parse_what_if(name, history, prices)
        except UserError as error:
            refused.append(RuleNotReplayed(name=name, why=str(error).removeprefix(f"'{name}' ")))
        else:
            changes = [] if one.change.is_nothing else [one.change]
            results.append(_describe(replays, one, replays.run(changes), None))
    default, lossless, every = _replay_sets(replays, prices)
    return RuleSavings(
        default=default,
        lossless=lossless,
        every=every,
        rules=results,
        not_replayed=refused,
        by_outcome=sum_edits_by_outcome(history),
        today=None if today is None else _replay_today(history, PricesOf(prices, at=today), today),
    )


def _replay_today(history: History, prices: PriceBook, today: datetime) -> RuleSetsToday:
    replays = Replay(history, prices)
    default, lossless, every = _replay_sets(replays, prices)
    return RuleSetsToday(
        day=f"{today:%Y-%m-%d}",
        cost_usd=replays.recorded.total_usd,
        default=default,
        lossless=lossless,
        every=every,
    )


def _replay_sets(replays: Replay, prices: PriceBook) -> tuple[WhatIfResult, WhatIfResult, WhatIfResult]:
    """The rules that run by themselves, these with pings, and all with pings."""
    history = replays.history
    pings = _pings(history, prices)
    own, every = (parse_what_if(f"{RULES_FORM}={rules}", history, prices).change for rules in (LOSSLESS_SET, ALL_SET))
    also = [] if pings is None else [pings]
    suffix = "" if pings is None else f" {KEEP_WARM}"
    return (
        _replay_together(replays, f"{RULES_FORM}={LOSSLESS_SET}", [own]),
        _replay_together(replays, f"{RULES_FORM}={LOSSLESS_SET}{suffix}", [own, *also]),
        _replay_together(replays, f"{RULES_FORM}={ALL_SET}{suffix}", [every, *also]),
    )


def _pings(history: History, prices: PriceBook) -> HistoryChange | None:
    """As the gateway would send them; None: nothing here could be kept warm."""
    try:
        return keep_warm_by_price(history, prices)
    except UserError:
        return None


def _replay_together(replays: Replay, name: str, changes: Sequence[HistoryChange]) -> WhatIfResult:
    return _describe(replays, WhatIf(name, FindingClass.REPLAYED, changes[0]), replays.run(changes), None)
