"""`modicum plan`: the memory of a model, before you buy or start anything."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from modicum.calls.words.counted_nouns import number_of
from modicum.calls.words.percentages import percent
from modicum.cli.shared_options import json_option, pass_options
from modicum.cli.terminal.quantity import Quantity
from modicum.cli.terminal.verb_group import WholeLines

if TYPE_CHECKING:
    from modicum.energy.memory.memory_plan import MemoryPlan


class Tokens(click.ParamType[int]):
    """A number of tokens, as `8192` or as `128k`."""

    name = "tokens"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        from modicum.calls.errors import UserError
        from modicum.energy.memory.sizes import parse_tokens

        if isinstance(value, int):
            return value
        try:
            return parse_tokens(value)
        except UserError as error:
            self.fail(str(error), param, ctx)


@dataclass(frozen=True, kw_only=True)
class PlanOptions:
    """The options that `plan memory` and `plan compare` share."""

    context: int
    batch: int
    engine: str
    gpu: str | None
    weights: str | None
    kv: str
    state: str | None
    memory_share: float
    tokens_per_step: int
    as_json: bool


@dataclass(frozen=True, kw_only=True)
class MemoryOptions(PlanOptions):
    model: str


@dataclass(frozen=True, kw_only=True)
class CompareOptions(PlanOptions):
    first: str
    second: str


@dataclass(frozen=True, kw_only=True)
class CardOptions(PlanOptions):
    names: tuple[str, ...]
    offers: tuple[str, ...]


def _plan_options(function: Any) -> Any:
    """The options that `plan memory` and `plan compare` share."""
    for option in (
        json_option,
        click.option(
            "--tokens-per-step",
            type=Tokens(),
            default="2k",
            show_default=True,
            help="Tokens that the engine processes in one step of prefill.",
        ),
        click.option(
            "--memory-share",
            type=Quantity(),
            default=0.9,
            show_default=True,
            help="Share of a GPU's memory that may be used.",
        ),
        click.option("--state", help="Data type of recurrent states: fp32, bf16. Default: what the engine chooses."),
        click.option("--kv", default="bf16", show_default=True, help="Data type of the KV cache: bf16, fp8, q8_0, ..."),
        click.option(
            "--weights", help="Data type of the weights: bf16, fp8, mxfp4, q4_k_m, ... Default: as published."
        ),
        click.option("--gpu", help="GPUs: h100, 2xh200, 24GiB, 4x80GiB, ..."),
        click.option(
            "--engine",
            default="needed",
            show_default=True,
            help="How the cache is laid out: needed (the least possible), transformers, vllm or llamacpp.",
        ),
        click.option(
            "--batch", type=click.IntRange(1), default=1, show_default=True, help="Number of simultaneous sequences."
        ),
        click.option(
            "--context", type=Tokens(), default="8k", show_default=True, help="Number of tokens of each sequence."
        ),
    ):
        function = option(function)
    return function


def _request_fields(options: "PlanOptions") -> dict[str, Any]:
    """As `modicum.plan_memory` takes them."""
    return {
        "context": options.context,
        "batch": options.batch,
        "gpu": options.gpu,
        "engine": options.engine,
        "weights": options.weights,
        "kv": options.kv,
        "state": options.state,
        "memory_share": options.memory_share,
        "tokens_per_step": options.tokens_per_step,
    }


@click.group(cls=WholeLines)
def command() -> None:
    """Compute the memory of a model that you run yourself, before you buy or start anything.

    \b
    Examples:
      modicum plan memory granite-4.0-h-small --context 128k --batch 8 --gpu h200
      modicum plan memory ./my-model/config.json --engine vllm --gpu 2xh100
      modicum plan compare granite-4.0-h-small qwen3-32b --context 128k --batch 8
      modicum plan cards granite-4.0-h-small qwen3-32b --card l40s=0.8 --card h100=2.5
      modicum plan models
    """


@command.command("memory")
@click.argument("model")
@_plan_options
@pass_options(MemoryOptions)
def memory(options: MemoryOptions) -> int:
    """Compute the memory that MODEL needs: weights, cache, fixed state and activations.

    MODEL is a name from `plan models`, a config.json, or the folder of one.

    Weights and cache follow from the architecture to the byte; activations and runtime are estimates. Exits with
    status 1 if the model does not fit on the GPU.

    \b
    Examples:
      modicum plan memory granite-4.0-h-small --context 128k --batch 8 --gpu h200
      modicum plan memory gpt-oss-120b --engine vllm --gpu h100 --context 32k --batch 16
      modicum plan memory ./config.json --weights q4_k_m --engine llamacpp --gpu 24GiB
    """
    from modicum.cli.terminal.output import print_json
    from modicum.library.memory_plans import plan_memory

    plan = plan_memory(options.model, **_request_fields(options))
    if options.as_json:
        print_json({**_plan_document(plan), "exact_bytes": plan.exact_bytes, "total_bytes": plan.total_bytes})
    else:
        _print_plan(plan)
    return 1 if plan.fits is False else 0


def _plan_document(plan: "MemoryPlan") -> dict[str, Any]:
    import msgspec

    return msgspec.structs.asdict(plan)


def _print_plan(plan: "MemoryPlan") -> None:
    from modicum.cli.terminal.output import print_table
    from modicum.energy.memory.sizes import format_context, to_gib

    each = " on each card" if plan.cards > 1 else ""
    rows = [
        ("weights", f"{to_gib(plan.weights_bytes):,.2f}", f"{plan.weights_dtype}, {plan.weights_basis}"),
        ("cache and states", f"{to_gib(plan.cache_bytes):,.2f}", "exact"),
        ("activations", f"{to_gib(plan.activations_bytes):,.2f}", "estimated"),
        ("runtime", f"{to_gib(plan.runtime_bytes):,.2f}", "estimated"),
    ]
    print_table(
        ("part", "GiB", "basis"),
        rows,
        title=f"{plan.model}, {format_context(plan.context)} x {plan.batch}, {plan.engine}{each}",
        footer=("in all", f"{to_gib(plan.total_bytes):,.2f}", ""),
    )
    click.echo(
        f"{plan.parameters / 1e9:.2f} billion parameters, {plan.active_parameters / 1e9:.2f} billion used per token;"
        f" cache {plan.cache_bytes_per_token / 1024:,.1f} KiB per token,"
        f" {plan.state_bytes_per_sequence / 1024**2:,.1f} MiB fixed per sequence"
    )
    if plan.reserved_bytes is not None:
        click.echo(f"{plan.engine} may reserve {to_gib(plan.reserved_bytes):,.2f} GiB of cache for this load")
    if plan.card_bytes is not None and plan.usable_bytes is not None:
        verdict = "fits" if plan.fits else "does not fit"
        click.echo(
            f"{verdict}: {to_gib(plan.usable_bytes):,.1f} of {to_gib(plan.card_bytes):,.1f} GiB may be used{each}"
        )
        click.echo(f"largest context at batch {plan.batch}: {_format_limit(plan.largest_context, plan.context_limit)}")
        click.echo(f"largest batch at {format_context(plan.context)}: {_format_limit(plan.largest_batch, None)}")
    for note in plan.notes:
        click.echo(f"note: {note}")


def _format_limit(found: int | None, limit: int | None) -> str:
    if found is None:
        return "none, it does not fit"
    if found >= 2**40:
        return "not limited by memory"
    text = f"{found:,}"
    return text + (f" (the config allows {limit:,})" if limit and found > limit else "")


@command.command("compare")
@click.argument("first")
@click.argument("second")
@_plan_options
@pass_options(CompareOptions)
def compare_models(options: CompareOptions) -> int:
    """Compare weights and cache of two models over contexts and batches, and show where "70 % less memory" is true.

    \b
    Examples:
      modicum plan compare granite-4.0-h-small qwen3-32b --context 128k --batch 8
      modicum plan compare granite-4.0-h-tiny llama-3.1-8b --context 32k --batch 4 --engine vllm
    """
    from modicum.cli.terminal.output import print_json, print_table
    from modicum.energy.memory import find_blueprint
    from modicum.energy.memory.compare import compare_memory
    from modicum.energy.memory.sizes import format_context, to_gib
    from modicum.library.memory_plans import memory_request

    request = memory_request(**_request_fields(options))
    found = compare_memory(find_blueprint(options.first), find_blueprint(options.second), request)
    if options.as_json:
        print_json({"comparison": found, "savings": [cell.saving for cell in found.cells]})
        return 0
    rows = [
        (
            f"{format_context(cell.context)} x {cell.batch}",
            f"{to_gib(cell.first_bytes):,.1f}",
            f"{to_gib(cell.second_bytes):,.1f}",
            percent(0.0 - cell.saving, 0, sign="+"),
            "yes" if cell.saving >= 0.7 else "no",
        )
        for cell in found.cells
    ]
    print_table(
        ("context x batch", f"{found.first} GiB", f"{found.second} GiB", "memory", "70 % less?"),
        rows,
        title="weights and cache; the requested point is first",
    )
    if found.break_even_tokens is None:
        click.echo(f"the cache of {found.first} is never smaller than that of {found.second}")
    elif found.break_even_tokens == 0:
        click.echo(f"the cache of {found.first} is the smaller one at every context")
    else:
        click.echo(
            f"the cache of {found.first} is the smaller one from {number_of(found.break_even_tokens, 'token')} on"
        )
    return 0


@command.command("cards")
@click.argument("names", metavar="MODEL...", nargs=-1, required=True)
@click.option(
    "--card",
    "offers",
    metavar="CARD=USD",
    multiple=True,
    help="A card, or several, and what an hour of them costs: h100=2.49, 2xh200=7.6, 24GiB=0.35. Without any: the "
    "known cards by their memory.",
)
@_plan_options
@pass_options(CardOptions)
def cheapest_cards(options: CardOptions) -> int:
    """Find the cheapest card that holds each MODEL at each context: a hybrid beside a dense model.

    Prices are yours: modicum has none. Whether the card is fast enough is for `energy bench` to say.

    \b
    Examples:
      modicum plan cards granite-4.0-h-small qwen3-32b --batch 4 --card l40s=0.8 --card h100=2.5 --card 2xh100=5
      modicum plan cards granite-4.0-h-tiny llama-3.1-8b --context 128k --batch 8
    """
    from modicum.calls.errors import UserError
    from modicum.cli.terminal.output import print_json, print_table
    from modicum.energy.memory import find_blueprint
    from modicum.energy.memory.cheapest_card import choose_cards, known_cards, parse_priced_cards
    from modicum.energy.memory.sizes import format_context, to_gib
    from modicum.library.memory_plans import memory_request

    if options.gpu:
        raise UserError("--gpu goes with 'plan memory'; here write --card h100=2.49, once for each that can be had")
    offers = tuple(map(parse_priced_cards, options.offers)) or known_cards()
    blueprints = [find_blueprint(name) for name in options.names]
    choices = choose_cards(blueprints, memory_request(**_request_fields(options)), offers)
    if options.as_json:
        print_json({"choices": choices})
        return 0
    rows = [
        (
            f"{format_context(one.context)} x {one.batch}",
            one.model,
            one.card or "none",
            "" if one.usd_per_hour is None else f"${one.usd_per_hour:,.2f}",
            "" if one.free_bytes is None else f"{to_gib(one.free_bytes):,.1f}",
        )
        for one in choices
    ]
    what = "cheapest" if offers[0].usd_per_hour is not None else "smallest"
    header = "context x batch", "model", f"{what} card", "an hour", "GiB free"
    print_table(header, rows, title="where each model fits")
    for one in choices:
        if one.note:
            click.echo(f"{one.model} at {format_context(one.context)}: {one.note}")
    return 0


@command.command("models")
@json_option
def models(as_json: bool) -> int:
    """List the open models whose published configurations are shipped with modicum.

    \b
    Examples:
      modicum plan models
    """
    from modicum.cli.terminal.output import print_json, print_table
    from modicum.energy.memory import PlanRequest, find_blueprint, plan_memory
    from modicum.energy.memory.catalogue import load_catalogue

    request = PlanRequest(context=131_072, weights="bf16")
    plans = {name: plan_memory(find_blueprint(name), request) for name in load_catalogue().models}
    if as_json:
        print_json({**plans, "sources": load_catalogue().sources})
        return 0
    rows = [
        (
            name,
            load_catalogue().models[name]["source"],
            f"{plan.parameters / 1e9:,.2f}",
            f"{plan.active_parameters / 1e9:,.2f}",
            f"{plan.cache_bytes_per_token / 1024:,.1f}",
            f"{plan.state_bytes_per_sequence / 1024**2:,.1f}",
            f"{plan.weights_bytes / 1024**3:,.1f}",
            f"{plan.cache_bytes / 1024**3:,.2f}",
        )
        for name, plan in plans.items()
    ]
    print_table(
        ("model", "source", "parameters, billion", "active", "KiB/token", "MiB fixed", "GiB bf16", "GiB cache at 128k"),
        rows,
        left=2,
    )
    for key, text in load_catalogue().sources.items():
        click.echo(f"{key}: {text}")
    return 0
