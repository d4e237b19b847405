"""Numbers on the command line that must be numbers: `nan` and `inf` pass click's own type and every comparison."""

import math
from typing import Any

import click


class Quantity(click.FloatRange):
    """A finite number within a range."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number: float = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"'{value}' is no number to reckon with", param, ctx)
        return number
