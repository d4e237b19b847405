"""`modicum advise`: for each kind of call, cheaper candidates with the evidence there is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from modicum.calls import Problem, UserError
from modicum.cli import shared_options as shared
from modicum.cli.anatomy import open_ledger_or_logs
from modicum.cli.inputs.chosen_calls import ChoiceOptions, choice_options
from modicum.cli.inputs.log_reading import NO_CALLS, print_problems
from modicum.cli.terminal import output
from modicum.cli.terminal.quantity import Quantity
from modicum.insights.dimensions import TAG, parse_dimension
from modicum.library import resources
from modicum.library.choosing import choose_from
from modicum.settings import Settings, read_settings, state_folder, user_zone

if TYPE_CHECKING:
    from datetime import datetime

    from modicum.experiments.model_proofs import ModelVerdict
    from modicum.insights.advice.call_kinds import KindEntries
    from modicum.insights.advice.cheaper_models import ModelProof
    from modicum.insights.advice.own_machine import OwnMachine
    from modicum.ledger.store import Store
    from modicum.metering.other_sellers import ModelOffer
    from modicum.metering.prices import PriceBook

PAIRS = ("branch", "project", TAG)


@dataclass(frozen=True, kw_only=True)
class AdviseOptions(shared.LogOptions, shared.SpanOptions, ChoiceOptions):
    candidates: tuple[str, ...]
    outcome: str
    pair: str
    top: int
    rent: float | None
    tokens_per_second: float | None
    watts: float | None
    as_csv: bool
    timezone: str | None
    found: bool


@click.command()
@click.option(
    "--candidate", "candidates", multiple=True, metavar="MODEL", help="One more model to look at; repeatable."
)
@click.option("--outcome", default="", metavar="NAME", help="Outcome that comparisons rest on. Default: the only one.")
@click.option(
    "--pair",
    default="tag:case",
    metavar="WHAT",
    help="What makes tasks of two models the same: branch, project, tag:NAME. Default: tag:case.",
)
@click.option("--rent", type=Quantity(0), metavar="USD", help="Of a machine of your own for simple calls, an hour.")
@click.option(
    "--tokens-per-second",
    type=Quantity(0, min_open=True),
    metavar="NUMBER",
    help="With --rent: tokens that it generates at full load.",
)
@click.option("--watts", type=Quantity(0), metavar="NUMBER", help="With --rent: its power under load.")
@click.option("--top", default=5, type=click.IntRange(min=1), help="Kinds of calls to advise on. Default: 5.")
@shared.span_options()
@choice_options
@shared.timezone_option
@shared.found_option
@shared.csv_option
@shared.log_options
@shared.pass_options(AdviseOptions)
def command(options: AdviseOptions) -> None:
    """Show cheaper models for each kind of call, with the evidence there is.

    With PATHS the calls are those of these logs; without PATHS, of the ledger. A candidate is proven here (by an
    experiment or a comparison in the ledger), the same model elsewhere, or a trial to run, with its command. Savings
    are of these very calls at the candidate's prices, and say nothing of quality.

    \b
    Examples:
      modicum advise ~/.claude/projects
      modicum advise --since 30d --outcome resolved
      modicum advise logs/ --candidate gpt-5-mini --json
      modicum advise logs/ --rent 0.80 --tokens-per-second 1500 --watts 250
    """
    from modicum.cli.advising.tables import advice_document, advice_rows, print_advice
    from modicum.cli.terminal.csv_rows import print_struct_rows
    from modicum.insights.advice.call_kinds import group_calls
    from modicum.insights.advice.cheaper_models import advise

    machine = _own_machine(options)
    settings = read_settings()
    zone = user_zone(settings.timezone, options.timezone).zone
    since, until = options.span(zone)
    prices = resources.load_prices(options.price_path, settings)
    others = [_parse_candidate(name, prices) for name in options.candidates]
    parse_dimension("advise pair", options.pair, PAIRS)  # refused before logs are read
    problems: list[Problem] = []
    paths = options.paths
    if options.found:
        from modicum.cli.inputs.found_logs import find_logs

        paths = (*paths, *find_logs())
    conditions = options.conditions()
    with (
        open_ledger_or_logs(paths, options, settings, problems) as whole,
        choose_from(whole, conditions, zone) as store,
    ):
        entries = (entry for batch in store.entries() for entry in batch if since <= entry.call.started < until)
        values = {row["task"]: float(row["value"]) for row in store.ask("task_values") if row["task"]}
        kinds = group_calls(entries, values)
        proofs = {} if paths else _read_proofs(store, kinds, options, settings, (since, until))
    advice = advise(kinds, prices, proofs, others)[: options.top]
    if options.as_json:
        output.print_json(advice_document(advice, len(kinds), prices, problems, machine))
    elif options.as_csv:
        print_struct_rows(advice_rows(advice))
    elif not kinds:
        click.echo(NO_CALLS)
    else:
        print_advice(advice, len(kinds), prices, machine)
    prices.save()
    print_problems(problems, strict=options.strict, quiet=options.as_json)


def _own_machine(options: AdviseOptions) -> "OwnMachine | None":
    """Raises:
    UserError: only a part of it is given.
    """
    from decimal import Decimal

    from modicum.insights.advice.own_machine import OwnMachine

    if options.rent is None and options.tokens_per_second is None and options.watts is None:
        return None
    if options.rent is None or options.tokens_per_second is None:
        raise UserError("a machine of your own needs --rent USD and --tokens-per-second NUMBER; --watts may be left")
    return OwnMachine(Decimal(str(options.rent)), options.tokens_per_second, options.watts)


def _parse_candidate(name: str, prices: "PriceBook") -> "ModelOffer":
    from datetime import UTC, datetime

    from modicum.metering.other_sellers import ModelOffer

    if prices.rates("", name, datetime.now(UTC)) is None:
        raise UserError(
            f"--candidate {name}: no price is known of it; write a model as 'modicum prices {name}' knows it, "
            "or give its price in prices.toml (docs/prices.md)"
        )
    return ModelOffer("", name)


def _read_proofs(
    store: "Store",
    kinds: "Sequence[KindEntries]",
    options: AdviseOptions,
    settings: Settings,
    span: "tuple[datetime, datetime]",
) -> "dict[tuple[str, str], ModelProof]":
    """What the ledger's owner has tried already. Where the two contradict, the experiment stands: it drew by lot."""
    from modicum.insights.advice.cheaper_models import CandidateEvidence, ModelProof

    models = list(dict.fromkeys(each.kind.model for each in kinds))
    verdicts = [*_compare_models(store, options, settings, span), *_judge_past_experiments(models)]
    return {
        (one.model, one.other): ModelProof(
            CandidateEvidence.PROVEN if one.is_proven else CandidateEvidence.REFUTED, one.why
        )
        for one in verdicts
    }


