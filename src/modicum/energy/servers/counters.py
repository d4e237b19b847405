"""What every kind of server is asked for; None is what it does not say."""

import msgspec


class Counters(msgspec.Struct, frozen=True):
    prompt_tokens: float | None
    cached_tokens: float | None
    generated_tokens: float | None
    steps: float | None
    running: float | None
    waiting: float | None
    drafted_tokens: float | None = None
    first_tokens: float | None = None
    cache_use: float | None = None
    model: str = ""
    """Names of the served models, with commas between."""
