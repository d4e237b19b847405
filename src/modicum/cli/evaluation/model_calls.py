"""One question to a model, priced: what it may cost before it is sent, and what it did."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from modicum.calls import Basis, Call, Usage, UserError
from modicum.calls.provider_names import provider_of_host, provider_of_model
from modicum.gateway.budgets.bounds import NoBound, survey_request
from modicum.governance.budgets import NANO
from modicum.governance.worst_case import worst_amounts
from modicum.ledger.booking import book
from modicum.metering.tokens import count_tokens
from modicum.outbound.blocking import ask
from modicum.outbound.hosts import origin_at, split_address
from modicum.providers.dialects import DIALECTS
from modicum.providers.reply_text import read_reply_text

if TYPE_CHECKING:
    from modicum.cli.evaluation.authorised import EvaluationPolicy
    from modicum.metering.prices import PriceBook

OK = 200
SPEAKS = ("openai", "anthropic")
"""The APIs in which tasks are asked."""
_OF_NAMES = {"claude-": "anthropic", "gpt-": "openai", "o1": "openai", "o3": "openai", "o4": "openai"}


class CallFailed(Exception):  # noqa: N818 - an answer of somebody else, not a bug
    """No reply to grade.

    Args:
        is_billed: whether it may have cost something all the same.
        is_final: whether the same question will fail again.
    """

    def __init__(self, reason: str, *, is_billed: bool, is_final: bool = False) -> None:
        super().__init__(reason)
        self.is_billed, self.is_final = is_billed, is_final


@dataclass(frozen=True)
class ModelReply:
    text: str
    usage: Usage | None
    cost_usd: float | None
    basis: str
    seconds: float
    model: str
    price: str


class ModelCaller:
    """Args:
    url: of the API, as clients take it: https://api.openai.com/v1.
    speaks: which dialect it takes.
    key: the provider's, or one of the gateway's; empty: none is sent.
    provider: who bills; empty: as host or model's name say.
    policy: says which calls may be made; None: all.
    """

    def __init__(
        self,
        url: str,
        prices: "PriceBook",
        *,
        speaks: str = "openai",
        key: str = "",
        provider: str = "",
        most_tokens: int = 1024,
        timeout_s: float = 300.0,
        policy: "EvaluationPolicy | None" = None,
    ) -> None:
        self._policy = policy
        self._origin, parts = origin_at(url), split_address(url)
        self._base, self._host = parts.path.rstrip("/"), parts.hostname or ""
        self._dialect = next(dialect for dialect in DIALECTS.values() if dialect.api.name == speaks)
        self._prices, self._provider = prices, provider
        self._most_tokens, self._timeout_s = most_tokens, timeout_s
        api = self._dialect.api
        self._headers = {"content-type": "application/json", "accept": "application/json"}
        self._headers |= {name.decode(): value.decode() for name, value in self._dialect.version_headers}
        if key:
            self._headers[api.key_header.decode()] = f"{api.key_prefix.decode()}{key}"

    def worst_usd(self, model: str, prompt: str) -> float | None:
        """What the call may cost at most; None where nobody knows."""
        body = self._body(model, prompt)
        facts = self._dialect.request(body, self._path)
        provider = self._provider_of(model)
        try:
            survey = survey_request(self._dialect, body, facts, model, provider)
        except NoBound:
            return None
        now, region = datetime.now(UTC), "us" if survey.in_us else ""
        worst = worst_amounts(
            survey.bound, [self._prices.steps(provider, model, now, tier, region) for tier in survey.tiers]
        )
        return None if worst.nano_usd is None else worst.nano_usd / NANO

    def send(self, model: str, prompt: str, task: str = "") -> ModelReply:
        """Raises:
        CallFailed: there is no reply to grade.
        """
        from modicum.outbound.unreachable import Unreachable

        if refusal := self.refusal(model, prompt):
            raise CallFailed(f"may not be asked: {refusal}", is_billed=False)
        began, started = time.monotonic(), datetime.now(UTC)
        headers = self._headers | ({"x-modicum-task": task} if task and task.isascii() else {})
        try:
            reply = ask(
                self._origin,
                "POST",
                f"{self._base}{self._path}",
                self._body(model, prompt),
                headers,
                timeout_s=self._timeout_s,
            )
        except Unreachable as error:
            raise CallFailed(f"no answer: {error}", is_billed=True) from None
        seconds = time.monotonic() - began
        facts = self._dialect.reply(reply.body)
        if reply.status != OK:
            word = f" ({facts.error_kind})" if facts.error_kind else ""
            final = reply.status in {400, 401, 403, 404}
            raise CallFailed(f"answered with status {reply.status}{word}", is_billed=False, is_final=final)
        words = self._dialect.words
        text = read_reply_text(words, reply.body, stream=False) if words is not None else None
        if not facts.complete or text is None:
            raise CallFailed("answered with what is no reply of its dialect", is_billed=True)
        cost, basis, price = self._cost(model, facts.model, facts.usage, started)
        return ModelReply(text.text, facts.usage, cost, basis, seconds, facts.model or model, price)

    def refusal(self, model: str, prompt: str = "") -> str:
        """Why the policy forbids a call; empty: it does not. Without a prompt: any call to the model."""
        if self._policy is None:
            return ""
        tokens = count_tokens(prompt, model) if prompt else None
        return self._policy.refusal(model, self._provider_of(model), tokens, self._most_tokens)

    def _cost(
        self, model: str, answered_by: str, usage: Usage | None, started: datetime
    ) -> tuple[float | None, str, str]:
        known = Basis.counted(usage is not None)
        call = Call(
            call_id="evaluation",
            source="evaluation",
            provider=self._provider_of(model),
            model=answered_by or model,
            started=started,
            usage=usage or Usage(),
            usage_basis=known,
            output_basis=known,
        )
        cost = book(call, self._prices).cost
        price = f"{cost.price_source or ''} {cost.price_version or ''}".strip()
        return None if cost.usd is None else float(cost.usd), cost.basis.value, price

    @property
    def _path(self) -> str:
        target = next(iter(self._dialect.paths.values()))
        return target.path

    def _body(self, model: str, prompt: str) -> bytes:
        return msgspec.json.encode(
            {
                "model": model,
                "max_tokens": self._most_tokens,
                "messages": [{"role": "user", "content": prompt}],
            }
        )

    def _provider_of(self, model: str) -> str:
        of_name = next((provider for start, provider in _OF_NAMES.items() if model.startswith(start)), "")
        return self._provider or provider_of_host(self._host) or provider_of_model(model) or of_name


def check_price(caller: ModelCaller, model: str) -> None:
    """Raises:
    UserError: nobody knows what a call to the model may cost.
    """
    if caller.worst_usd(model, "a") is None:
        raise UserError(
            f"the price of '{model}' is not known, so no budget can hold it: name who bills with --provider, or give "
            "its price in a file with --prices (docs/prices.md); without --budget it runs all the same"
        )


def check_policy(caller: ModelCaller, model: str) -> None:
    """Raises:
    UserError: the policy forbids calls to the model.
    """
    if refusal := caller.refusal(model):
        raise UserError(f"'{model}' may not be asked: {refusal}; choose another model, or have the policy changed")
