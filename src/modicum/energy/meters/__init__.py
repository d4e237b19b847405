"""Where energy readings come from. A meter has `facts()` and `read()`; one file per source."""

from typing import Protocol

from modicum.energy.samples import GpuFacts, GpuReading


class Meter(Protocol):
    def facts(self) -> tuple[GpuFacts, ...]:
        """The GPUs that are read, in a fixed order.

        Raises:
            UserError: there is nothing to read, or it may not be read; the message says why.
        """

    def read(self) -> tuple[GpuReading, ...]:
        """One reading per GPU, taken back to back. A GPU that does not answer is left out."""
