"""From one attempt of a call to the next: on record, within the call's budgets, and as if nothing had been sent."""

from modicum.calls import Call, CallStatus
from modicum.gateway.exchange import Exchange
from modicum.gateway.http.refusal import Refused
from modicum.gateway.limits.limiting import tokens_of_attempt
from modicum.gateway.parts import Parts
from modicum.gateway.upstreams import Route
from modicum.providers.facts import DialectError


class NextAttempt:
    """Makes calls ready to be sent once more. Nothing of a reply may have been passed on."""

    def __init__(self, parts: Parts) -> None:
        self._recorder, self._metrics, self._budgets = parts.recorder, parts.metrics, parts.budgets

    async def begin(
        self,
        exchange: Exchange,
        route: Route,
        failed: str,
        step: str,
        *,
        was_sent: bool = True,
        goes_on: bool = False,
        body: bytes | None = None,
    ) -> bool:
        """Puts the attempt that ends here on record and reserves what the next may cost. False: that may not be, and
        the call stays as it is.

        Args:
            exchange: the call.
            route: where it goes next.
            failed: why this attempt was not enough, in a word.
            step: what the next one is, in a word.
            was_sent: whether there is anything to record of this one.
            goes_on: this one is still waited for.
            body: what the next one asks, in the caller's dialect; None: the same.
        """
        if was_sent and exchange.reservation is not None:
            await self._budgets.count_if_unknown(exchange)
        attempt: Call | None = await self._recorder.attempt(exchange, failed) if was_sent else None
        former, paid, body_before = exchange.route, exchange.paid, exchange.edited
        tokens = tokens_of_attempt(exchange, attempt, goes_on=goes_on) if attempt is not None else 0
        if self._budgets.is_active and attempt is not None:
            exchange.paid = await self._budgets.pay_attempt(exchange, attempt)
        exchange.go(route)
        if body is not None:
            exchange.edit(body)
        if not await self._reserve(exchange, route) or (
            attempt is not None and not await self._recorder.add_attempt(exchange, attempt)
        ):
            exchange.go(former)
            exchange.paid = paid
            exchange.edit(body_before)
            return False
        if body is None:
            self._metrics.attempt_failed(former.upstream.name, failed, step)
        if goes_on:
            exchange.status = CallStatus.UNKNOWN
        else:
            exchange.begin_anew()
        exchange.attempts += attempt is not None
        exchange.attempts_tokens += tokens
        more = {"attempt.of": exchange.number, "attempt": f"{exchange.attempts}", "attempt.kind": step}
        exchange.tags = {**exchange.tags, **more}
        self._recorder.begin_again(exchange)
        return True

    async def _reserve(self, exchange: Exchange, route: Route) -> bool:
        """Whether the next attempt fits into the call's budgets."""
        if self._budgets.is_active:
            try:
                await self._budgets.reserve(exchange, lambda _model, _dialect: route, may_downgrade=False)
            except (Refused, DialectError):
                return False
        return True
