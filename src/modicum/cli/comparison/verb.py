"""`modicum compare`: shows which of several arms reaches more, or takes less, on the same tasks."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from modicum.calls import Problem, UserError
from modicum.calls.problem import problem_rows
from modicum.cli import shared_options as shared
from modicum.cli.inputs.chosen_calls import ChoiceOptions, choice_options
from modicum.cli.inputs.log_reading import print_problems
from modicum.cli.terminal import output
from modicum.cli.terminal.quantity import Quantity
from modicum.insights.dimensions import TAG, YIELD, parse_dimension
from modicum.ledger.outcomes import choose_outcome
from modicum.library import resources
from modicum.library.choosing import choose_from
from modicum.library.result_files import expand_result_files, is_result_name
from modicum.settings import read_settings, user_zone

if TYPE_CHECKING:
    from modicum.calls.task_result import TaskResult
    from modicum.experiments.comparison import ArmComparison
    from modicum.importers.task_results.result_format import ResultOptions

PAIRS = ("task", "branch", "project", TAG)


@dataclass(frozen=True, kw_only=True)
class ComparisonOptions(shared.LedgerOptions, shared.SpanOptions, ChoiceOptions):
    names: tuple[str, ...]
    by: str
    pair: str
    outcome: str
    baseline: str
    columns: tuple[str, ...]
    passing: float
    score_max: float
    margin: float
    repeats: int | None
    svg_path: Path | None
    timezone: str | None
    strict: bool
    as_json: bool
    as_csv: bool


class ComparisonCommand(click.Command):
    """`compare`, whose first word may be `run`: then the tasks are run first."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        if args[:1] == ["run"]:
            from modicum.cli.evaluation.verb import command as run

            return run.make_context(f"{info_name} run", args[1:], parent, **extra)
        return super().make_context(info_name, args, parent, **extra)


@click.command(cls=ComparisonCommand)
@click.argument("names", nargs=-1, metavar="[FILE|ARM]...")
@click.option(
    "--by",
    default="",
    metavar="WHAT",
    help="What names the arms. Files: file, model, agent, prompt, or a column. Ledger: model, tag:NAME, project, ...",
)
@click.option("--baseline", default="", metavar="ARM", help="Compare the others with this arm. Default: the first.")
@click.option("--outcome", default="", metavar="NAME", help="Column, score, metric or outcome that grades a run.")
@click.option("--passing", default=1.0, type=Quantity(min=0), help="Least outcome that is a success. Default: 1.")
@click.option(
    "--score-max", default=1.0, type=Quantity(min=0, min_open=True), help="Greatest outcome of the source. Default: 1."
)
@click.option(
    "--margin",
    default=5.0,
    type=Quantity(min=0, max=100),
    metavar="POINTS",
    help="A loss of success up to this counts as the same. Default: 5 points.",
)
@click.option(
    "--repeats", type=click.IntRange(min=1), metavar="K", help="K of pass^k. Default: runs that every task has."
)
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="ROLE=NAME",
    help="Column of a table by role: task, run, outcome, prompt, completion, tokens, cost, seconds, joules, group.",
)
@click.option(
    "--pair",
    default="task",
    metavar="WHAT",
    help="Ledger: what makes tasks of two arms the same: task, branch, project, tag:NAME. Default: the task's name.",
)
@click.option(
    "--svg", "svg_path", type=click.Path(path_type=Path, dir_okay=False), help="Draw success against cost into FILE."
)
@shared.span_options("tasks of the ledger, by their begin")
@choice_options
@shared.timezone_option
@shared.strict_option
@shared.csv_option
@shared.json_option
@shared.ledger_option
@shared.pass_options(ComparisonOptions)
def command(options: ComparisonOptions) -> None:
    """Compare models, agents, prompts or savers on the same tasks.

    Each FILE holds results: a table with a row per run (CSV, JSON lines), or what Inspect, promptfoo, lm-eval,
    SWE-bench or tau2-bench wrote. Without files the tasks of the ledger are compared. ARM chooses among the arms; the
    first is the baseline. 'modicum compare run TASKS' runs tasks first.

    \b
    Examples:
      modicum compare run tasks.jsonl --models gpt-4o,gpt-4o-mini --grader exact --budget 2
      modicum compare runs.csv --by saver --baseline none
      modicum compare opus.eval sonnet.eval
      modicum compare runs.jsonl gpt-5 gpt-5-mini --by model --svg trade-off.svg
      modicum compare gpt-5 gpt-5-mini --outcome resolved --pair tag:case
    """
    from modicum.cli.comparison.tables import comparison_rows, print_comparison
    from modicum.cli.terminal.csv_rows import print_struct_rows
    from modicum.experiments.comparison import compare
    from modicum.experiments.comparison_pairs import ComparisonRules

    paths, arms = _split_names(options.names)
    if paths and options.conditions():
        raise UserError(
            "--team, --model, --where and the like choose calls of the ledger; rows of files are chosen with --by and "
            "names of arms"
        )
    problems: list[Problem] = []
    remarks: list[str] = []
    results = _read_files(paths, options, problems) if paths else _read_ledger(options, remarks)
    rules = ComparisonRules(
        margin=options.margin / 100, passing=options.passing, score_max=options.score_max, repeats=options.repeats
    )
    if not results and problems:
        raise UserError(f"nothing can be compared: {problems[0]}")
    comparison = compare(results, rules, names=arms, baseline=options.baseline)
    comparison = msgspec.structs.replace(comparison, remarks=[*remarks, *comparison.remarks])
    if options.svg_path:
        _draw(comparison, options.svg_path)
    if options.as_json:
        output.print_json({**msgspec.structs.asdict(comparison), "problems": problem_rows(problems)})
    elif options.as_csv:
        print_struct_rows(comparison_rows(comparison))
    else:
        print_comparison(comparison)
        if options.svg_path:
            click.echo(f"\npicture: {options.svg_path}")
    print_problems(problems, strict=options.strict, quiet=options.as_json, where="results")


