"""Numbers on the command line that must be numbers: `nan` and `inf` pass click's own type and every comparison."""

import math
from typing import Any

import click


class Quantity(click.FloatRange):
    """A finite number within a range."""

    name = "number"

    def _describe_range(self) -> str:
        """The range in a help text; none where there is no bound (click would show `x<=None`)."""
        return "" if self.min is None and self.max is None else super()._describe_range()

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number: float = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"'{value}' is not a finite number", param, ctx)
        return number
