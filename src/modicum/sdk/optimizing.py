"""The rules that save, on messages in a program of the user's: `from modicum import optimize`. No gateway, no network.

    result = optimize(messages, model="claude-opus-5-5", tools=tools, on=["content"])
    client.messages.create(model="claude-opus-5-5", messages=result.messages, tools=tools, max_tokens=1024)

The very rules of the gateway, with the same weighing. What was given is not changed, and messages that no rule changed
are the very objects that were given.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache, partial
from typing import Any, NamedTuple

import msgspec

from modicum.calls import UserError
from modicum.calls.call import NOBODY
from modicum.calls.errors import unknown_name
from modicum.calls.facts import Facts
from modicum.calls.prompt import tokens_by_length
from modicum.calls.rates import Rates
from modicum.calls.rule import RuleDecision, RuleEffect, Safety
from modicum.experiments.experiment import draw
from modicum.metering.prices import PriceBook
from modicum.optimizers.all_rules import CACHE_RULES, LOSSLESS_RULES, RULES
from modicum.optimizers.rule_choice import ALL, OwnerChoice, RuleChoice
from modicum.optimizers.running import RequestCall, run_rules
from modicum.providers.dialects import DIALECTS
from modicum.providers.fields import mapping
from modicum.providers.prompt import TOOLS, MessagePart, PromptShape

APIS = tuple(name for name, dialect in DIALECTS.items() if dialect.prompt_shape is not None)
"""Those whose messages can be taken apart. The first is taken where messages look alike in all of them."""
NOTHING_FOUND = "it found nothing to change"
OF_REQUEST = "it changes more of a request than messages: a client's wrapper and the gateway run it"
HELD_OUT = "the task is held out of it, to be compared with"

_UNWRITABLE = (TypeError, ValueError, RecursionError, NotImplementedError)
_raws = msgspec.json.Decoder(list[msgspec.Raw])
_fields_of = msgspec.json.Decoder(dict[str, msgspec.Raw])
_decode = msgspec.json.Decoder().decode


class AppliedRule(NamedTuple):
    """A rule that changed the messages."""

    rule: str
    safety: Safety | None
    why: str
    """What it did, in one line."""
    tokens_removed: int
    """Estimated by length."""
    expected_usd: Decimal | None
    """What it is expected to save in this call, net of what it breaks out of the provider's cache. Where nothing is
    known of the cache, tokens are worth a cache read, the least that they cost. None: no price is known."""


class IdleRule(NamedTuple):
    """A rule that changed nothing."""

    rule: str
    why: str


class RuleReport(msgspec.Struct, frozen=True, kw_only=True):
    """What became of every rule."""

    applied: tuple[AppliedRule, ...]
    """Rules that changed something, in their order."""
    idle: tuple[IdleRule, ...]
    """All others, each with the reason."""

    @property
    def is_changed(self) -> bool:
        return bool(self.applied)

    @property
    def tokens_removed(self) -> int:
        """Estimated by length."""
        return sum(one.tokens_removed for one in self.applied)

    @property
    def expected_usd(self) -> Decimal | None:
        """What all changes together are expected to save; None: for one of them, nobody knows."""
        known = [one.expected_usd for one in self.applied if one.expected_usd is not None]
        return sum(known, Decimal(0)) if len(known) == len(self.applied) else None


class OptimizedRequest(RuleReport, frozen=True, kw_only=True):
    """A request as the rules left it."""

    fields: Mapping[str, Any]
    """The request's fields; the very mapping that was given, where nothing was changed."""


class OptimizedMessages(RuleReport, frozen=True, kw_only=True):
    """Messages as the rules left them."""

    messages: list[Any]
    """To be sent in the place of those that were given."""


