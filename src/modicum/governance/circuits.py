"""The circuit of an upstream: opens when too large a share of its calls fail, and is tried again by one call at a time.

Pure: states are values, and the time is handed over.
"""

from typing import NamedTuple

MOST_OUTCOMES = 64
PROBE_LASTS_S = 60.0
"""After which a call that tries is given up, where its process was killed and nobody said how it ended."""


class Circuit(NamedTuple):
    """When a circuit opens, and for how long."""

    share: float
    """The share of failed calls at which it opens."""
    fewest_calls: int = 10
    """It does not open for fewer than these."""
    window_s: float = 30.0
    open_s: float = 10.0
    """How long no call goes there; then one tries."""


class CircuitState(NamedTuple):
    """How a circuit stands. Times are seconds of a clock that only goes forward."""

    outcomes: tuple[tuple[float, bool], ...] = ()
    """When a call ended, and whether it failed; the oldest first."""
    opened_s: float | None = None
    """None: it is closed."""
    probe_s: float | None = None
    """Since when a call is under way that tries whether the upstream is well again; None: none is."""


CLOSED = CircuitState()


class CircuitVerdict(NamedTuple):
    state: CircuitState
    wait_s: float | None = None
    """The call may not go there, and when it is worth another try; None: it may."""
    is_probe: bool = False


def admit(circuit: Circuit, state: CircuitState, now_s: float) -> CircuitVerdict:
    """Whether one more call may go to the upstream."""
    if state.opened_s is None:
        return CircuitVerdict(state)
    left_s = state.opened_s + circuit.open_s - now_s
    if left_s > 0:
        return CircuitVerdict(state, left_s)
    if state.probe_s is not None and now_s - state.probe_s < max(circuit.open_s, PROBE_LASTS_S):
        return CircuitVerdict(state, circuit.open_s)
    return CircuitVerdict(state._replace(probe_s=now_s), is_probe=True)


def after_call(
    circuit: Circuit, state: CircuitState, *, failed: bool | None, was_probe: bool, now_s: float
) -> CircuitState:
    """The state after a call has ended. `failed` is None where that says nothing of the upstream: the caller left."""
    if was_probe:
        if failed is None:
            return state._replace(probe_s=None)
        return CircuitState(opened_s=now_s) if failed else CLOSED
    if failed is None or state.opened_s is not None:  # what began before it opened is no news
        return state
    since_s = now_s - circuit.window_s
    outcomes = tuple(one for one in state.outcomes[-MOST_OUTCOMES + 1 :] if one[0] > since_s)
    outcomes = (*outcomes, (now_s, failed))
    count_failed = sum(one[1] for one in outcomes)
    if failed and len(outcomes) >= circuit.fewest_calls and count_failed >= circuit.share * len(outcomes):
        return CircuitState(opened_s=now_s)
    return state._replace(outcomes=outcomes)
