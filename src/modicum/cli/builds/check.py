"""`modicum check`: fails a change that raises what tasks take, and says why."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from modicum.calls import Problem, UserError
from modicum.calls.problem import problem_rows
from modicum.calls.words.counted_nouns import number_of
from modicum.calls.words.percentages import percent
from modicum.cli import shared_options as shared
from modicum.cli.inputs.log_reading import print_problems, read_logs
from modicum.cli.terminal import output
from modicum.cli.terminal.quantity import Quantity
from modicum.library import resources
from modicum.library.paths import check_paths_exist
from modicum.settings import read_settings

if TYPE_CHECKING:
    from modicum.experiments.builds.build_check import BuildCheck, CheckedRatio
    from modicum.experiments.builds.traced_tasks import TracedSide
    from modicum.insights.code.context_files import ContextFileChange

RAISED, UNDECIDED = 1, 3
MOST_REASONS = 5
SMALL_SHARE = 0.005
"""Parts that grew by less than this share of a task's tokens explain nothing."""


@dataclass(frozen=True, kw_only=True)
class CheckOptions:
    before: Path
    after: Path
    command_line: str
    timeout: float
    base: str
    context: tuple[str, ...]
    allowed: float
    outcome: str
    outcome_paths: tuple[Path, ...]
    passing: float
    pair: str
    strict: bool
    price_path: Path | None
    as_json: bool


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """Something that grew, or shrank, with the change."""

    what: str
    before: float
    after: float
    unit: str
    """`tokens`: of the file itself; `tokens per task`: as often as they were sent; `calls per task`."""


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.argument("before", type=click.Path(path_type=Path))
@click.argument("after", type=click.Path(path_type=Path))
@click.option("--run", "command_line", default="", metavar="COMMAND", help="Run the tasks first; it writes AFTER.")
@click.option(
    "--timeout", type=Quantity(min=0, min_open=True), default=3600.0, help="Of --run, seconds. Default: 3600."
)
@click.option(
    "--base", default="", metavar="REF", help="Compare files that agents read (CLAUDE.md, ...) with this commit."
)
@click.option("--context", multiple=True, metavar="GLOB", help="More such files, as 'docs/agent/**'; may be repeated.")
@click.option(
    "--allow",
    "allowed",
    type=Quantity(min=0, max=1000),
    default=0.0,
    metavar="PERCENT",
    help="Rise that is no fault. Default: 0.",
)
@click.option(
    "--outcome", default="", metavar="NAME", help="Column, score or outcome that says whether a task is resolved."
)
@click.option(
    "--outcomes",
    "outcome_paths",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="Outcomes of traces (as for 'modicum outcome import'); may be repeated.",
)
@click.option("--passing", default=1.0, type=Quantity(min=0), help="Least outcome that is resolved. Default: 1.")
@click.option(
    "--pair",
    default="task",
    metavar="WHAT",
    help="Traces: what makes tasks the same: task, branch, project, agent, tag:NAME.",
)
@click.option("--strict", is_flag=True, help=f"Exit with status {UNDECIDED} where nothing can be said.")
@shared.prices_option
@shared.json_option
@shared.pass_options(CheckOptions)
def command(options: CheckOptions) -> None:
    """Fail a change that raises tokens or cost per resolved task beyond its interval, and say why.

    BEFORE and AFTER hold what the project's tasks came to without and with the change: results of an evaluation, as
    'modicum compare' reads them, or traces (logs of agents, exports, files or folders). Exit status 1 says that the
    change raises what tasks take; docs/check.md has files for GitHub Actions and GitLab.

    \b
    Examples:
      modicum check main.jsonl pr.jsonl
      modicum check main.jsonl pr.jsonl --run 'python evals/run.py --out pr.jsonl'
      modicum check traces/main traces/pr --pair tag:case --base origin/main
      modicum check main.csv pr.csv --allow 5 --json
    """
    from modicum.experiments.builds.build_check import CheckRules, check_build

    problems: list[Problem] = []
    changes = _context_changes(options)
    if options.command_line:
        _run(options)
    check_paths_exist([options.before, options.after])
    outcomes = _outcomes(options, problems)
    sides = [_read_side(path, options, outcomes, problems) for path in (options.before, options.after)]
    for path, side in zip((options.before, options.after), sides, strict=True):
        if not side.results:
            first = f": {problems[0]}" if problems else ""
            raise UserError(
                f"{path} holds no tasks{first}; name results of an evaluation, or traces whose calls have a task"
            )
    rules = CheckRules(allowed=options.allowed / 100, passing=options.passing)
    found = check_build(sides[0].results, sides[1].results, rules)
    reasons = _reasons(changes, sides)
    if options.as_json:
        document = msgspec.structs.asdict(found) | {"reasons": reasons, "problems": problem_rows(problems)}
        output.print_json(document)
    else:
        _print(found, reasons, options)
    print_problems(problems, strict=False, quiet=options.as_json, where="files")
    if found.is_raised:
        raise click.exceptions.Exit(RAISED)
    if options.strict and not found.is_decided:
        raise click.exceptions.Exit(UNDECIDED)


def _run(options: CheckOptions) -> None:
    """Raises:
    UserError: the command failed.
    """
    from modicum.cli.inputs.commands import run_command

    try:
        words = shlex.split(options.command_line)
    except ValueError as error:
        raise UserError(f"--run {options.command_line:.80}: {error}") from None
    if not words:
        raise UserError("--run is empty; write the command that runs the tasks")
    end = run_command(
        words, folder=Path(), timeout_s=options.timeout, stdout=Path("/dev/stderr"), stderr=Path("/dev/stderr")
    )
    if end.exit_code != 0:
        how = (
            f"took longer than {options.timeout:g} s" if end.exit_code is None else f"ended with status {end.exit_code}"
        )
        raise UserError(f"'{words[0]}' of --run {how}, so there is nothing to check")


