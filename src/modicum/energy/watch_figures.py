"""What a watch shows: rates over a stretch of time, several definitions of energy per token side by side."""

from collections.abc import Sequence

import msgspec

from modicum.energy.window_cutter import Interval, join_intervals


class WatchFigures(msgspec.Struct, frozen=True):
    """Sums and rates over a recording or its last window. Energy is of the GPUs, idle time included."""

    seconds: float
    joules: float
    mean_watts: float
    generated_tokens: float
    prompt_tokens: float
    cached_tokens: float | None
    steps: float | None
    tokens_per_second: float
    """Generated tokens per second, all streams together."""
    joules_per_generated_token: float | None
    """All energy over generated tokens; None: none was generated."""
    joules_per_token: float | None
    """All energy over prompt and generated tokens."""
    tokens_per_watt: float | None
    """Generated tokens per second and watt, which is generated tokens per joule."""
    cache_hit_share: float | None
    """Part of the prompt tokens that a prefix cache held; None: not counted, or no prompt."""
    busy_share: float
    """Part of the time in which at least one request ran."""
    mean_batch: float | None
    """Running requests while any ran."""

    @classmethod
    def of(cls, intervals: Sequence[Interval], seconds: float | None = None) -> "WatchFigures | None":
        """The figures of these intervals; None where none is usable.

        `seconds`: measured time, where the intervals have holes inside.
        """
        if not intervals:
            return None
        whole = join_intervals(intervals)
        if seconds is None:
            seconds = sum(interval.seconds for interval in intervals)
        generated, prompt = whole.generated_tokens, whole.prompt_tokens
        return cls(
            seconds=seconds,
            joules=whole.joules,
            mean_watts=whole.joules / seconds,
            generated_tokens=generated,
            prompt_tokens=prompt,
            cached_tokens=whole.cached_tokens,
            steps=whole.steps,
            tokens_per_second=generated / seconds,
            joules_per_generated_token=whole.joules / generated if generated else None,
            joules_per_token=whole.joules / (generated + prompt) if generated + prompt else None,
            tokens_per_watt=generated / whole.joules if generated and whole.joules else None,
            cache_hit_share=whole.cached_tokens / prompt if prompt and whole.cached_tokens is not None else None,
            busy_share=whole.busy_seconds / seconds,
            mean_batch=whole.running_seconds / whole.busy_seconds if whole.busy_seconds else None,
        )