def optimize(
    messages: Sequence[Any],
    *,
    model: str = "",
    tools: Sequence[Any] = (),
    on: Iterable[str] = (),
    off: Iterable[str] = (),
    api: str = "",
    facts: Facts | None = None,
) -> OptimizedMessages:
    """Runs the rules on messages before they are sent, as OpenAI's and Anthropic's clients take them.

    Args:
        messages: the list that `create` is given (`input` items of the Responses API too); objects of the clients may
            stand among them.
        model: of the call, for its price; without one, savings have tokens and no dollars.
        tools: as `create` is given them: what a rule may touch depends on whether one of them changes files.
        on: rules that run beside those that do by themselves, or families of them (`content`), or `all`.
        off: rules that do not run.
        api: one of `APIS`; empty: as the messages look.
        facts: what you know of the call beside that, as the state of its cache; instead of `model`.

    Raises:
        UserError: there is no such rule or API, or what was given is no list of messages.
    """
    if isinstance(messages, (str, bytes, Mapping)) or not isinstance(messages, Iterable):
        raise UserError(
            f"messages is the list that a client's create takes, and this is {type(messages).__name__}; one text is "
            "[{'role': 'user', 'content': text}]"
        )
    given = list(messages)
    api = api or api_of(given)
    if api not in APIS:
        raise unknown_name("api", api, APIS)
    field = _shape(api).messages
    request: dict[str, Any] = {"model": model, field: given, **({TOOLS: list(tools)} if tools else {})}
    choice = choose_rules(on, off)
    choice = choice._replace(rules=tuple(rule for rule in RULES if rule not in CACHE_RULES))
    result = optimize_request(request, api, choice, facts)
    idle = (*result.idle, *(IdleRule(rule.name, OF_REQUEST) for rule in CACHE_RULES))
    return OptimizedMessages(messages=list(result.fields[field]), applied=result.applied, idle=idle)


def choose_rules(
    on: Iterable[str] = (), off: Iterable[str] = (), *, hold_out: float = 0.0, hold_out_key: bytes = b""
) -> RuleChoice:
    """Which rules run: those that lose nothing and keep the provider's cache, and what is chosen here. Whoever calls
    has asked for it, so what takes some time is no reason to leave a rule out.

    Args:
        on: rules, families of them, or `all`.
        off: the same, for those that do not run.
        hold_out: share of tasks on which rules that were chosen do not run, so that their effect can be seen.
        hold_out_key: of the draw; tasks fall into the same arm for the same key.

    Raises:
        UserError: there is no such rule, or the share is none.
    """
    names = {rule.name for rule in RULES}
    names |= {name.partition(".")[0] for name in names} | {ALL}
    choice = OwnerChoice(on=_listed(on), off=_listed(off))
    unknown = next((name for name in (*choice.on, *choice.off) if name not in names), None)
    if unknown is not None:
        raise unknown_name("rule", unknown, sorted(names))
    if not 0 <= hold_out < 1:
        raise UserError(f"hold_out must be a share from 0 to below 1, and is {hold_out}")
    lossless = OwnerChoice(on=tuple(rule.name for rule in LOSSLESS_RULES))
    return RuleChoice(RULES, (lossless, choice), hold_out, partial(_draw, hold_out_key))


def optimize_request(
    fields: Mapping[str, Any], api: str, choice: RuleChoice, facts: Facts | None = None, task: str = ""
) -> OptimizedRequest:
    """Runs chosen rules on the fields of a request, as a client is about to send them.

    Args:
        fields: as the API names them.
        api: our name of it.
        choice: of rules (`choose_rules`).
        facts: of the call; None: its model and its price are all that is known.
        task: what the call is made for, where `facts` are None; it decides what is held out.
    """
    rules = choice.of_owner(NOBODY)
    held_out = choice.held_out(rules, task if facts is None else facts.task)
    idle = [IdleRule(rule.name, why) for rule in choice.rules if (why := choice.why_off(rule, NOBODY))]
    idle += [IdleRule(name, HELD_OUT) for name in sorted(held_out)]
    rules = tuple(rule for rule in rules if rule.name not in held_out)
    try:
        body = msgspec.json.encode(dict(fields), enc_hook=_plain)
    except _UNWRITABLE as error:
        why = f"the messages cannot be written as JSON ({type(error).__name__}), so they stay as they are"
        idle += [IdleRule(rule.name, why) for rule in rules]
        return OptimizedRequest(fields=fields, applied=(), idle=tuple(idle))
    call = RequestCall(DIALECTS[api], body, facts or _facts(fields, api, tokens_by_length(body), task))
    decisions = {decision.rule: decision for decision in run_rules(rules, call)}
    applied, safety = [], {rule.name: rule.safety for rule in rules}
    for rule in rules:
        decision = decisions.get(rule.name)
        if decision is not None and decision.effect is RuleEffect.CHANGED:
            applied.append(_applied(decision, safety[rule.name]))
        else:
            idle.append(IdleRule(rule.name, NOTHING_FOUND if decision is None else _why_idle(decision)))
    if not applied:
        return OptimizedRequest(fields=fields, applied=(), idle=tuple(idle))
    merged = _merged(fields, body, call.body)
    return OptimizedRequest(fields=merged, applied=tuple(applied), idle=tuple(idle))


