"""`modicum trial`: does a saver save? The same tasks with and without it, by lot, with a verdict anybody can check."""

import getpass
import platform
import secrets
import shlex
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from modicum import __version__
from modicum.calls import UserError
from modicum.calls.words.counted_nouns import number_of
from modicum.cli import shared_options as shared
from modicum.cli.inputs.log_reading import show_steps
from modicum.cli.terminal import output
from modicum.cli.terminal.quantity import Quantity
from modicum.library import resources
from modicum.settings import Settings, read_settings, state_folder

if TYPE_CHECKING:
    from modicum.cli.trials.metering import RunUse
    from modicum.experiments.trials.saver_trial import SaverTask, SaverTrial, TrialRun
    from modicum.experiments.trials.verdict import TrialVerdict

MEASURES = {"cost": "cost_usd", "tokens": "total_tokens", "completion": "completion_tokens", "time": "seconds"}


@dataclass(frozen=True, kw_only=True)
class TrialOptions(shared.LedgerOptions):
    saver: str
    command: tuple[str, ...]
    task_path: Path | None
    repeats: int
    words_with: str
    words_without: str
    environment: tuple[str, ...]
    before_with: str
    before_without: str
    check: str
    meter: str
    copied_folder: Path | None
    timeout: float
    margin: float
    measure: str
    seed: int | None
    record: Path | None
    budget: float | None
    run_budget: float | None
    price_path: Path | None
    as_json: bool


@click.command(context_settings={"ignore_unknown_options": False})
@click.argument("saver")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@click.option(
    "--tasks", "task_path", type=click.Path(path_type=Path), help="JSON lines: task, and prompt, check, group."
)
@click.option("--repeats", type=click.IntRange(min=1), default=1, help="Runs of each task under each arm. Default: 1.")
@click.option("--with", "words_with", default="", metavar="WORDS", help="Put where COMMAND has {arm}, with the saver.")
@click.option("--without", "words_without", default="", metavar="WORDS", help="The same for runs without it.")
@click.option("--set", "environment", multiple=True, metavar="NAME=VALUE", help="Environment of runs with it only.")
@click.option("--before-with", default="", metavar="CMD", help="Runs before each run with the saver: switches it on.")
@click.option("--before-without", default="", metavar="CMD", help="Runs before each run without it: switches it off.")
@click.option("--check", default="", metavar="CMD", help="Status 0: the task succeeded. Default: COMMAND's own status.")
@click.option(
    "--meter",
    default="output",
    metavar="WHERE",
    help="output (COMMAND prints a log that modicum reads), gateway, or a path of logs. Default: output.",
)
@click.option(
    "--copy",
    "copied_folder",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Every run works in a fresh copy of this folder.",
)
@click.option(
    "--timeout",
    default=1800.0,
    type=Quantity(min=0, min_open=True),
    metavar="SECONDS",
    help="A run that takes longer is ended, and failed. Default: 1800.",
)
@click.option(
    "--margin", default=5.0, type=Quantity(min=0, max=100), metavar="POINTS", help="Loss of success that is accepted."
)
@click.option("--measure", type=click.Choice(list(MEASURES)), default="cost", help="What decides. Default: cost.")
@click.option("--seed", type=click.IntRange(min=0), help="Of the order. Default: drawn, and written down.")
@click.option("--record", type=click.Path(path_type=Path), metavar="FOLDER", help="Default: trial-SAVER.")
@click.option(
    "--budget",
    type=Quantity(min=0, min_open=True),
    metavar="USD",
    help="What all runs together may cost; none begins that might pass it.",
)
@click.option(
    "--run-budget",
    type=Quantity(min=0, min_open=True),
    metavar="USD",
    help="What one run may cost; stands where COMMAND has {budget}.",
)
@shared.prices_option
@shared.json_option
@shared.ledger_option
@shared.pass_options(TrialOptions)
def command(options: TrialOptions) -> None:
    """Run COMMAND with and without SAVER on the same tasks, and say whether it saves.

    Order and arms are drawn by lot; margin and measure are in the governance log before the first task. The record
    holds all that the verdict rests on: without COMMAND, SAVER is a record, and its verdict is worked out again. The
    same command goes on where it was broken off. The method: docs/trial.md.

    \b
    Examples:
      modicum trial terse --tasks tasks.jsonl --with '--append-system-prompt "Be short."' \\
        --copy repo --check 'pytest -q' -- claude -p {prompt} {arm} --output-format json
      modicum trial proxy --tasks tasks.jsonl --set ANTHROPIC_BASE_URL=http://localhost:8787 \\
        --meter ~/.claude/projects -- claude -p {prompt}
      modicum trial trial-terse
    """
    from modicum.cli.trials.record import read_plan, read_runs
    from modicum.experiments.trials.verdict import judge_trial

    if not options.command:
        folder = Path(options.saver)
        trial = read_plan(folder)
        if trial is None:
            raise UserError(
                f"'{options.saver}' is no record of a trial; to make one: modicum trial SAVER --tasks FILE -- COMMAND, "
                "the program that does one task, as: -- my-agent {prompt} {arm}"
            )
        _print_verdict(judge_trial(trial, read_runs(folder)), folder, as_json=options.as_json)
        return
    settings = read_settings()
    folder = options.record or Path(f"trial-{options.saver}")
    trial, is_new = _plan(options, folder)
    runs = _run(trial, folder, settings, options, is_new=is_new)
    verdict = judge_trial(trial, runs)
    _record_verdict(trial, verdict)
    _print_verdict(verdict, folder, as_json=options.as_json)