def _judge_past_experiments(models: Sequence[str]) -> "list[ModelVerdict]":
    from modicum.experiments.decisions import EVENT_KIND, ExperimentEvent, Experiments
    from modicum.experiments.model_proofs import judge_experiments
    from modicum.ledger.events import EventFile

    path = state_folder() / "events.sqlite"
    if not path.exists():
        return []
    events = EventFile(path)
    try:
        return judge_experiments(Experiments(events.read(EVENT_KIND, ExperimentEvent)).all(), models)
    finally:
        events.close()


def _compare_models(
    store: "Store", options: AdviseOptions, settings: Settings, span: "tuple[datetime, datetime]"
) -> "list[ModelVerdict]":
    from modicum.experiments.comparison_ledger import results_of_ledger
    from modicum.experiments.model_proofs import judge_comparison
    from modicum.ledger.outcomes import find_outcome

    pair, pair_tag = parse_dimension("advise pair", options.pair, PAIRS)
    names = [row["name"] for row in store.ask("outcomes")]
    if options.outcome:
        find_outcome(store, options.outcome)
    elif len(names) != 1:
        if names:
            click.echo(f"no comparison was looked for: --outcome must say by which of {', '.join(names)}", err=True)
        return []
    rows = store.ask(
        "task_arms",
        by="model",
        tag="",
        pair=pair,
        pair_tag=pair_tag,
        zone=user_zone(settings.timezone, options.timezone).name,
        since=span[0],
        until=span[1],
        outcome=options.outcome or names[0],
    )
    results = results_of_ledger(rows, "model", options.pair).results
    return judge_comparison(results) if results else []