def _context_changes(options: CheckOptions) -> "list[ContextFileChange]":
    if not options.base:
        return []
    from functools import partial

    from modicum.insights.code.context_files import changed_context_files
    from modicum.metering.tokens import count_tokens

    return changed_context_files(Path(), options.base, partial(count_tokens, model=""), options.context)


def _outcomes(options: CheckOptions, problems: list[Problem]) -> dict[str, float]:
    """By task of the traces."""
    from modicum.importers.outcomes.outcome_file import read_outcomes

    values: dict[str, float] = {}
    names: set[str] = set()
    for path in options.outcome_paths:
        for one in read_outcomes(path):
            if isinstance(one, Problem):
                problems.append(one)
            elif not options.outcome or one.name == options.outcome:
                names.add(one.name)
                values[one.task] = min(one.value, max(options.passing, 1.0))  # more than resolved is resolved
    if len(names) > 1:
        raise UserError(
            f"the outcomes have several names ({', '.join(sorted(names)[:5])}); choose one with --outcome NAME"
        )
    return values


def _read_side(path: Path, options: CheckOptions, outcomes: dict[str, float], problems: list[Problem]) -> "TracedSide":
    from modicum.experiments.builds.traced_tasks import TracedSide, trace_tasks
    from modicum.importers.read_logs import recognise
    from modicum.importers.task_results.read_results import read_task_results
    from modicum.importers.task_results.result_format import ResultOptions

    if path.is_file() and isinstance(recognise(path), Problem):
        rows = list(read_task_results([path], ResultOptions(outcome=options.outcome, by="file")))
        problems += [row for row in rows if isinstance(row, Problem)]
        return TracedSide([row for row in rows if not isinstance(row, Problem)], {}, 0.0, 0)
    from modicum.ledger.booking import book_all, newest
    from modicum.library.call_booking import make_reading

    prices = resources.load_prices(options.price_path, read_settings())
    entries = newest(book_all(read_logs([path], make_reading(anatomy=True), None, problems), prices))
    prices.save()
    return trace_tasks(entries, options.pair, outcomes)


def _reasons(changes: "Sequence[ContextFileChange]", sides: "Sequence[TracedSide]") -> list[Reason]:
    """What grew most: files that agents read, calls, and parts of prompts."""
    reasons = [
        Reason(what=one.path, before=one.before_tokens, after=one.after_tokens, unit="tokens") for one in changes
    ][:MOST_REASONS]
    first, second = sides
    if not (first.calls_per_task and second.calls_per_task):
        return reasons
    reasons.append(
        Reason(what="calls", before=first.calls_per_task, after=second.calls_per_task, unit="calls per task")
    )
    names = {*first.parts, *second.parts}
    grown = sorted(((second.parts.get(name, 0) - first.parts.get(name, 0), name) for name in names), reverse=True)
    least = SMALL_SHARE * sum(first.parts.values())
    return reasons + [
        Reason(what=name, before=first.parts.get(name, 0.0), after=second.parts.get(name, 0.0), unit="tokens per task")
        for growth, name in grown[:MOST_REASONS]
        if growth > least
    ]


def _print(found: "BuildCheck", reasons: Sequence[Reason], options: CheckOptions) -> None:
    verdict = "raised" if found.is_raised else "not raised" if found.is_decided else "undecided"
    allowed = f" by more than {options.allowed:g} %" if options.allowed else ""
    click.echo(f"{verdict}{allowed}: {number_of(found.tasks_before, 'task')} before, {found.tasks_after:,} after")
    if found.resolved_before is not None and found.resolved_after is not None:
        click.echo(f"resolved: {percent(found.resolved_before)} before, {percent(found.resolved_after)} after")
    rows = [
        [
            f"{_noun(one)} per {one.per}",
            _amount(one.measure, one.before),
            _amount(one.measure, one.after),
            _change(one),
            "raised" if one.is_raised else "",
        ]
        for one in found.ratios
    ]
    if rows:
        output.print_table(["", "before", "after", "change", ""], rows)
    for reason in reasons:
        click.echo(f"why: {_describe(reason)}")
    for remark in (*(f"{_noun(one)}: {one.no_interval}" for one in found.ratios if one.no_interval), *found.remarks):
        output.print_text(remark)


def _noun(one: "CheckedRatio") -> str:
    return {"total_tokens": "tokens", "cost_usd": "cost"}[one.measure]


def _amount(measure: str, value: float | None) -> str:
    if value is None:
        return "unknown"
    return output.dollars_of(value) if measure == "cost_usd" else f"{value:,.0f}"


def _change(one: "CheckedRatio") -> str:
    """`+18 % [11, 25]`."""
    if one.ratio is None:
        return "unknown"
    ends = f" [{(one.low - 1) * 100:+.0f}, {(one.high - 1) * 100:+.0f}]" if one.low and one.high else ""
    return f"{percent(one.ratio - 1, 0, sign='+')}{ends}"


def _describe(reason: Reason) -> str:
    if reason.unit == "calls per task":
        return f"{reason.before:,.1f} calls per task before, {reason.after:,.1f} after"
    more = " per task" if reason.unit == "tokens per task" else ""
    return f"{reason.what} {reason.after - reason.before:+,.0f} tokens{more}"
