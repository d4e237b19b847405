"""What a change on trial is expected to save: a replay of the ledger's history, made before the first task."""

from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from modicum.calls import UserError
from modicum.calls.words.counted_nouns import number_of
from modicum.experiments.experiment import ChangeKind, Experiment
from modicum.optimizers.all_rules import CONTENT_RULES
from modicum.optimizers.system_prompt import FAMILY as PROMPT
from modicum.optimizers.variants import FAMILY as VARIANT
from modicum.routing.rule import FAMILY as ROUTE
from modicum.settings import Settings

if TYPE_CHECKING:
    from modicum.insights.finding import HistoryChange
    from modicum.insights.history import Flags, History
    from modicum.ledger.store import Store
    from modicum.metering.prices import PriceBook

LOOKS_BACK = timedelta(days=30)
"""History that an estimate rests on."""
BEFORE = f"in the {LOOKS_BACK.days} days before the start"
LIVE = "gateway"
"""The source of calls whose texts nobody kept."""


class SavingEstimate(NamedTuple):
    """The share of dollars that a replay says a change saves, or why there is none."""

    share: float | None
    """Of the dollars of the tasks that it is about. None: there is no estimate."""
    why_not: str = ""


def estimate_saving(store: "Store", settings: Settings, prices: "PriceBook", one: Experiment) -> SavingEstimate:
    """What a replay of the 30 days before an experiment says that its change saves."""
    span = one.started_at - LOOKS_BACK, one.started_at
    if one.kind is ChangeKind.MODEL:
        return _estimate_model(store, prices, span, _model_of(one.subject, settings), _model_of(one.to, settings))
    if one.kind is ChangeKind.TEAM:
        return SavingEstimate(None, "what a team would have done under another plan is in no history")
    if one.subject.startswith((PROMPT, VARIANT)):
        what = "system prompt" if one.subject.startswith(PROMPT) else "request"
        return SavingEstimate(None, f"what a model would have answered to another {what} is in no history")
    if one.subject.startswith(ROUTE):
        return SavingEstimate(None, "which models a router would have chosen is in no history")
    if one.subject not in {rule.name for rule in CONTENT_RULES}:
        return SavingEstimate(None, f"only rules for content (content.*) can be replayed, and '{one.subject}' is none")
    return _estimate_rule(store, prices, span, one.subject)


def _estimate_model(
    store: "Store", prices: "PriceBook", span: tuple[datetime, datetime], old: str, new: str
) -> SavingEstimate:
    """Of the tasks with calls for the old model."""
    from modicum.insights.finding import HistoryChange
    from modicum.insights.history import load
    from modicum.insights.replay import check_model_price

    history = load(store, *span)
    olds = [name for name in history.models if fnmatchcase(name, old) or name.startswith(f"{old}-2")]
    if not olds:
        return SavingEstimate(None, f"the ledger has no call to '{old}' {BEFORE}")
    try:
        check_model_price(prices, history, new)
    except UserError as error:
        return SavingEstimate(None, str(error))
    asked_for = np.isin(history.model, [history.models.index(name) for name in olds])
    concerned = np.isin(history.task, np.unique(history.task[asked_for]))
    return _replay(history, prices, HistoryChange(models=dict.fromkeys(olds, new)), concerned)


def _estimate_rule(store: "Store", prices: "PriceBook", span: tuple[datetime, datetime], rule: str) -> SavingEstimate:
    """Of the tasks that were imported whole, with their anatomy: only an import sees texts, and books what rules would
    have sent.
    """
    from modicum.insights.history import load
    from modicum.insights.what_if import shorten_results

    if any(row["rule"] == rule for row in store.ask("edits", since=span[0], until=span[1])):
        return SavingEstimate(
            None, f"'{rule}' changed calls {BEFORE}, so the ledger does not show what is spent without it"
        )
    history = load(store, *span)
    unseen = ~history.has_anatomy | (history.source == history.code_of(history.sources, LIVE))
    no_task = history.code_of(history.tasks, "")
    concerned = ~np.isin(history.task, [*np.unique(history.task[unseen]), no_task])
    if not concerned.any():
        why = f"no task {BEFORE} was imported with anatomy ('modicum import'); of calls through the gateway"
        return SavingEstimate(None, f"{why} the ledger keeps no text")
    if rule not in history.shortened_shares:
        return SavingEstimate(None, f"no import saw a tool result {BEFORE} that '{rule}' would have shortened")
    return _replay(history, prices, shorten_results(history, rule), concerned)


def _replay(history: "History", prices: "PriceBook", change: "HistoryChange", concerned: "Flags") -> SavingEstimate:
    """The share of the dollars of some calls that a change of the whole history saves."""
    from modicum.insights.replay import Replay

    replayed = Replay(history, prices).run([change])
    if replayed.unpriced_calls:
        return SavingEstimate(
            None, f"{number_of(replayed.unpriced_calls, 'call')} would have no known price with the change"
        )
    before = float(np.nansum(replayed.base.cost_usd[concerned]))
    after = float(np.nansum(replayed.changed.cost_usd[concerned]))
    if before <= 0:
        return SavingEstimate(None, "of no call that it is about are the costs known")
    return SavingEstimate((before - after) / before)


def _model_of(name: str, settings: Settings) -> str:
    """What a name for a model stands for in the ledger."""
    return settings.models[name].partition("/")[2] if name in settings.models else name


def plan_by_outcomes(store: "Store", outcome: str, margin: float, hold_out: float) -> int | None:
    """About how many tasks it will take, from how often the outcome was a success so far; None: nobody knows."""
    from modicum.experiments.gate import plan_tasks

    row = next((row for row in store.ask("outcomes") if row["name"] == outcome), None)
    if row is None or not row["outcomes"]:
        return None
    base = float(row["value_sum"]) / row["outcomes"]
    return plan_tasks(base, margin, 1 - hold_out) if 0 < base < 1 else None
