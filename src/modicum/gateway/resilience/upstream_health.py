"""How upstreams fare, as one gateway process sees it: circuits, retry budgets, and rests that they asked for.

By name, since settings that are read again make upstreams anew.
"""

from collections.abc import Callable
from time import monotonic

from modicum.gateway.http.refusal import Refused
from modicum.gateway.process.log import log
from modicum.gateway.upstreams import Route, Upstream
from modicum.governance import circuits
from modicum.governance.circuits import CLOSED, CircuitState
from modicum.governance.resilience import MOST_SAVED_RETRIES, Failure, saved_after_call

MOST_REST_S = 300.0
MOST_RESTS = 1000


class UpstreamHealth:
    """Used from the event loop.

    Args:
        circuit_changed: is called with an upstream's name and whether its circuit is open now.
        clock: seconds that only go forward.
    """

    def __init__(
        self,
        circuit_changed: Callable[[str, bool], None] = lambda _name, _is_open: None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._changed, self._clock = circuit_changed, clock
        self._circuits: dict[str, CircuitState] = {}
        self._saved: dict[str, float] = {}
        self._rests: dict[tuple[str, str], float] = {}

    def check(self, upstream: Upstream) -> bool:
        """Whether a call may go there by its circuit. True: it is the one that tries whether the upstream is well
        again; its end is then to be recorded in any case.

        Raises:
            Refused: the circuit is open.
        """
        if upstream.circuit is None:
            return False
        verdict = circuits.admit(upstream.circuit, self._circuits.get(upstream.name, CLOSED), self._clock())
        self._circuits[upstream.name] = verdict.state
        if verdict.wait_s is not None:
            raise Refused(
                503,
                f"the upstream {upstream.name} has failed too often and is left alone for a while "
                f"(upstreams.{upstream.name}.circuit_share); try again",
                "upstream_open",
                max(round(verdict.wait_s), 1),
            )
        return verdict.is_probe

    def record(self, upstream: Upstream, *, failed: bool | None, was_probe: bool) -> None:
        """Counts how an attempt ended. `failed` is None where that says nothing of the upstream."""
        if upstream.circuit is None:
            return
        former = self._circuits.get(upstream.name, CLOSED)
        state = circuits.after_call(upstream.circuit, former, failed=failed, was_probe=was_probe, now_s=self._clock())
        self._circuits[upstream.name] = state
        if (state.opened_s is None) != (former.opened_s is None):
            self._changed(upstream.name, state.opened_s is not None)
            log("circuit_closed" if state.opened_s is None else "circuit_opened", upstream=upstream.name)

    @property
    def open_circuits(self) -> list[str]:
        """The upstreams that are left alone."""
        return [name for name, state in self._circuits.items() if state.opened_s is not None]

    def saved_retries(self, upstream: Upstream) -> float:
        """What the upstream's retry budget holds."""
        return self._saved.get(upstream.name, MOST_SAVED_RETRIES)

    def earn(self, upstream: Upstream) -> None:
        """A call's first attempt went there."""
        self._saved[upstream.name] = saved_after_call(self.saved_retries(upstream), upstream.retry_share)

    def spend_retry(self, upstream: Upstream) -> None:
        self._saved[upstream.name] = self.saved_retries(upstream) - 1

    def rest(self, route: Route, failure: Failure) -> None:
        """Remembers until when a model is not to be asked there."""
        if failure.retry_after_s:
            self._rests[route.upstream.name, route.model] = self._clock() + min(failure.retry_after_s, MOST_REST_S)
            if len(self._rests) > MOST_RESTS:
                del self._rests[next(iter(self._rests))]

    def rests_s(self, route: Route) -> float:
        """For how long it is not to be asked; 0: it may."""
        until_s = self._rests.get((route.upstream.name, route.model))
        return 0.0 if until_s is None else max(until_s - self._clock(), 0.0)
