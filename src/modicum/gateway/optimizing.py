"""What may be changed in a live call before it is sent: features say what they know of it, then the rules run.

Rules are pure (`calls/rule.py`). What has a memory prepares facts for its rules here, as a `FactSource`; what answers
calls is in `answering.py`, what listens to replies in `listening.py`.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple, Protocol

from modicum.calls import Basis, CallStatus
from modicum.calls.change import Change, DoesNotFit
from modicum.calls.facts import Facts
from modicum.calls.prompt import Prompt, tokens_by_length
from modicum.calls.rule import Rule, RuleDecision, RuleEffect
from modicum.context.live_turns import LivePlace, LiveTurns
from modicum.gateway.edit_tokens import EditTokens
from modicum.gateway.exchange import Exchange, PendingEdit
from modicum.gateway.failures import contain_stage, log_failure
from modicum.gateway.http.refusal import Refused
from modicum.gateway.listening import ReplyListener
from modicum.gateway.live_rates import LiveRates
from modicum.gateway.process.log import log
from modicum.gateway.process.metrics import Metrics
from modicum.gateway.upstreams import Route
from modicum.optimizers.running import RequestCall
from modicum.providers.facts import DialectError

MOST_LOGGED = 1_000
"""Different reasons that are logged; more would fill the log."""

FindRoute = Callable[[str, str], Route]
"""Where a model goes, in a dialect. Raises `Refused` if nobody serves it."""


class FeatureFacts(NamedTuple):
    """What a feature knows of one call."""

    known: tuple[object, ...] = ()
    """For its rules (`Facts.of`) and its answerer (`Exchange.of`)."""
    rules: tuple[Rule, ...] = ()
    """Rules of its own for this call, after those that are run on every call."""
    tags: Mapping[str, str] = {}
    """For the call's record."""
    listener: ReplyListener | None = None
    """Who is to listen to the reply."""
    mark: str = ""
    """What the reply says of it in `x-modicum-plan`."""
    without_rules: frozenset[str] = frozenset()
    """Rules that are not run on this call, because its task is held out."""


class FactSource(Protocol):
    """The part of a feature that remembers. If it fails, that is counted, and the call is none of its business."""

    name: str
    """The stage under which its failures are counted."""

    def facts(self, exchange: Exchange) -> FeatureFacts | None:
        """What it knows; None: nothing. Reads the exchange and changes nothing of it."""


class Optimizer:
    """Runs the rules on live calls."""

    def __init__(self, metrics: Metrics, rates: LiveRates, turns: LiveTurns | None) -> None:
        self._metrics, self._failed, self._rates, self._turns = metrics, metrics.failed, rates, turns
        self._logged: set[tuple[str, str, str]] = set()
        self._edit_tokens = EditTokens()

    def optimize(self, exchange: Exchange, rules: Sequence[Rule], find_route: FindRoute) -> None:
        """Does what the rules want, in their order."""
        if self._turns is not None:
            with contain_stage("turns", self._failed):
                about, dialect = exchange.about, exchange.request.served.dialect
                body, split = exchange.edited, exchange.split
                exchange.place = self._turns.find(dialect, body, about.owner.key, about.conversation, split)
        call = LiveCall(exchange, self._facts(exchange), find_route, self._edit_tokens)
        decisions = call.run(rules)
        call.finish(self._failed)
        for decision in decisions:
            if decision.effect is RuleEffect.NOT_DECIDABLE:
                self._metrics.not_decidable(decision.rule)
            elif decision.effect is RuleEffect.FAILED:
                self._failed(decision.rule)
                log_failure(decision.rule, decision.why, decision.place)
            elif decision.effect is RuleEffect.DOES_NOT_FIT:
                self._log(decision)

    def rules_for(self, exchange: Exchange, sources: Sequence[FactSource], rules: Sequence[Rule]) -> Sequence[Rule]:
        """Those that may want something of this call, with those that features bring. Calls of which none does are not
        looked at.
        """
        without: frozenset[str] = frozenset()
        for source in sources:
            with contain_stage(source.name, self._failed):
                if (found := source.facts(exchange)) is not None:
                    _add(exchange, found)
                    rules = (*rules, *found.rules)
                    without |= found.without_rules
        if without:
            rules = [rule for rule in rules if rule.name not in without]
        if not rules:
            return rules
        with contain_stage("rules", self._failed):
            if not exchange.request.served.dialect.may_hold_results(exchange.edited):
                rules = [rule for rule in rules if not rule.needs_results]
        return rules

    def _facts(self, exchange: Exchange) -> Facts:
        place = exchange.place
        later = self._turns.later_calls(place.turn) if self._turns is not None and place is not None else None
        return facts_of(exchange, self._rates, later)

    def settle(self, exchange: Exchange) -> None:
        """Remembers how the call went, for those that go on behind it."""
        if self._turns is None or exchange.place is None or exchange.finished is None or exchange.answered_by:
            return
        call = exchange.finished
        is_counted = call.usage_basis is Basis.EXACT and call.status is CallStatus.OK
        usage = call.usage
        cached = usage.cache_read + usage.cache_write_5m + usage.cache_write_1h if is_counted else None
        with contain_stage("turns", self._failed):
            self._turns.record(
                exchange.place,
                exchange.timing.started_s,
                cached,
                rules=frozenset(edit.rule for edit in exchange.edits),
                cached_for_s=3600.0 if usage.cache_write_1h else _cached_for_s(exchange.place),
            )

    def _log(self, decision: RuleDecision) -> None:
        """A model that cannot be asked is for the operator to know, once; what only a prompt cannot take is not."""
        model = decision.change.model if decision.change is not None else ""
        line = decision.rule, model, decision.why
        if model and line not in self._logged and len(self._logged) < MOST_LOGGED:
            self._logged.add(line)
            log("rule_not_applied", rule=decision.rule, model=model, problem=decision.why)