def _plan(options: TrialOptions, folder: Path) -> "tuple[SaverTrial, bool]":
    """The plan, and whether it is new: that of the record where it is there.

    Raises:
        UserError: nothing differs between the arms, or the record is of another trial.
    """
    from modicum.cli.trials.record import read_plan
    from modicum.experiments.trials.saver_trial import SaverTrial

    differs = (options.words_with, options.words_without, options.environment)
    if not any((*differs, options.before_with, options.before_without)):
        raise UserError(
            "nothing says how the saver is switched on: --with WORDS (and {arm} in COMMAND), --set NAME=VALUE, or "
            "--before-with CMD"
        )
    if (options.words_with or options.words_without) and "{arm}" not in options.command:
        raise UserError("--with and --without need the word {arm} in COMMAND, where their words go")
    before = read_plan(folder)
    seed = options.seed if options.seed is not None else before.seed if before else secrets.randbelow(2**31)
    trial = SaverTrial(
        saver=options.saver,
        command=list(options.command),
        words_with=_split("--with", options.words_with),
        words_without=_split("--without", options.words_without),
        environment=_environment(options.environment),
        before_with=options.before_with,
        before_without=options.before_without,
        check=options.check,
        tasks=_tasks(options.task_path),
        repeats=options.repeats,
        seed=seed,
        margin=options.margin / 100,
        measure=MEASURES[options.measure],
        meter=options.meter,
        timeout_s=options.timeout,
        copied_folder=str(options.copied_folder or ""),
    )
    if before is not None and before.digest != trial.digest:
        raise UserError(
            f"the record {folder} is of another plan; go on with the same options, or name another folder with --record"
        )
    return trial, before is None


