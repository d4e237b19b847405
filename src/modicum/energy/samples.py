"""Raw readings: what a GPU and a server said, and when. Everything else is computed from these and can be again.

Times are in seconds of a monotonic clock (`at`), so that a change of the wall clock changes no figure.
"""

import msgspec


class GpuReading(msgspec.Struct, frozen=True, omit_defaults=True):
    gpu: str
    """UUID, or host and index where a host gives none."""
    at: float
    energy_joules: float | None = None
    """Counter since the driver was loaded; None: this GPU has none."""
    power_watts: float | None = None
    power_limit_watts: float | None = None
    slowed_by: tuple[str, ...] = ()
    """Why the clocks are held down right now: `power cap`, `heat`, `power brake`."""


class ServerReading(msgspec.Struct, frozen=True, omit_defaults=True):
    """Counters of a model server since it started, and its state. None: this kind of server does not say."""

    server: str
    kind: str
    at: float
    prompt_tokens: float | None = None
    """All prompt tokens, also those found in a prefix cache."""
    cached_tokens: float | None = None
    """Prompt tokens found in a prefix cache."""
    generated_tokens: float | None = None
    steps: float | None = None
    """Runs of the model over a batch: decoding steps and prefill chunks."""
    running: float | None = None
    waiting: float | None = None
    cache_use: float | None = None
    """Part of the key-value cache in use, 0 to 1."""
    started: float | None = None
    """When the server's process started, by its own clock; a change is a restart."""
    model: str = ""
    """The models that it serves, by its own metrics; empty: it does not say."""
    drafted_tokens: float | None = None
    """Tokens that speculative decoding proposed, accepted or not."""
    first_tokens: float | None = None
    """Requests whose first token came: so many prompts were read."""


class Sample(msgspec.Struct, frozen=True, omit_defaults=True):
    """All readings of one moment."""

    at: float
    wall: float
    """Seconds since 1970 by the wall clock."""
    gpus: tuple[GpuReading, ...] = ()
    servers: tuple[ServerReading, ...] = ()
    missing: tuple[str, ...] = ()
    """What did not answer, in words."""


class GpuFacts(msgspec.Struct, frozen=True):
    """What does not change about a GPU while it is watched."""

    gpu: str
    name: str
    source: str
    """`nvml`, `dcgm`, `amdsmi`, `intel-hwmon`, `rapl` or `replay`."""
    has_energy_counter: bool
    power_limit_watts: float | None = None
    contended_by: int = 0
    """Other processes that compute on it beside the server's, where that could be seen."""
