"""Upstreams that refuse to be asked for the usage of a stream (`stream_options`): remembered, and asked no more.

Servers that know no such field answer 400 or 422 and name it. The caller did not send it, we did: the call is sent
again without it, and its usage is our count, an estimate.
"""

import re
from collections import OrderedDict
from time import monotonic

from modicum.gateway.exchange import Exchange
from modicum.gateway.process.log import log
from modicum.gateway.upstreams import Route

AGAIN_AFTER_S = 3600.0
"""Then it is asked once more: servers are brought up to date."""
MOST_REMEMBERED = 1000
_STATUSES = frozenset({400, 422, 501})
_NAMES_IT = re.compile(rb"stream[_ ]?options|include[_ ]?usage", re.IGNORECASE)


class UsageRefusals:
    """The refusals that one gateway process met: by upstream and model, since one address may stand for several
    servers.
    """

    def __init__(self) -> None:
        self._until: OrderedDict[tuple[str, bytes, str], float] = OrderedDict()

    def has(self, route: Route) -> bool:
        return bool(self._until) and self._until.get(_key(route), 0.0) > monotonic()

    def remember(self, route: Route) -> None:
        key = _key(route)
        self._until[key] = monotonic() + AGAIN_AFTER_S
        self._until.move_to_end(key)
        if len(self._until) > MOST_REMEMBERED:
            self._until.popitem(last=False)
        log(
            "usage_refused",
            upstream=route.upstream.name,
            model=route.model,
            problem="it refuses stream_options: the usage of its streams is our estimate",
            next="nothing, or a version of that server that knows stream_options.include_usage",
        )


def _key(route: Route) -> tuple[str, bytes, str]:
    return route.upstream.name, route.upstream.base, route.model


def may_refuse(exchange: Exchange) -> bool:
    """Whether the answer may be a refusal of what we asked for: its body must be read to know."""
    if not exchange.facts.stream or exchange.answer is None or exchange.answer.status not in _STATUSES:
        return False
    if exchange.translation is None:
        return not exchange.facts.usage_asked
    return b'"stream_options"' in exchange.body


def is_refusal(body: bytes) -> bool:
    return _NAMES_IT.search(body) is not None
