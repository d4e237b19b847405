"""What tokens of a model draw on servers of one's own, as their owner has measured and stated it."""

import msgspec

NANOJOULES = 1_000_000_000
_PER_MILLIJOULE = 1_000_000


class EnergyRate(msgspec.Struct, frozen=True, kw_only=True):
    """Billionths of a joule for each token, so that sums are exact."""

    model: str
    """A pattern: `llama-*`."""
    provider: str = ""
    """Of the upstream that serves it; empty: whichever does."""
    per_computed: int
    """For a token of the prompt that is not read from a cache."""
    per_cached: int
    per_generated: int
    per_call: int = 0

    def millijoules(self, *, calls: int, computed: int, cached: int, generated: int) -> int:
        """What so many calls and tokens draw together, in thousandths of a joule, rounded up."""
        nano = calls * self.per_call + computed * self.per_computed
        nano += cached * self.per_cached + generated * self.per_generated
        return -(-nano // _PER_MILLIJOULE)

    def most_millijoules(self, input_tokens: int, output_tokens: int, rounds: int) -> int:
        """What a call may draw at most whose prompt is read so often."""
        dearest = max(self.per_computed, self.per_cached)
        nano = rounds * (self.per_call + input_tokens * dearest) + output_tokens * self.per_generated
        return -(-nano // _PER_MILLIJOULE)