def api_of(messages: Sequence[Any]) -> str:
    """The API in which most of these are calls of tools and their results. Messages without tools look alike in all."""
    try:
        plain = _decode(msgspec.json.encode(list(messages), enc_hook=_plain))
    except _UNWRITABLE:
        return APIS[0]
    return max(APIS, key=lambda api: sum(_tool_parts(_shape(api).parts, message) for message in plain))


def api_at(path: str) -> str:
    """The API that a client's request goes to; empty: none whose messages can be taken apart."""
    for name in APIS:
        for own, target in DIALECTS[name].paths.items():
            if target.is_call and path in {own, target.path}:
                return name
    return ""


def _tool_parts(parts: Callable[[Mapping[str, Any]], Iterable[MessagePart]], message: Any) -> int:
    return sum(bool(part.answers) or any(tool for _, tool, _ in part.calls) for part in parts(mapping(message)))


def _facts(fields: Mapping[str, Any], api: str, tokens: int, task: str) -> Facts:
    model, at = fields.get("model"), datetime.now(UTC)
    name = model if isinstance(model, str) else ""
    provider = DIALECTS[api].api.provider or DIALECTS[api].api.name
    return Facts(
        at=at,
        model=name,
        provider=provider,
        dialect=api,
        task=task,
        rates=partial(_rates, provider, at, tokens) if name else None,
    )


def _rates(provider: str, at: datetime, prompt_tokens: int, model: str) -> Rates | None:
    return _prices()(provider, model, at, prompt_tokens=prompt_tokens)


@cache
def _prices() -> Callable[..., Rates | None]:
    """The list prices, loaded when a rule has something to weigh: that takes a moment, and most calls need none."""
    return PriceBook().rates


def _draw(key: bytes, rule: str, task: str) -> float:
    return draw(rule, task, key)


def _applied(decision: RuleDecision, safety: Safety | None) -> AppliedRule:
    expected = decision.expected
    why = decision.change.why if decision.change is not None else ""
    if expected is None:
        return AppliedRule(decision.rule, safety, why, 0, None)
    return AppliedRule(decision.rule, safety, why, expected.tokens_removed, expected.usd)


def _why_idle(decision: RuleDecision) -> str:
    if decision.effect is RuleEffect.FAILED:
        return f"it failed with {decision.why} at {decision.place}; the messages stay as they were"
    return f"it cannot decide: {decision.why}" if decision.effect is RuleEffect.NOT_DECIDABLE else decision.why


def _merged(fields: Mapping[str, Any], before: bytes, after: bytes) -> dict[str, Any]:
    """The fields with what was changed, decoded, and the very objects that were given for all that was not."""
    old, new = _fields_of.decode(before), _fields_of.decode(after)
    merged: dict[str, Any] = {}
    for name, raw in new.items():
        if name in old and bytes(old[name]) == bytes(raw):
            merged[name] = fields[name]
        elif name in old and isinstance(fields[name], list) and bytes(raw).startswith(b"["):
            merged[name] = _merged_items(fields[name], _raws.decode(old[name]), _raws.decode(raw))
        else:
            merged[name] = _decode(raw)
    return merged


def _merged_items(given: Sequence[Any], before: Sequence[msgspec.Raw], after: Sequence[msgspec.Raw]) -> list[Any]:
    if len(before) == len(after):
        pairs = zip(given, before, after, strict=True)
        return [item if bytes(old) == bytes(new) else _decode(new) for item, old, new in pairs]
    by_text = {bytes(raw): item for raw, item in zip(before, given, strict=True)}
    return [by_text[bytes(raw)] if bytes(raw) in by_text else _decode(raw) for raw in after]


def _plain(value: Any) -> Any:
    """An object of a client's (a reply's message that goes back into the list) as its API writes it."""
    dump = getattr(value, "model_dump", None)
    if dump is None:
        raise NotImplementedError(type(value).__name__)
    return dump(mode="json", exclude_unset=True, by_alias=True)


def _shape(api: str) -> PromptShape:
    shape = DIALECTS[api].prompt_shape
    assert shape is not None  # noqa: S101 - APIS are those that have one
    return shape


def _listed(names: Iterable[str]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(names)