def _split_names(names: Sequence[str]) -> tuple[list[Path], list[str]]:
    """Files and folders, and names of arms. What looks like a file and is none is mistyped."""
    paths: list[Path] = []
    arms: list[str] = []
    for name in names:
        path = Path(name)
        if path.exists():
            paths += expand_result_files([path])
        elif is_result_name(name):
            raise UserError(f"there is no file {path}")
        else:
            arms.append(name)
    return paths, arms


def _read_files(paths: Sequence[Path], options: ComparisonOptions, problems: list[Problem]) -> "list[TaskResult]":
    from modicum.importers.task_results.read_results import read_task_results

    results: list[TaskResult] = []
    for item in read_task_results(paths, _result_options(options)):
        if isinstance(item, Problem):
            problems.append(item)
        else:
            results.append(item)
    return results


def _result_options(options: ComparisonOptions) -> "ResultOptions":
    from modicum.importers.task_results.result_format import ROLES, ResultOptions

    columns: dict[str, str] = {}
    for word in options.columns:
        role, equals, name = word.partition("=")
        if role not in ROLES or not equals or not name:
            raise UserError(f"--column {word}: write ROLE=NAME with ROLE one of {', '.join(ROLES)}")
        columns[role] = name
    return ResultOptions(by=options.by, outcome=options.outcome, columns=columns)


def _read_ledger(options: ComparisonOptions, remarks: list[str]) -> "list[TaskResult]":
    from modicum.cli.inputs.task_energy import add_task_energy
    from modicum.experiments.comparison_ledger import results_of_ledger
    from modicum.insights.scoping.scope import Scope

    settings = read_settings()
    zone = user_zone(settings.timezone, options.timezone)
    by, tag = parse_dimension("compare", options.by or "model", YIELD)
    pair, pair_tag = parse_dimension("compare pair", options.pair, PAIRS)
    since, until = options.span(zone.zone)
    with (
        resources.open_ledger(options.ledger_url, settings) as whole,
        choose_from(whole, options.conditions(), zone.zone, whole_conversations=False) as store,
    ):
        outcome = choose_outcome(store, options.outcome)
        rows = store.ask(
            "task_arms",
            by=by,
            tag=tag,
            pair=pair,
            pair_tag=pair_tag,
            zone=zone.name,
            since=since,
            until=until,
            outcome=outcome,
        )
        if not rows:
            raise UserError(
                f"the ledger {store.place} holds no tasks in that time; fill it with 'modicum import PATH...', or name "
                "a file of results"
            )
        rows = add_task_energy(whole, rows, Scope(since=since, until=until, zone=zone.name), by=by, tag=tag)
    ledger = results_of_ledger(rows, options.by or "model", options.pair)
    remarks += ledger.remarks
    if not ledger.results and remarks:
        raise UserError(f"nothing can be compared: {remarks[0]}")
    return ledger.results


def _draw(comparison: "ArmComparison", path: Path) -> None:
    from modicum.reports.comparison_drawing import draw_comparison

    if comparison.line is None:
        raise UserError(f"there is nothing to draw into {path}: {comparison.remarks[-1]}")
    path.write_text(draw_comparison(comparison.line, "Success and what it takes"), encoding="utf-8")
