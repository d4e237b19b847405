"""`modicum route`: learns which model a prompt needs, says how good that is, and decides."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from modicum.calls import Problem, UserError
from modicum.calls.outside.regular_file import read_named
from modicum.calls.problem import problem_rows
from modicum.calls.words.counted_nouns import noun_for, number_of
from modicum.cli import shared_options as shared
from modicum.cli.inputs.log_reading import print_problems
from modicum.cli.terminal import output
from modicum.cli.terminal.quantity import Quantity
from modicum.cli.terminal.verb_group import WholeLines
from modicum.library.file_permissions import shared_files

if TYPE_CHECKING:
    from modicum.routing.calibration import Unit
    from modicum.routing.outcome_table import OutcomeTable

FILE = click.Path(path_type=Path, dir_okay=False)

Verb = Callable[..., Any]


@dataclass(frozen=True, kw_only=True)
class TableOptions:
    paths: tuple[Path, ...]
    models: tuple[str, ...]
    outcome: str
    family: str
    unit: str | None
    strict: bool
    as_json: bool


@dataclass(frozen=True, kw_only=True)
class TrainOptions(TableOptions):
    logs: tuple[Path, ...]
    outcome_paths: tuple[Path, ...]
    ledger_url: str | None
    embeddings: Path | None
    learner: str
    out: Path
    loss: float | None
    budget: float | None
    days: int


@dataclass(frozen=True, kw_only=True)
class EvalOptions(TableOptions):
    learners: tuple[str, ...]
    weak: str
    strong: str
    folds: int
    by_family: bool
    by_model_family: bool
    embeddings: Path | None
    seed: int


@dataclass(frozen=True, kw_only=True)
class DecideOptions:
    router: Path
    prompt_path: Path
    allowed: tuple[str, ...]
    as_json: bool


def _table_options(command: Verb) -> Verb:
    for option in (
        shared.json_option,
        shared.strict_option,
        click.option(
            "--unit",
            type=click.Choice(["usd", "seconds", "joules", "calls"]),
            help="What is saved. Default: the first that the table has; calls where it has none.",
        ),
        click.option("--family", default="", metavar="COLUMN", help="Column of families (subjects, data sets)."),
        click.option("--outcome", default="", metavar="COLUMN", help="Column of outcomes, in 0..1."),
        click.option("--model", "models", multiple=True, metavar="MODEL", help="Only this model; may be repeated."),
        click.argument("paths", nargs=-1, type=FILE, metavar="TABLE..."),
    ):
        command = option(command)
    return command


@click.group(cls=WholeLines)
def command() -> None:
    """Learn which model a prompt needs, from outcomes of your own, and see how good that is before it is used.

    TABLE is a CSV file: a row per task and model (task, model, prompt, success, cost_usd), or a row per task with a
    column for each model. docs/routing.md describes both.

    \b
    Examples:
      modicum route eval outcomes.csv
      modicum route eval outcomes.csv --by-family
      modicum route train outcomes.csv --loss 0.5 --out router.npz
      modicum route train --logs ~/.claude/projects --outcome resolved --out router.npz
      modicum route decide router.npz --prompt prompt.txt
    """


@command.command()
@_table_options
@click.option(
    "--logs",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Instead of a table: logs of your own, with the outcomes of their tasks; may be repeated.",
)
@click.option(
    "--outcomes",
    "outcome_paths",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="Of the logs' tasks (as for 'modicum outcome import'). Default: those in the ledger.",
)
@shared.ledger_option
@click.option("--embeddings", type=FILE, help="Vectors of the prompts (.npy, a row per task): they teach.")
@click.option(
    "--learner",
    default="",
    help="length, linear, letters, neighbours, blended or taught. Default: taught.",
)
@click.option("--out", default="router.npz", show_default=True, type=FILE, help="Write the weights to this file.")
@click.option("--loss", type=Quantity(0, 100), metavar="POINTS", help="Loss of outcome that you accept. Default: 0.5.")
@click.option(
    "--budget", type=Quantity(0), metavar="AMOUNT", help="Instead: what a call may take on the mean, in --unit."
)
@click.option("--days", default=90, show_default=True, type=click.IntRange(1, 3650), help="How long the weights hold.")
@shared.pass_options(TrainOptions)
def train(options: TrainOptions) -> None:
    """Learn weights from a table or from logs, and set them to a quality floor or to a budget.

    \b
    Examples:
      modicum route train outcomes.csv --loss 0.5 --out router.npz
      modicum route train outcomes.csv --budget 0.004 --unit usd
      modicum route train --logs ~/.claude/projects --outcome resolved
    """
    from modicum.cli.routing.tables import print_training
    from modicum.routing.learners.by_name import DEFAULT, make_learner
    from modicum.routing.training import train_router
    from modicum.routing.weights import encode_router

    if options.loss is not None and options.budget is not None:
        raise UserError("--loss and --budget exclude each other: give a quality floor or a budget")
    table, problems, remarks = _read_to_learn(options)
    if options.embeddings:
        table = _with_embeddings(table, options.embeddings)
    unit = _unit(table, options.unit)
    trained = train_router(
        table,
        make_learner(options.learner or DEFAULT),
        unit,
        source=", ".join(path.name for path in options.paths or options.logs)[:200],
        today=datetime.now(UTC).date(),
        holds_days=options.days,
        loss=None if options.budget is not None else (0.5 if options.loss is None else options.loss) / 100,
        budget=options.budget,
        prices=_prices_today(table.models) if unit == "usd" else None,
    )
    remarks += trained.remarks
    data = encode_router(trained.router)
    with shared_files():
        options.out.write_bytes(data)
    if options.as_json:
        reached = asdict(trained.calibration) | {"saving": trained.calibration.saving}
        output.print_json(
            {
                "file": str(options.out),
                "bytes": len(data),
                "models": trained.router.terms.models,
                "expires_on": trained.router.terms.provenance.expires_on.isoformat(),
                "apgr": trained.router.terms.provenance.apgr,
                "calibration": reached,
                "remarks": remarks,
                "problems": problem_rows(problems),
            }
        )
    else:
        print_training(trained, str(options.out), len(data), remarks)
    where = "files" if options.logs else "rows"
    print_problems(problems, strict=options.strict, quiet=options.as_json, where=where)


@command.command("eval")
@_table_options
@click.option("--learner", "learners", multiple=True, help="May be repeated. Default: linear, neighbours, taught.")
@click.option("--weak", default="", metavar="MODEL", help="The cheaper of the two models. Default: the cheapest.")
@click.option("--strong", default="", metavar="MODEL", help="The better one. Default: the best single model.")
@click.option("--folds", default=5, show_default=True, type=click.IntRange(2, 50), help="Parts that are tried in turn.")
@click.option("--by-family", is_flag=True, help="Leave whole families out: how good it is at what it never saw.")
@click.option(
    "--by-model-family",
    is_flag=True,
    help="Leave whole families of models out too: how good it is for models it was not trained on.",
)
@click.option("--embeddings", type=FILE, help="Vectors of the prompts (.npy, a row per task), for learners with them.")
@click.option("--seed", default=0, show_default=True, help="Of the draw of folds.")
@shared.pass_options(EvalOptions)
def evaluation(options: EvalOptions) -> None:
    """Show APGR, CPT and the cost at quality floors, beside random, length, best single and oracle.

    \b
    Examples:
      modicum route eval outcomes.csv --by-family
      modicum route eval outcomes.csv --by-model-family
    """
    from modicum.cli.routing.tables import print_evaluation, print_left_out_families
    from modicum.routing.evaluation import draw_folds, evaluate
    from modicum.routing.learners.by_name import DEFAULT, make_learner
    from modicum.routing.model_families import evaluate_left_out_families
    from modicum.routing.outcome_table import check_table

    table, problems = _read_table(options)
    if options.embeddings:
        table = _with_embeddings(table, options.embeddings)
    remarks = check_table(table)
    complete = table.complete()
    if len(complete) < len(table):
        remarks.append(
            f"{number_of(len(table) - len(complete), 'task')} that some model has no outcome of "
            f"{noun_for(len(table) - len(complete), 'takes', 'take')} no part."
        )
    if not len(complete):
        raise UserError(
            "no task has an outcome of every model, and an evaluation needs such tasks: name models that did the same "
            "ones (--model A --model B); 'modicum route train' can learn from this table"
        )
    check_table(complete)
    if options.by_family and not complete.families:
        raise UserError("the table says no families; name their column: --family COLUMN")
    weak, strong = _pair(complete, options)
    unit = _unit(complete, options.unit)
    folds = draw_folds(complete, options.folds, by_family=options.by_family, seed=options.seed)
    learners = [
        make_learner(name) for name in options.learners or ("linear", "neighbours", DEFAULT) if name != "length"
    ]
    pair = complete.select((weak, strong)) if unit == "calls" and options.by_model_family else complete
    result = evaluate(pair, learners, folds, weak=weak, strong=strong, unit=unit, families_left_out=options.by_family)
    left_out = evaluate_left_out_families(complete, learners, folds, unit) if options.by_model_family else []
    if options.as_json:
        model_families = {"model_families": [asdict(each) for each in left_out]} if left_out else {}
        about = {"unit": unit, "remarks": remarks, "problems": problem_rows(problems)}
        output.print_json({**asdict(result), **model_families, **about})
    else:
        print_evaluation(result, unit)
        print_left_out_families(left_out)
        for remark in remarks:
            click.echo(f"- {remark}")
    print_problems(problems, strict=options.strict, quiet=options.as_json, where="rows")


@command.command()
@click.argument("router", type=FILE)
@click.option(
    "--prompt",
    "prompt_path",
    required=True,
    type=click.Path(path_type=Path, allow_dash=True),
    help="File with the prompt; - reads standard input.",
)
@click.option("--allowed", multiple=True, metavar="MODEL", help="Only this model may be chosen; may be repeated.")
@shared.json_option
@shared.pass_options(DecideOptions)
def decide(options: DecideOptions) -> None:
    """Say which model a prompt would be sent to, and why.

    \b
    Examples:
      modicum route decide router.npz --prompt prompt.txt
    """
    from modicum.routing.weights import decode_router

    weights = decode_router(read_named(options.router), str(options.router))
    if str(options.prompt_path) == "-":
        text = sys.stdin.read()
    else:
        text = read_named(options.prompt_path).decode("utf-8", "replace")
    allowed = options.allowed or weights.terms.models
    choice = weights.decide(text, today=datetime.now(UTC).date(), allows=lambda model: model in allowed)
    if options.as_json:
        scores = dict(zip(weights.terms.models, choice.scores, strict=True)) if choice.scores else {}
        output.print_json({"model": choice.model, "why": choice.why, "expected": scores})
    else:
        click.echo(f"{choice.model or 'as it came'}: {choice.why}")


def _read_to_learn(options: TrainOptions) -> "tuple[OutcomeTable, list[Problem], list[str]]":
    """A table, or what logs and outcomes make of one; what could not be read, and what to know of it."""
    if not options.logs:
        if options.outcome_paths or options.ledger_url:
            raise UserError("--outcomes and --ledger are for logs: name these with --logs PATH")
        return *_read_table(options), []
    if options.paths:
        raise UserError("a TABLE and --logs exclude each other: learn from the one or the other")
    from modicum.cli.routing.own_logs import read_logged_table

    problems: list[Problem] = []
    logged = read_logged_table(
        options.logs,
        problems,
        outcome=options.outcome,
        outcome_paths=options.outcome_paths,
        ledger_url=options.ledger_url,
        models=options.models,
    )
    return logged.table, problems, logged.remarks


def _read_table(options: TableOptions) -> "tuple[OutcomeTable, list[Problem]]":
    from modicum.importers.outcome_tables import read_outcome_tables

    if not options.paths:
        raise UserError("name a table: 'modicum route eval TABLE.csv'; docs/routing.md describes it")
    for path in options.paths:
        if not path.exists():
            raise UserError(f"there is no file {path}")
    return read_outcome_tables(options.paths, models=options.models, outcome=options.outcome, family=options.family)


def _unit(table: "OutcomeTable", name: str | None) -> "Unit":
    from modicum.routing.calibration import default_unit

    return name or default_unit(table)  # type: ignore[return-value] # click lets nothing else through


def _prices_today(models: Sequence[str]) -> dict[str, float]:
    """Of the models whose list price is known: it is held against the price on the day of a call."""
    from modicum.calls.provider_names import provider_of_model
    from modicum.library.resources import load_prices
    from modicum.routing.rule import mean_price

    book, now = load_prices(None), datetime.now(UTC)
    rates = {model: book.rates(provider_of_model(model), model, now) for model in models}
    return {model: mean_price(each) for model, each in rates.items() if each is not None}


def _pair(table: "OutcomeTable", options: EvalOptions) -> tuple[str, str]:
    """The two models whose gain is measured."""
    import numpy as np

    from modicum.routing.calibration import best_model

    strong = options.strong or table.models[best_model(table)]
    others = [model for model in table.models if model != strong]
    if options.weak:
        table.column(options.weak)
        return options.weak, strong
    table.column(strong)
    costs = table.mean_costs(_unit(table, options.unit))
    known = [model for model in others if np.isfinite(costs[table.column(model)])]
    if known:
        return min(known, key=lambda model: costs[table.column(model)]), strong
    return min(others, key=lambda model: float(table.outcomes[:, table.column(model)].mean())), strong


def _with_embeddings(table: "OutcomeTable", path: Path) -> "OutcomeTable":
    from dataclasses import replace

    import numpy as np

    try:
        vectors = np.load(path, allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise UserError(f"{path} holds no vectors: {type(error).__name__}; numpy.save writes such a file") from None
    if not isinstance(vectors, np.ndarray) or vectors.ndim != 2 or len(vectors) != len(table):
        raise UserError(
            f"{path} needs a row for each of the {number_of(len(table), 'task')} of the table, in their order"
        )
    return replace(table, embeddings=vectors.astype(float))
