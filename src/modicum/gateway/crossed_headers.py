"""Headers of a reply whose dialect is translated: what the caller's client reads there, in the names of its API."""

from collections.abc import Sequence
from time import time

from modicum.outbound.keepalive import Header
from modicum.providers.dialect import Dialect

_IN_ALL_APIS = frozenset({b"retry-after", b"retry-after-ms", b"x-should-retry"})


def crossed_headers(headers: Sequence[Header], upstream: Dialect, caller: Dialect) -> list[Header]:
    """The request's id, how rate limits stand, and when to try again. All others are of the upstream's bytes, which the
    caller does not get.
    """
    crossed = [header for header in headers if header[0] in _IN_ALL_APIS]
    for name, value in headers:
        if name == upstream.api.request_id_header:
            crossed.append((caller.api.request_id_header, value))
    if upstream.api.limits is not None and caller.api.limits is not None:
        now_s = time()
        crossed += caller.api.limits.write(upstream.api.limits.read(dict(headers), now_s), now_s)
    return crossed
