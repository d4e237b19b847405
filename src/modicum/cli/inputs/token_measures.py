"""What `count` and `fit` share: which models, and what tokens and dollars are measured with."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from modicum.calls.words.counted_nouns import number_of
from modicum.calls.words.percentages import percent
from modicum.library.resources import load_prices

if TYPE_CHECKING:
    from modicum.insights.count import CountBasis, ModelCount
    from modicum.insights.fit import ModelFit


def model_option(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--model",
        "-m",
        "models",
        metavar="M",
        multiple=True,
        help="A model, as its maker or seller names it (claude-opus-4-6, azure/gpt-4o, openrouter/...). Give it"
        " several times for several models. Default: a few current ones.",
    )(command)


def models_or_default(models: tuple[str, ...]) -> tuple[str, ...]:
    """The models that were asked for, each once, or the default ones."""
    from modicum.insights.count import DEFAULT_MODELS

    return tuple(dict.fromkeys(models)) or DEFAULT_MODELS


def load_measures(price_path: Path | None) -> "CountBasis":
    """The user's own calibrations and prices above the shipped ones."""
    from modicum.library.counts import read_measures

    return read_measures(load_prices(price_path))


def print_unchecked(models: Sequence[str], measures: "CountBasis") -> None:
    """That a counter is installed, and not used since nobody has held it against the user's records."""
    from modicum.insights.claude_correction import unchecked_models
    from modicum.metering.claude_tokens import counter_name

    waiting = unchecked_models(models, measures.checks)
    if waiting:
        click.echo(
            f"{', '.join(waiting)}: {counter_name()} is installed and not used: no records of yours have confirmed it"
            " for these models; 'modicum calibrate' checks it"
        )


def print_sources(counts: "Sequence[ModelCount | ModelFit]") -> None:
    """How each count is known, models with the same source together; and how far a newer tokenizer may go."""
    for known_by in dict.fromkeys(count.known_by for count in counts):
        click.echo(f"{', '.join(count.model for count in counts if count.known_by == known_by)}: {known_by}")
    for count in counts:
        if count.error is None and count.most_tokens > count.tokens:
            click.echo(
                f"{count.model}: up to {number_of(count.most_tokens, 'token')}, by what its vendor says of its "
                "tokenizer"
            )


def format_error(error: float | None) -> str:
    """`4.2 %`; `exact` for a public tokenizer; `unknown` where it has not been measured."""
    if error is None:
        return "unknown"
    return "exact" if error == 0 else percent(error)


@contextmanager
def show_progress(title: str, files: int) -> Iterator[Callable[[int], None] | None]:
    """A bar over files on a terminal, nothing in a pipe. It vanishes when done."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=files)
        yield lambda done: bar.update(task, completed=done)
