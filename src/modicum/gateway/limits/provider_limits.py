"""What providers' replies say of their own limits: the newest headers of each model, read when somebody asks."""

from collections.abc import Iterator
from time import monotonic, time
from typing import NamedTuple

from modicum.gateway.exchange import Exchange
from modicum.gateway.process.metrics import Metrics
from modicum.outbound.keepalive import Header
from modicum.providers.dialects import DIALECTS
from modicum.providers.limit_headers import LimitHeaders, LimitState

MOST_MODELS = 200
FRESH_S = 120.0
"""Older headers say nothing of now: limits are of a minute."""


class NewestHeaders(NamedTuple):
    names: LimitHeaders
    headers: list[Header]
    at_s: float


class ProviderLimits:
    """Of one gateway process. To remember costs a call one look at a dictionary; nothing is read then."""

    def __init__(self) -> None:
        self._newest: dict[tuple[str, str], NewestHeaders] = {}
        self._shown: dict[tuple[str, str, str], LimitState] = {}

    def remember(self, exchange: Exchange) -> None:
        """The headers of a call's reply."""
        names = DIALECTS[exchange.route.dialect].api.limits
        answer = exchange.answer
        if names is None or answer is None or not answer.headers:
            return
        key = exchange.route.upstream.name, exchange.route.model
        if key in self._newest or len(self._newest) < MOST_MODELS:
            self._newest[key] = NewestHeaders(names, answer.headers, monotonic())

    def read(self) -> Iterator[tuple[str, str, LimitState]]:
        """Upstream, model and how each of its limits stands, of all that were asked lately."""
        now_s = monotonic()
        for (upstream, model), newest in list(self._newest.items()):
            if now_s - newest.at_s > FRESH_S:
                del self._newest[upstream, model]
                continue
            for state in newest.names.read(dict(newest.headers), time()):
                yield upstream, model, state

    def gauge(self, metrics: Metrics) -> None:
        """Brings the metrics up to date; what is too old goes."""
        present = {(upstream, model, state.unit): state for upstream, model, state in self.read()}
        for place in self._shown.keys() - present.keys():
            metrics.forget_provider_limit(*place)
        for place, state in present.items():
            if self._shown.get(place) != state:
                metrics.provider_limit(*place, state.most, state.left)
        self._shown = present
