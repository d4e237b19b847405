"""Rules run over the ledger's history: what each would have changed in which call, and where it cannot decide.

The very rules of the gateway are run (`optimizers/running.py`), on the anatomy of each call as it was. What a rule
changes in one call does not reach the next: a rule that leaves something out says so again at every call that carries
it. What the changes would have saved, with the prompt cache, is for `replay.py` to say.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, NamedTuple

import msgspec
import numpy as np

from modicum.calls import Edit, Owner, Segment, SegmentKind, Tier
from modicum.calls.call import NOBODY
from modicum.calls.facts import Facts
from modicum.calls.prompt import AnatomyPrompt, Prompt
from modicum.calls.rates import Rates
from modicum.calls.rule import Rule, RuleDecision, RuleEffect
from modicum.insights.history import History, load
from modicum.ledger.store import Store
from modicum.metering.prices import PriceBook
from modicum.optimizers.running import AnatomyCall, run_rules
from modicum.optimizers.tool_use import ToolUse

_tags = msgspec.json.Decoder(dict[str, str]).decode
_CODE_BYTES = 8


class ReplayedCall(NamedTuple):
    """One call, and what the rules would have made of it."""

    entry_id: str
    decisions: tuple[RuleDecision, ...]
    edits: tuple[Edit, ...]
    """Hypothetical ones: nothing was changed."""
    owner: Owner = NOBODY


class RuleCounts(NamedTuple):
    """What became of one rule in a history."""

    effects: Counter[RuleEffect]
    """Calls, by what became of the rule there; calls in which it wanted nothing are not in it."""
    tokens_saved: int
    """Prompt tokens that it would have left out, summed over calls."""
    reasons: Counter[str]
    """Calls, by why the rule was not applied there."""


def replay_rules(
    store: Store, rules: Sequence[Rule], prices: PriceBook, since: datetime, until: datetime
) -> Iterator[ReplayedCall]:
    """Runs the rules on every call that began in that time, in order within each conversation."""
    history = load(store, since, until)
    rows = {row["entry_id"]: row for row in store.ask("rule_calls", since=since, until=until)}
    tool_use = ToolUse()
    for number, prompt in enumerate(prompts_of(history)):
        facts = _facts(history, number, rows[history.entry_ids[number]], prices)
        call = AnatomyCall(prompt, _with_demand(facts, prompt, tool_use))
        decisions = run_rules(rules, call)
        yield ReplayedCall(history.entry_ids[number], tuple(decisions), tuple(call.edits), call.facts.owner)


def count_decisions(calls: Iterable[ReplayedCall]) -> dict[str, RuleCounts]:
    """The decisions of each rule, summed up."""
    counts: dict[str, RuleCounts] = defaultdict(lambda: RuleCounts(Counter(), 0, Counter()))
    for call in calls:
        for decision in call.decisions:
            counts[decision.rule].effects[decision.effect] += 1
            if decision.why:
                counts[decision.rule].reasons[decision.why] += 1
        for edit in call.edits:
            if edit.tokens_before is not None and edit.tokens_after is not None:
                known = counts[edit.rule]
                saved = known.tokens_saved + edit.tokens_before - edit.tokens_after
                counts[edit.rule] = known._replace(tokens_saved=saved)
    return dict(counts)


def prompts_of(history: History) -> Iterator[Prompt]:
    """The prompt of every call: what it kept of the one before it, and what came behind."""
    bounds = np.searchsorted(history.segment_call, np.arange(history.calls + 1))
    context: list[Segment] | None = None
    for number in range(history.calls):
        kept = int(history.kept_segments[number])
        if history.first[number]:
            context = []
        if kept < 0:
            context = None
            yield Prompt(None, "no anatomy is recorded of this call")
            continue
        if kept > len(context or ()):
            context = None
            yield Prompt(None, "what it kept of the calls before it is not in this history")
            continue
        added = (_segment(history, place) for place in range(bounds[number], bounds[number + 1]))
        context = [*(context or ())[:kept], *added]
        yield AnatomyPrompt(context)


def owner_in(row: Mapping[str, Any]) -> Owner:
    """Who paid for a call, as `rule_calls` has it."""
    return Owner(row["team"], row["app"], row["user_name"], row["key_name"])


def tags_in(row: Mapping[str, Any]) -> dict[str, str]:
    """The tags of a call, as `rule_calls` has them."""
    return _tags(row["tags"])


def _segment(history: History, place: int) -> Segment:
    return Segment(
        SegmentKind(history.kinds[history.segment_kind[place]]),
        int(history.segment_tokens[place]),
        _code(int(history.segment_digest[place])),
        history.tools[history.segment_tool[place]],
        _code(int(history.segment_detail[place])),
        bool(history.segment_error[place]),
    )


def _code(number: int) -> bytes:
    """A digest as the history has it, a number; 0: none."""
    return number.to_bytes(_CODE_BYTES, "big", signed=True) if number else b""


def _facts(history: History, number: int, row: dict[str, Any], prices: PriceBook) -> Facts:
    start, started_s = int(history.conversation_start[number]), float(history.started_s[number])
    at = datetime.fromtimestamp(started_s, UTC)
    provider, prompt_tokens = history.providers[history.provider[number]], int(history.prompt[number])
    is_first, before = start == number, number - 1
    cached = history.cache_read[before] + history.cache_write_5m[before] + history.cache_write_1h[before]
    return Facts(
        at=at,
        model=history.models[history.model[number]],
        provider=provider,
        owner=owner_in(row),
        task=history.tasks[history.task[number]],
        conversation=row["conversation"],
        agent=history.agents[history.agent[number]],
        project=history.projects[history.project[number]],
        tags=tags_in(row),
        rates=partial(_rates, prices, provider, at, prompt_tokens),
        cached_tokens=None if is_first else int(cached),
        turn=number - start,
        since_last_call_s=None if is_first else started_s - float(history.started_s[before]),
        conversation_age_s=started_s - float(history.started_s[start]),
    )


def _with_demand(facts: Facts, prompt: Prompt, tool_use: ToolUse) -> Facts:
    """The facts with what was known by then of the tools that the program calls. Searches of the past there were none:
    what they would have cost is not in the expected saving.
    """
    demand = tool_use.demand(facts.owner, prompt.units) if prompt.is_known else None
    return facts if demand is None else msgspec.structs.replace(facts, features=(*facts.features, demand[0]))


def _rates(prices: PriceBook, provider: str, at: datetime, prompt_tokens: int, model: str) -> Rates | None:
    return prices.rates(provider, model, at, Tier.STANDARD, prompt_tokens)
