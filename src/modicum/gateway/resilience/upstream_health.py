"""How upstreams fare: circuits and retry budgets, as all see it that share a state, and rests that they asked for.

By name, since settings that are read again make upstreams anew. While the state of several gateways is away, each goes
by what it saw last and sees itself.
"""

from collections.abc import Callable
from time import monotonic

import msgspec

from modicum.gateway.http.refusal import Refused
from modicum.gateway.process.log import log
from modicum.gateway.upstreams import Route, Upstream
from modicum.governance import circuits
from modicum.governance.circuits import CLOSED, CircuitState
from modicum.governance.resilience import MOST_SAVED_RETRIES, Failure, saved_after_call
from modicum.state.counters import SharedValues, StateAway
from modicum.state.memory import MemoryCounters

MOST_REST_S = 300.0
MOST_RESTS = 1000
KEPT_S = 3600.0
"""How long the state keeps what it knows of an upstream that nobody asks: longer than any circuit is open."""


class SharedHealth(msgspec.Struct, frozen=True, array_like=True):
    """What several gateways know of one upstream together."""

    circuit: CircuitState = CLOSED
    saved: float = MOST_SAVED_RETRIES
    """What its retry budget holds."""


_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(SharedHealth).decode
_NEW = SharedHealth()


class UpstreamHealth:
    """Used from the event loop.

    Args:
        circuit_changed: is called with an upstream's name and whether its circuit is open now.
        clock: seconds that only go forward, for rests.
        values: where circuits and retry budgets are.
    """

    def __init__(
        self,
        circuit_changed: Callable[[str, bool], None] = lambda _name, _is_open: None,
        clock: Callable[[], float] = monotonic,
        values: SharedValues | None = None,
    ) -> None:
        self._changed, self._clock = circuit_changed, clock
        self._values = MemoryCounters(clock) if values is None else values
        self._alone = MemoryCounters(clock)
        """What holds while the others cannot be reached."""
        self._known: dict[str, SharedHealth] = {}
        """As it was seen last."""
        self._rests: dict[tuple[str, str], float] = {}

    async def check(self, upstream: Upstream) -> bool:
        """Whether a call may go there by its circuit. True: it is the one that tries whether the upstream is well
        again; its end is then to be recorded in any case.

        Raises:
            Refused: the circuit is open.
        """
        circuit = upstream.circuit
        if circuit is None:
            return False
        verdict = circuits.CircuitVerdict(CLOSED)

        def admit(health: SharedHealth, now_s: float) -> SharedHealth:
            nonlocal verdict
            verdict = circuits.admit(circuit, health.circuit, now_s)
            return msgspec.structs.replace(health, circuit=verdict.state)

        await self._change(upstream, admit)
        if verdict.wait_s is not None:
            raise Refused(
                503,
                f"the upstream {upstream.name} has failed too often and is left alone for a while "
                f"(upstreams.{upstream.name}.circuit_share); try again",
                "upstream_open",
                max(round(verdict.wait_s), 1),
            )
        return verdict.is_probe

    async def record(self, upstream: Upstream, *, failed: bool | None, was_probe: bool) -> None:
        """Counts how an attempt ended. `failed` is None where that says nothing of the upstream."""
        circuit = upstream.circuit
        if circuit is None or (failed is None and not was_probe):
            return

        def after_call(health: SharedHealth, now_s: float) -> SharedHealth:
            state = circuits.after_call(circuit, health.circuit, failed=failed, was_probe=was_probe, now_s=now_s)
            return msgspec.structs.replace(health, circuit=state)

        await self._change(upstream, after_call)

    @property
    def open_circuits(self) -> list[str]:
        """The upstreams that are left alone, as far as was seen here."""
        return [name for name, health in self._known.items() if health.circuit.opened_s is not None]

    async def saved_retries(self, upstream: Upstream) -> float:
        """What the upstream's retry budget holds."""
        return (await self._change(upstream, lambda health, _now_s: health)).saved

    async def earn(self, upstream: Upstream) -> None:
        """A call's first attempt went there."""
        share = upstream.retry_share
        await self._change(
            upstream,
            lambda health, _now_s: msgspec.structs.replace(health, saved=saved_after_call(health.saved, share)),
        )

    async def spend_retry(self, upstream: Upstream) -> None:
        await self._change(upstream, lambda health, _now_s: msgspec.structs.replace(health, saved=health.saved - 1))

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

    async def _change(self, upstream: Upstream, change: Callable[[SharedHealth, float], SharedHealth]) -> SharedHealth:
        """What is known of an upstream, after a change."""

        def change_packed(packed: bytes, now_s: float) -> bytes:
            return _pack(change(_health_of(packed), now_s))

        name = f"upstream|{upstream.name}"
        try:
            packed = await self._values.change(name, change_packed, KEPT_S)
        except StateAway:
            packed = await self._alone.change(name, change_packed, KEPT_S)
        health = _health_of(packed)
        was_open = self._known.get(upstream.name, _NEW).circuit.opened_s is not None
        self._known[upstream.name] = health
        is_open = health.circuit.opened_s is not None
        if is_open != was_open:
            self._changed(upstream.name, is_open)
            log("circuit_opened" if is_open else "circuit_closed", upstream=upstream.name)
        return health


def _health_of(packed: bytes) -> SharedHealth:
    """Of another version it is as if nothing were known: circuits close, and are opened again by what fails."""
    try:
        return _unpack(packed) if packed else _NEW
    except (msgspec.DecodeError, msgspec.ValidationError):
        return _NEW