def _add(exchange: Exchange, found: FeatureFacts) -> None:
    exchange.features += found.known
    if found.tags:
        exchange.tags = {**exchange.tags, **found.tags}
    exchange.mark = found.mark or exchange.mark
    if found.listener is not None:
        exchange.listeners += (found.listener,)


class LiveCall(RequestCall):
    """A call of the gateway, on which rules are run: its body is changed, and the way it goes."""

    def __init__(self, exchange: Exchange, facts: Facts, find_route: FindRoute, edit_tokens: EditTokens) -> None:
        dialect, prompt = exchange.request.served.dialect, exchange.prompt_if_read
        super().__init__(dialect, exchange.edited, facts, prompt, exchange.seen, exchange.split)
        self._exchange, self._find_route, self._edit_tokens = exchange, find_route, edit_tokens
        self._edits_before = exchange.edits

    def begin_anew(self, prompt: Prompt) -> None:
        super().begin_anew(prompt)
        self._exchange.edits = self._edits_before

    def apply(self, rule: Rule, change: Change) -> None:
        exchange = self._exchange
        if change.is_of_texts_alone:
            texts = self._edit_tokens.replaced(self.prompt, change, exchange.facts.model) if change.why else None
            self.put_texts(rule, change)
            edit = PendingEdit(rule.name, change.why, texts=texts)
        else:
            before, body = self.body, self.body_after(change)
            route = self._route(change.model, body) if change.model else None
            self.commit(body, change)
            if route is not None:
                exchange.go(route)
            exchange.edit(body)
            of_prompt = (before, body) if change.is_of_prompt else (None, None)
            edit = PendingEdit(rule.name, change.why, *of_prompt)
        if change.why:
            exchange.edits += (edit,)

    def finish(self, failed: Callable[[str], None]) -> None:
        """Writes the texts that rules have brought. If that fails, which is counted, the call goes on without them."""
        with contain_stage("rules", failed):
            self._exchange.edit(self.body, self.split)
            return
        self._exchange.edits = tuple(edit for edit in self._exchange.edits if edit.texts is None)

    def _route(self, model: str, body: bytes) -> Route:
        """The way to another model, by the rules that hold for the caller.

        Raises:
            DoesNotFit: it may not, or cannot, be asked.
        """
        exchange = self._exchange
        try:
            exchange.caller.check_model(model)
            route = self._find_route(model, exchange.request.served.dialect.name)
            if route.translation is not None:
                route.translation.request(body, route.model)
        except (Refused, DialectError) as refusal:
            raise DoesNotFit(refusal.message) from None
        if exchange.caller.own_key is not None and route.upstream is not exchange.route.upstream:
            raise DoesNotFit("the caller's own key is for where the call was going")
        return route


def _cached_for_s(place: LivePlace) -> float:
    """Of what was read and not written anew: as the call before left it."""
    return place.before.cached_for_s if place.before is not None else 300.0


def facts_of(exchange: Exchange, rates: LiveRates, later_calls: float | None = None) -> Facts:
    """What rules may know of a live call."""
    request, about, place = exchange.facts, exchange.about, exchange.place
    started_s, provider = exchange.timing.started_s, exchange.route.upstream.provider
    at = datetime.fromtimestamp(started_s, UTC)
    return Facts(
        at=at,
        model=request.model,
        provider=provider,
        rates=rates.of_call(provider, at, tokens_by_length(exchange.edited)),
        cached_tokens=place.cached_tokens if place is not None else None,
        cached_for_s=place.cached_for_s if place is not None else 300.0,
        rules_before=place.rules_before if place is not None else None,
        later_calls=later_calls,
        turn=place.turn if place is not None else None,
        since_last_call_s=place.seconds_since_last(started_s) if place is not None else None,
        conversation_age_s=place.age_s(started_s) if place is not None else None,
        dialect=exchange.request.served.dialect.name,
        streams=request.stream,
        most_output_tokens=request.most_output_tokens,
        choices_count=request.choices_count,
        owner=about.owner,
        task=about.task,
        conversation=about.conversation,
        agent=about.agent,
        project=about.project,
        tags=about.tags,
        allowed_models=exchange.caller.models,
        budget_left_usd=None if exchange.budget_left is None else exchange.budget_left.usd(),
        features=exchange.features,
    )
