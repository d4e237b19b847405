"""How many requests are under way at each upstream, and how many may be.

An upstream that hangs keeps its calls until it is silent for too long. With a limit of its own it keeps those, and not
the places of calls to other upstreams. Kept by name, since settings that are read again make upstreams anew while calls
to the former ones are under way.
"""

from modicum.gateway.http.refusal import Refused
from modicum.gateway.process.metrics import Metrics
from modicum.gateway.upstreams import Upstream, Upstreams


class UpstreamCalls:
    """Counts the requests of one gateway process at each upstream, and holds them to their limits.

    Args:
        most_calls: how many may be under way in all (`gateway.most_calls`). An upstream without a limit of its own may
            have three quarters of them.
        workers: how many share the limits.
    """

    def __init__(self, metrics: Metrics, most_calls: int, workers: int = 1) -> None:
        self._metrics, self._workers = metrics, workers
        self._usual = max(most_calls * 3 // 4, 1)
        self._at: dict[str, UpstreamVisits] = {}

    def limit(self, upstream: Upstream) -> int:
        """This process's part of the limit; one at least."""
        return -(-(upstream.most_calls or self._usual) // self._workers)

    def check(self, upstream: Upstream) -> None:
        """Whether the upstream may have one more call.

        Raises:
            Refused: the upstream has as many as it may have.
        """
        visits = self._at.get(upstream.name)
        if visits is not None and visits.count and visits.count >= self.limit(upstream):
            self._metrics.upstream_full(upstream.name)
            raise Refused(
                503,
                f"the upstream {upstream.name} has as many calls under way as it may have "
                f"(upstreams.{upstream.name}.most_calls); try again",
                "upstream_full",
            )

    def at(self, upstream: Upstream) -> "UpstreamVisits":
        """`with calls.at(upstream):` is one request's time there.

        Raises:
            Refused: the upstream has as many as it may have.
        """
        self.check(upstream)
        visits = self._at.get(upstream.name)
        if visits is None:
            visits = self._at[upstream.name] = UpstreamVisits()
        return visits

    def gauge(self, upstreams: Upstreams) -> None:
        """Tells the metrics how many there are, and may be; of an upstream that is gone: until its calls have ended."""
        limits = {upstream.name: self.limit(upstream) for upstream in upstreams}
        for name in limits.keys() | self._at.keys():
            visits = self._at.get(name)
            self._metrics.upstream_gauges(name, 0 if visits is None else visits.count, limits.get(name, 0))


class UpstreamVisits:
    """The requests at one upstream: each is counted from its block's beginning to its end."""

    __slots__ = ("count",)

    def __init__(self) -> None:
        self.count = 0

    def __enter__(self) -> None:
        self.count += 1

    def __exit__(self, *error: object) -> None:
        self.count -= 1
