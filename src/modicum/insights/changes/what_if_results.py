"""What-ifs with what they would have saved: in dollars, and in seconds of waiting."""

from collections.abc import Sequence

import msgspec

from modicum.calls import UserError
from modicum.insights.changes.waiting import WaitingSaved, waiting_saved
from modicum.insights.finding import FindingClass, HistoryChange
from modicum.insights.history import History
from modicum.insights.replay import HistoryReplay, Replay, marginal_savings
from modicum.insights.what_if import KEEP_WARM, RULES_FORM, SET_BREAKPOINTS, WhatIf, keep_warm_by_price, parse_what_if
from modicum.metering.prices import PriceBook
from modicum.optimizers.all_rules import ALL_SET, CONTENT_RULES, LOSSLESS_SET

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


class RuleSavings(msgspec.Struct, frozen=True, kw_only=True):
    """What the rules of the gateway and library would have saved, replayed with the very same code."""

    default: WhatIfResult
    """Those that run by themselves."""
    lossless: WhatIfResult
    """The rules that lose nothing and the pings that keep caches warm, together."""
    every: WhatIfResult
    """The same with those rules that an owner has to weigh. What agents would have read again is not priced."""
    rules: list[WhatIfResult]
    """Each alone; those that would have changed nothing are left out."""


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


def replay_rules(replays: Replay, prices: PriceBook) -> RuleSavings:
    """Every rule as a what-if, and what they save together."""
    history = replays.history
    pings = _pings(history, prices)
    alone = [parse_what_if(f"{RULES_FORM}={rule.name}", history, prices) for rule in CONTENT_RULES]
    results = [
        _replay_together(replays, one.name, [one.change])
        for one in (*alone, *_of_caches(history, prices, pings))
        if not one.change.is_nothing
    ]
    together = []
    for rules in (LOSSLESS_SET, ALL_SET):
        change = parse_what_if(f"{RULES_FORM}={rules}", history, prices).change
        name = f"{RULES_FORM}={rules}" + (f" {KEEP_WARM}" if pings is not None else "")
        together.append(_replay_together(replays, name, [change, *([pings] if pings is not None else [])]))
    own = parse_what_if(f"{RULES_FORM}={LOSSLESS_SET}", history, prices).change
    default = _replay_together(replays, f"{RULES_FORM}={LOSSLESS_SET}", [own])
    return RuleSavings(default=default, lossless=together[0], every=together[1], rules=results)


def _of_caches(history: History, prices: PriceBook, pings: HistoryChange | None) -> list[WhatIf]:
    """What is done about caches, where the history has any that can be asked for."""
    if pings is None:
        return []
    marked = parse_what_if(SET_BREAKPOINTS, history, prices)
    return [marked, WhatIf(KEEP_WARM, FindingClass.REPLAYED, pings)]


def _pings(history: History, prices: PriceBook) -> HistoryChange | None:
    """As the gateway would send them; None: nothing here could be kept warm."""
    try:
        return keep_warm_by_price(history, prices)
    except UserError:
        return None


def _replay_together(replays: Replay, name: str, changes: Sequence[HistoryChange]) -> WhatIfResult:
    return _describe(replays, WhatIf(name, FindingClass.REPLAYED, changes[0]), replays.run(changes), None)
