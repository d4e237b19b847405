"""Options that several energy verbs share, and how their figures are printed."""

from collections.abc import Callable, Sequence
from typing import Any

import click

from modicum.calls.errors import UserError
from modicum.calls.problem import Problem


class Share(click.ParamType[float]):
    """A share, as `40%` or as `0.4`."""

    name = "share"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        try:
            return float(value[:-1]) / 100 if value.endswith("%") else float(value)
        except ValueError:
            self.fail(f"'{value}' is not a share; write 40% or 0.4", param, ctx)


class Numbers(click.ParamType[tuple[int, ...]]):
    """Whole numbers above 0, separated by commas: `1,8,64`."""

    name = "numbers"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        if isinstance(value, tuple):
            return value
        parts = str(value).split(",")
        if not all(part.strip().isdecimal() and int(part) > 0 for part in parts):
            self.fail(f"'{value}' is not a list of whole numbers above 0; write 1,8,64", param, ctx)
        return tuple(int(part) for part in parts)


def gpu_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """`--gpu`, `--dcgm` and `--cpu`, the same for watch and bench."""
    function = click.option(
        "--cpu", is_flag=True, help="Add the energy of this machine's processors and their memory (RAPL, on Linux)."
    )(function)
    function = click.option(
        "--dcgm",
        "dcgm_urls",
        multiple=True,
        metavar="URL",
        help="Read GPUs from a dcgm-exporter's page (http://host:9400/metrics) instead of this machine. Repeatable.",
    )(function)
    return click.option(
        "--gpu",
        "gpus",
        default="all",
        show_default=True,
        help="GPUs of this machine: all, none, or numbers such as 0,1 (NVIDIA); amd, amd:0,1; intel, intel:0.",
    )(function)


VENDORS = ("nvidia", "amd", "intel")


def parse_gpus(text: str) -> tuple[str, Sequence[int] | None]:
    """The vendor and the numbers of the GPUs that `--gpu` names; None: all of them.

    Raises:
        UserError: neither a vendor nor `all` nor numbers.
    """
    vendor, _, listed = text.partition(":")
    if vendor not in VENDORS:
        vendor, listed = "nvidia", text
    if listed in ("", "all"):
        return vendor, None
    if not all(part.isdecimal() for part in listed.split(",")):
        raise UserError(
            f"--gpu '{text}' must be 'all', 'none', numbers such as 0,1, or a vendor such as amd or amd:0,1"
        )
    return vendor, [int(part) for part in listed.split(",")]


def print_problems(problems: Sequence[Problem]) -> None:
    """Prints problems to stderr: each text once, with how often it occurred."""
    reasons: dict[str, int] = {}
    for problem in problems:
        reasons[str(problem)] = reasons.get(str(problem), 0) + 1
    for text, times in list(reasons.items())[:20]:
        click.echo(f"note: {text}" + (f" ({times} times)" if times > 1 else ""), err=True)
    if len(reasons) > 20:
        click.echo(f"note: {len(reasons) - 20} more", err=True)


def format_figure(value: float | None, unit: str, *, digits: int = 3) -> str:
    """A figure with its unit, as `0.119 J`; None is `unknown`."""
    if value is None:
        return "unknown"
    text = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.{digits}g}"
    return f"{text} {unit}".strip()
