"""Some seconds of a model server that one runs oneself: what its GPUs drew and what it served meanwhile."""

import hashlib
from collections.abc import Sequence

import msgspec


class EnergyWindow(msgspec.Struct, frozen=True, kw_only=True):
    """Sums over the GPUs and servers that are named. Windows of one watch do not overlap."""

    started: float
    """Seconds since 1970."""
    seconds: float
    gpus: tuple[str, ...]
    servers: tuple[str, ...]
    provider: str = ""
    """The provider that calls to these servers are booked under; empty: nobody said."""
    joules: float
    """Of the GPUs, idle included."""
    counted: bool
    """True: from energy counters; False: power summed up."""
    generated_tokens: float
    prompt_tokens: float
    cached_tokens: float | None
    steps: float | None
    running_seconds: float
    """Integral of running requests over time."""
    busy_seconds: float
    """Time in which at least one request was running."""
    regime: str = ""
    """What the energy of a step depends on beside the load, as `regime_of` writes it; empty: nobody said."""

    @property
    def window_id(self) -> str:
        """Identity: the same GPUs and servers, from the same moment (milliseconds) on. A replay gives the same."""
        identity = repr((self.gpus, self.servers, round(self.started * 1000)))
        return hashlib.blake2b(identity.encode(), digest_size=16).hexdigest()

    @property
    def revision(self) -> int:
        """How complete the record is: a longer one replaces what a broken log ended with; of equals, one with a
        provider replaces one without.
        """
        return 2 * round(self.seconds * 1000) + bool(self.provider)


def name_regime(servers: Sequence[tuple[str, float | None]], power_limits_watts: Sequence[float]) -> str:
    """A string to compare: model and start of each server, and the GPUs' power limits. While it stays the same, one law
    can hold for the energy of a step.
    """
    regime = [
        [(model, started and round(started)) for model, started in servers],
        [round(w) for w in power_limits_watts],
    ]
    return msgspec.json.encode(regime).decode()


def parse_models(regime: str) -> tuple[str, ...]:
    """The models that `regime_of` was given."""
    try:
        servers, _ = msgspec.json.decode(regime or "[[],[]]", type=tuple[list[tuple[str, float | None]], list[float]])
    except msgspec.DecodeError:
        return ()
    return tuple(sorted({model for model, _ in servers if model}))
