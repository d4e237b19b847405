"""`modicum estimate`: prices a design before it is built, and sets it beside the bill afterwards."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from modicum.calls import Problem, UserError
from modicum.calls.problem import problem_rows
from modicum.calls.provider_names import provider_of_model
from modicum.calls.words.counted_nouns import number_of
from modicum.calls.words.percentages import percent
from modicum.cli import shared_options as shared
from modicum.cli.inputs.log_reading import print_problems, read_logs
from modicum.cli.terminal import output
from modicum.cli.terminal.quantity import Quantity
from modicum.library import resources
from modicum.settings import read_settings

if TYPE_CHECKING:
    from modicum.calls import Entry
    from modicum.experiments.builds.design import AgentDesign, BilledTasks, DesignEstimate
    from modicum.metering.prices import PriceBook

MOST_TOKENS = 1_000_000_000
GUESSED = "of numbers that were guessed nobody can say how far off they are"
ERROR = (
    "how far off it may be: numbers of one half of real transcripts missed the bill of the other by 12 % at the "
    "median, and by more than 29 % in one case of ten (docs/estimate.md)"
)


@dataclass(frozen=True, kw_only=True)
class EstimateOptions:
    model: str
    provider: str
    calls: float | None
    calls_spread: float | None
    first_tokens: float | None
    growth_tokens: float | None
    output_tokens: float | None
    cache_hits: float | None
    shared: float | None
    hour: float | None
    conversations: float | None
    tasks: int
    from_paths: tuple[Path, ...]
    bill_paths: tuple[Path, ...]
    price_path: Path | None
    as_json: bool


def _number(flag: str, name: str, text: str, most: int = MOST_TOKENS, *, above_0: bool = False) -> Callable[..., Any]:
    numbers = Quantity(min=0, max=most, min_open=above_0)
    return click.option(flag, name, type=numbers, default=None, metavar="NUMBER", help=text)


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option("--model", required=True, metavar="MODEL", help="The model, as its provider calls it.")
@click.option("--provider", default="", metavar="NAME", help="Who bills. Default: as the model's name says.")
@_number("--calls", "calls", "Calls of a conversation, on average.", above_0=True)
@_number("--calls-spread", "calls_spread", "Standard deviation of their number as a share of it. Default: 0.", 100)
@_number("--first", "first_tokens", "Tokens of the first prompt: instructions, tools, the task.")
@_number("--growth", "growth_tokens", "Tokens by which each next prompt is longer. Default: 0.")
@_number("--output", "output_tokens", "Tokens of a reply. Default: 0.")
@_number("--cache-hits", "cache_hits", "Share of the former prompt that the cache gives back, 0 to 1. Default: 0.", 1)
@_number("--shared", "shared", "Share of the first prompt that other conversations keep cached. Default: 0.", 1)
@_number("--hour", "hour", "Share of cache writes for an hour. Default: 0.", 1)
@_number("--conversations", "conversations", "Conversations of a task, with its subagents. Default: 1.", above_0=True)
@click.option(
    "--tasks", type=click.IntRange(min=1), default=1000, show_default=True, help="Tasks that are priced together."
)
@click.option(
    "--from",
    "from_paths",
    multiple=True,
    type=click.Path(path_type=Path, exists=True),
    metavar="PATH",
    help="Take numbers that are not given from these logs; may be repeated.",
)
@click.option(
    "--bill",
    "bill_paths",
    multiple=True,
    type=click.Path(path_type=Path, exists=True),
    metavar="PATH",
    help="Set the estimate beside what these logs came to; may be repeated.",
)
@shared.prices_option
@shared.json_option
@shared.pass_options(EstimateOptions)
def command(options: EstimateOptions) -> None:
    """Price a design from a few numbers, before it is built: at today's prices, on average over tasks.

    The numbers are given, or taken from logs of something alike (--from). Once it runs, --bill says how far the
    estimate was from the bill.

    \b
    Examples:
      modicum estimate --model gpt-4o-mini --calls 12 --first 6000 --growth 900 --output 250
      modicum estimate --model claude-sonnet-4-5 --calls 40 --calls-spread 1.2 --first 30000 --growth 1000 \\
          --output 300 --cache-hits 0.97 --conversations 1.5
      modicum estimate --model claude-opus-4-6 --from ~/.claude/projects
      modicum estimate --model gpt-4o-mini --calls 12 --first 6000 --bill traces/
    """
    from modicum.experiments.builds.design import bill_tasks, estimate_design
    from modicum.metering.context_windows import context_window_tokens

    problems: list[Problem] = []
    prices = resources.load_prices(options.price_path, read_settings())
    design = _design(options, prices, problems)
    now, provider = datetime.now(UTC), options.provider or provider_of_model(options.model)
    middle = round(design.first_tokens + design.growth_tokens * max(design.calls - 1, 0) / 2)
    rates = prices.rates(provider, options.model, now, prompt_tokens=middle)
    if rates is None:
        raise UserError(
            f"the price of '{options.model:.80}' is not known: name who bills with --provider, or give its price in a "
            "file with --prices (docs/prices.md)"
        )
    estimate = estimate_design(design, rates)
    window = context_window_tokens(options.model, provider)
    billed = None
    if options.bill_paths:
        billed = bill_tasks(_entries(options.bill_paths, prices, problems), estimate)
        if billed is None:
            raise UserError("the logs of --bill hold no calls, so there is no bill to compare with")
    prices.save()
    if options.as_json:
        output.print_json(
            {
                "model": options.model,
                "provider": provider,
                "price": f"{rates.source} {rates.version}".strip(),
                "design": design,
                "estimate": estimate,
                "context_window_tokens": window,
                "tasks": options.tasks,
                "tasks_usd": None if estimate.cost_usd is None else estimate.cost_usd * options.tasks,
                "billed": billed,
                "problems": problem_rows(problems),
            }
        )
    else:
        _print(options, design, estimate, billed)
        _print_too_long(options.model, estimate.largest_prompt_tokens + design.output_tokens, window)
    print_problems(problems, strict=False, quiet=options.as_json)


def _design(options: EstimateOptions, prices: "PriceBook", problems: list[Problem]) -> "AgentDesign":
    """The numbers that were given, and for others those of the logs.

    Raises:
        UserError: one that has no default is in neither.
    """
    from modicum.experiments.builds.design import AgentDesign, measure_design

    named = msgspec.structs.fields(AgentDesign)
    given = {one.name: value for one in named if (value := getattr(options, one.name)) is not None}
    if options.from_paths:
        measured = measure_design(_entries(options.from_paths, prices, problems))
        if measured is None:
            raise UserError("the logs of --from hold no calls with known tokens; give the numbers, or other logs")
        return msgspec.structs.replace(measured, **given)
    missing = [flag for flag, name in (("--calls", "calls"), ("--first", "first_tokens")) if name not in given]
    if missing:
        raise UserError(f"{' and '.join(missing)} must be given, or logs of something alike: --from PATH")
    return AgentDesign(**given)


def _entries(paths: tuple[Path, ...], prices: "PriceBook", problems: list[Problem]) -> "list[Entry]":
    from modicum.ledger.booking import book_all, newest
    from modicum.library.call_booking import make_reading

    # With anatomy: the calls of one conversation come together then.
    return newest(book_all(read_logs(paths, make_reading(anatomy=True), None, problems), prices))


def _print(
    options: EstimateOptions, design: "AgentDesign", estimate: "DesignEstimate", billed: "BilledTasks | None"
) -> None:
    click.echo(
        f"conversations of a task: {design.conversations:.3g}, with {design.calls:.3g} calls on average (spread "
        f"{design.calls_spread:.2g});"
    )
    click.echo(
        f"prompts from {design.first_tokens:,.0f} tokens, growing by {design.growth_tokens:,.0f}; replies of "
        f"{design.output_tokens:,.0f};"
    )
    click.echo(f"cache hits {percent(design.cache_hits, 0)}, first prompt shared {percent(design.shared, 0)}")
    whole = estimate.cost_usd or 0.0
    tokens = {
        "cache_read": estimate.cache_read_tokens,
        "cache_write": estimate.cache_write_tokens,
        "input_uncached": estimate.uncached_tokens,
        "output": estimate.output_tokens,
    }
    rows = [
        [name.replace("_", " "), f"{tokens[name]:,.0f}", output.dollars_of(usd), output.share(usd, whole)]
        for name, usd in estimate.parts_usd.items()
        if tokens[name]
    ]
    output.print_table(["of a task", "tokens", "cost", "share"], rows)
    every = output.dollars_of(round(whole * options.tasks, 2))
    click.echo(f"a task: ~ {output.dollars_of(round(whole, 6))}; {number_of(options.tasks, 'task')}: ~ {every}")
    if billed is not None:
        error = "unknown" if billed.error is None else percent(billed.error, sign="+")
        cost = output.dollars_of(None if billed.cost_usd is None else round(billed.cost_usd, 6))
        click.echo(f"billed: {cost} a task over {number_of(billed.tasks, 'task')}; error of the estimate: {error}")
    else:
        output.print_text(ERROR if options.from_paths else f"{GUESSED}; {ERROR}")


def _print_too_long(model: str, tokens: float, window: int | None) -> None:
    """A price of calls that nobody can make is no price."""
    if window is not None and tokens > window:
        output.print_text(
            f"the last call of an average conversation has {tokens:,.0f} tokens, and the context window of {model} "
            f"{window:,}: it cannot be made, unless something shortens the conversation, which would change the price"
        )