def _run(
    trial: "SaverTrial", folder: Path, settings: Settings, options: TrialOptions, *, is_new: bool
) -> "list[TrialRun]":
    from modicum.cli.trials.budget import plan_budget
    from modicum.cli.trials.events import append_trial_event
    from modicum.cli.trials.metering import meter_ledger
    from modicum.cli.trials.record import read_runs, write_plan
    from modicum.cli.trials.running import TrialRunner
    from modicum.experiments.trials.saver_trial import plan_runs
    from modicum.experiments.trials.trial_log import planned_event

    prices = resources.load_prices(options.price_path, settings)
    if trial.meter == "gateway":
        _check_gateway()
    limits = (options.budget, options.run_budget)
    budget = plan_budget(settings, folder, trial.command, trial.meter, *limits)
    if is_new:
        made_at, by = datetime.now(UTC), getpass.getuser()
        versions = {"modicum": __version__, "python": platform.python_version(), "system": platform.platform()}
        versions["prices"] = f"genai-prices {version('genai-prices')}"
        if prices.price_file is not None:
            versions["own_prices"] = prices.price_file.version
        append_trial_event(planned_event(trial, made_at, by))  # before the first task, and before the record
        write_plan(folder, trial, made_at, by, versions)
    count = len(plan_runs(trial))
    if not options.as_json:
        click.echo(
            f"{number_of(count, 'run')}, {number_of(len(trial.tasks), 'task')}; margin {trial.margin * 100:g} points, "
            f"measure {options.measure}, seed {trial.seed}; record: {folder}",
            err=True,
        )
        if len(trial.tasks) < 2:
            click.echo("one task alone has no spread, however often it runs: there will be no interval", err=True)

    def meter(run_id: str, started: datetime) -> "RunUse":
        with resources.open_ledger(options.ledger_url, settings) as store:
            return meter_ledger(store, run_id, started, state_folder() / "journal")

    runner = TrialRunner(
        trial,
        folder,
        prices,
        meter_gateway=meter if trial.meter == "gateway" else None,
        gateway_url=f"http://{settings.gateway.listen}",
        budget=budget,
    )
    with show_steps("trial") as show:
        runs = runner.run_missing(
            read_runs(folder), lambda number, run: show(f"run {number:,} of {count:,} ({run.task}, {run.arm})")
        )
    if budget is not None and len(runs) < count:
        click.echo(
            f"the budget of ${budget.limit_usd:g} has no room for another run, which may cost ${budget.run_usd:g}: at "
            f"most ${budget.count_spent(runs):.4f} is spent; the same command with a larger --budget goes on",
            err=True,
        )
    return runs


def _check_gateway() -> None:
    """Raises:
    UserError: nothing would meter the runs.
    """
    from modicum.ledger_process.running import find

    if find(state_folder()) is None:
        raise UserError("--meter gateway: no gateway runs here, so nobody would meter; start it with 'modicum up'")


def _tasks(path: Path | None) -> "list[SaverTask]":
    from modicum.cli.trials.running import read_tasks
    from modicum.experiments.trials.saver_trial import SaverTask

    return read_tasks(path) if path is not None else [SaverTask(task="command")]


def _split(option: str, words: str) -> list[str]:
    try:
        return shlex.split(words)
    except ValueError as error:
        raise UserError(f"{option} '{words}': {error}") from None


def _environment(pairs: tuple[str, ...]) -> dict[str, str]:
    environment = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not name or not equals:
            raise UserError(f"--set '{pair}': write NAME=VALUE")
        environment[name] = value
    return environment


def _record_verdict(trial: "SaverTrial", verdict: "TrialVerdict") -> None:
    """Once for each verdict: to look at a finished trial again decides nothing."""
    from modicum.cli.trials.events import append_trial_event, read_trial_events
    from modicum.experiments.trials.trial_log import judged_event

    event = judged_event(trial, verdict, datetime.now(UTC), getpass.getuser())
    if not any(one.digest == event.digest and one.details == event.details for one in read_trial_events()):
        append_trial_event(event)


def _print_verdict(verdict: "TrialVerdict", folder: Path, *, as_json: bool) -> None:
    if as_json:
        output.print_json(msgspec.structs.asdict(verdict) | {"record": str(folder)})
        return
    output.print_text(verdict.sentence)
    if verdict.tasks_needed:
        output.print_text(
            f"about {number_of(verdict.tasks_needed, 'task')} would decide what is open, in 80 % of cases"
        )
    for remark in verdict.remarks:
        output.print_text(f"- {remark}")
    click.echo(f"again from the record: modicum trial {folder}; all figures: modicum compare {folder}/runs.jsonl")
