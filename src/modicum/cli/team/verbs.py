"""`modicum team`: attribute, propose, fit, verify and show plans for teams of agents."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from modicum.calls import UserError
from modicum.calls.errors import accepted_are, unknown_name
from modicum.calls.outside.regular_file import read_named
from modicum.calls.words.counted_nouns import number_of
from modicum.cli.shared_options import json_option, ledger_option, pass_options
from modicum.cli.team import tables
from modicum.cli.team.recordings import FILE, TeamLedgerOptions, ledger_options, read_team, read_team_with_costs
from modicum.cli.terminal.quantity import Quantity
from modicum.cli.terminal.verb_group import WholeLines
from modicum.library import resources
from modicum.library.file_permissions import shared_files

if TYPE_CHECKING:
    from modicum.agents.team_plan import TeamPlan

RUNNER_HELP = (
    "MODULE:NAME of your team: an object with `graph` (TeamGraph), `run(task, guard)` and `score(task, run)`; "
    "tasks are the lines of --tasks."
)

FROM_RECORDS = ("trace", "random")
"""Learners that need no new runs."""

team_name = click.option("--team", "name", help="Name of the team, if the recording holds several.")
protect = click.option("--protect", multiple=True, metavar="AGENT", help="Never drop this agent. May be repeated.")
max_loss = click.option(
    "--max-loss",
    type=Quantity(0, 1, min_open=True),
    default=0.02,
    show_default=True,
    help="Largest acceptable loss of score, as a share (0.02: two points).",
)
confidence = click.option(
    "--confidence",
    type=Quantity(0.5, 1, max_open=True),
    default=0.95,
    show_default=True,
    help="Confidence of the interval, two-sided.",
)
out = click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write the plan to this file.")
recording = click.argument("recording", metavar="[FILE]", required=False, type=FILE)


@dataclass(frozen=True, kw_only=True)
class AttributeOptions(TeamLedgerOptions):
    recording: Path | None
    name: str | None
    as_json: bool


@dataclass(frozen=True, kw_only=True)
class ProposeOptions(AttributeOptions):
    protect: tuple[str, ...]
    max_loss: float
    confidence: float
    drop_count: int | None
    allow_bounds: bool
    out: Path | None


@dataclass(frozen=True, kw_only=True)
class FitOptions(TeamLedgerOptions):
    runner: str | None
    tasks: Path | None
    learner: str
    settings: tuple[str, ...]
    budget_tokens: int | None
    seed: int
    name: str | None
    protect: tuple[str, ...]
    out: Path | None
    as_json: bool


@dataclass(frozen=True, kw_only=True)
class VerifyOptions(TeamLedgerOptions):
    plan_file: Path
    runner: str | None
    tasks: Path | None
    runs: Path | None
    plan_runs: Path | None
    random_runs: Path | None
    single_runs: Path | None
    max_loss: float
    confidence: float
    seed: int
    out: Path | None
    as_json: bool


@dataclass(frozen=True, kw_only=True)
class ShowOptions(TeamLedgerOptions):
    plan_file: Path
    runs: Path | None
    svg: Path | None
    as_json: bool


@click.group(cls=WholeLines)
def command() -> None:
    """Measure what each agent of a team adds, and plan which agents to drop.

    A recording is a JSONL FILE with one line per turn (docs/teams.md); adapters to frameworks write it. Without FILE
    the runs come from the ledger. A plan is a JSON file to read and edit; `plan.guard()` applies it.

    \b
    Examples:
      modicum team attribute runs.jsonl
      modicum team attribute --ledger team.duckdb --outcome resolved
      modicum team propose runs.jsonl --max-loss 0.03 --out plan.json
      modicum team fit --runner myteam:team --tasks tasks.jsonl --learner agentdropout --budget-tokens 2000000
      modicum team verify plan.json --runner myteam:team --tasks holdout.jsonl
      modicum team show plan.json --runs runs.jsonl --svg team.svg
      modicum team spared --since 7d
    """


@command.command()
@recording
@team_name
@ledger_options
@json_option
@pass_options(AttributeOptions)
def attribute(options: AttributeOptions) -> None:
    """Show what each agent costs and adds, from recorded runs. No model is called.

    \b
    Examples:
      modicum team attribute runs.jsonl
      modicum team attribute --team support --json
      modicum team attribute --since 30d --outcome resolved
    """
    from modicum.agents.attribution import attribute as report_on
    from modicum.agents.early_exit import compute_exit_curve
    from modicum.cli.terminal.output import print_json

    team, costs = read_team_with_costs(options.recording, options.name, (), options)
    report = report_on(team)
    points = compute_exit_curve(team)
    if options.as_json:
        print_json({"attribution": report, "early_exit": points, "costs": costs})
        return
    tables.print_attribution(report, costs)
    tables.print_curve(points)
    click.echo("\nThe record cannot tell:")
    for limit in report.cannot_tell:
        click.echo(f"  - {limit}")


@command.command()
@recording
@team_name
@protect
@max_loss
@confidence
@click.option(
    "--drop",
    "drop_count",
    type=click.IntRange(1),
    help="Drop this many of the worst agents, without checking the loss.",
)
@click.option(
    "--allow-bounds",
    is_flag=True,
    help="Also propose plans whose effect a recording can only bound; verify them later.",
)
@ledger_options
@out
@json_option
@pass_options(ProposeOptions)
def propose(options: ProposeOptions) -> None:
    """Propose the plan that saves most with a loss of at most --max-loss.

    The plan is chosen on half of the tasks and checked on the others. If the answer is "not enough evidence", it says
    how many tasks are needed.

    \b
    Examples:
      modicum team propose runs.jsonl
      modicum team propose runs.jsonl --max-loss 0.03 --protect judge --out plan.json
    """
    from modicum.agents.learners.trace import Trace
    from modicum.agents.proposal import propose_and_check

    team = read_team(options.recording, options.name, options.protect, options)
    if options.drop_count is None:
        plan = propose_and_check(
            team, max_loss=options.max_loss, confidence=options.confidence, allow_bounds=options.allow_bounds
        )
    else:
        plan = Trace(drop_count=options.drop_count).learn(team.graph, recorded=team).plan
    _print_and_write_plan(_with_dates(plan), options.out, as_json=options.as_json)


@command.command()
@click.option("--runner", metavar="MODULE:NAME", help=RUNNER_HELP)
@click.option("--tasks", type=FILE, help="Tasks for --runner: a JSONL file, one task per line.")
@click.option(
    "--learner",
    type=click.Choice(["trace", "agentdropout", "agentdropout-released", "agentprune", "random"]),
    default="trace",
    show_default=True,
    help="How to learn; docs/teams.md says what each can find.",
)
@click.option(
    "--set", "settings", multiple=True, metavar="NAME=VALUE", help="Set a parameter of the learner. May be repeated."
)
@click.option("--budget-tokens", type=click.IntRange(1), help="Largest number of tokens that learning may use.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the learner.")
@team_name
@protect
@ledger_options
@out
@json_option
@pass_options(FitOptions)
def fit(options: FitOptions) -> None:
    """Learn a plan by running your team. The tokens used for learning are counted and written into the plan.

    Without --runner the learners that need no new runs (trace, random) learn from the runs of the ledger.

    \b
    Examples:
      modicum team fit --runner myteam:team --tasks tasks.jsonl --budget-tokens 2000000 --out plan.json
      modicum team fit --runner myteam:team --tasks tasks.jsonl --learner agentdropout --set node_drop_rate=0.4
      modicum team fit --ledger team.duckdb --outcome resolved --set drop_count=1 --out plan.json
    """
    from modicum.agents.learners import LEARNERS
    from modicum.agents.trials import Trials

    runner, tasks, learner = options.runner, options.tasks, options.learner
    kind = LEARNERS[learner]
    try:
        chosen = msgspec.convert({"seed": options.seed, **_parse_settings(options.settings, kind)}, kind)
    except msgspec.ValidationError as error:
        raise UserError(f"--set: {error}; {accepted_are(kind.__struct_fields__)}") from None
    if bool(runner) != bool(tasks):
        raise UserError("team fit runs a team on tasks: give both --runner and --tasks, or neither to use the ledger")
    if runner and tasks:
        if options.ledger_url:
            raise UserError("--runner and --ledger are two sources of runs: give one of them")
        team = _load_runner(runner)
        trials = Trials(team.graph, _read_tasks(tasks), team.run, team.score, options.budget_tokens)
        learned = chosen.learn(team.graph, trials=trials)
    elif learner in FROM_RECORDS:
        known = read_team(None, options.name, options.protect, options)
        learned = chosen.learn(known.graph, recorded=known)
    else:
        raise UserError(
            f"the learner '{learner}' tries changed teams, which no recording holds: add --runner and --tasks"
        )
    if learned.budget_spent:
        click.echo(
            (f"the budget ended after {number_of(learned.trials_count, 'run')}, before the learner had finished"),
            err=True,
        )
    _print_and_write_plan(_with_dates(learned.plan), options.out, as_json=options.as_json)


@command.command()
@click.argument("plan_file", metavar="PLAN", type=FILE)
@click.option("--runner", metavar="MODULE:NAME", help=RUNNER_HELP)
@click.option("--tasks", type=FILE, help="Tasks for --runner: a JSONL file, one task per line.")
@click.option("--runs", type=FILE, help="Recording of the full team.")
@click.option("--plan-runs", type=FILE, help="Recording of the team under the plan.")
@click.option("--random-runs", type=FILE, help="Recording of a team from which as many agents were dropped at random.")
@click.option("--single-runs", type=FILE, help="Recording of one agent alone.")
@max_loss
@confidence
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the random plan.")
@ledger_options
@out
@json_option
@pass_options(VerifyOptions)
def verify(options: VerifyOptions) -> None:
    """Check whether a plan holds, compared with the full team, a random plan of the same shape, and one agent.

    With --runner it runs all four on every task. With recordings it compares those. With --runs alone it applies the
    plan to these recorded runs, as far as a recording can show its effect. Without --runs the runs of the full
    team come from the ledger.

    \b
    Examples:
      modicum team verify plan.json --runner myteam:team --tasks holdout.jsonl --out plan.json
      modicum team verify plan.json --runs full.jsonl --plan-runs plan.jsonl --max-loss 0.03
      modicum team verify plan.json --ledger team.duckdb
    """
    from modicum.agents.verification import FULL, PLAN, RANDOM, SINGLE, verify_recorded
    from modicum.agents.verification import verify as run_arms

    plan, runs = _read_plan(options.plan_file), options.runs
    margin, confidence = options.max_loss, options.confidence
    if options.runner or options.tasks:
        if not (options.runner and options.tasks):
            raise UserError("team verify runs a team on tasks: give both --runner and --tasks")
        if runs or options.ledger_url:
            raise UserError("--runner makes new runs, --runs and --ledger take recorded ones: give one of them")
        team = _load_runner(options.runner)
        tasks = _read_tasks(options.tasks)
        found = run_arms(
            plan,
            team.graph,
            tasks,
            team.run,
            team.score,
            margin=margin,
            confidence=confidence,
            seed=options.seed,
        )
    else:
        full = read_team(runs, plan.team or None, plan.protect, options)
        others = {PLAN: options.plan_runs, RANDOM: options.random_runs, SINGLE: options.single_runs}
        if not options.plan_runs:
            tables.print_replay(plan, full, margin, confidence, as_json=options.as_json)
            return
        arms = {FULL: full} | {
            arm: read_team(path, plan.team or None, plan.protect, TeamLedgerOptions())
            for arm, path in others.items()
            if path
        }
        found = verify_recorded(plan, arms, margin=margin, confidence=confidence)
    tables.print_verification(found, as_json=options.as_json)
    if options.out:
        _write_plan(msgspec.structs.replace(plan, verified=found.evidence), options.out)


@command.command()
@click.argument("plan_file", metavar="PLAN", type=FILE)
@click.option("--runs", type=FILE, help="A recording of the team, for --svg. Without it: the ledger.")
@click.option("--svg", type=click.Path(dir_okay=False, path_type=Path), help="Write the picture to this SVG file.")
@ledger_options
@json_option
@pass_options(ShowOptions)
def show(options: ShowOptions) -> None:
    """Show what a plan does; with --svg also as a picture of the team before and after, with tokens of recorded runs.

    \b
    Examples:
      modicum team show plan.json
      modicum team show plan.json --runs runs.jsonl --svg team.svg
      modicum team show plan.json --since 30d --svg team.svg
    """
    from modicum.cli.terminal.output import print_json
    from modicum.reports.team_drawing import draw_team

    plan, runs, svg = _read_plan(options.plan_file), options.runs, options.svg
    if svg:
        with shared_files():
            svg.write_text(draw_team(read_team(runs, plan.team or None, plan.protect, options), plan), encoding="utf-8")
        click.echo(f"wrote {svg}", err=True)
    if options.as_json:
        print_json(plan)
        return
    tables.print_plan(plan)


@command.command("spared")
@ledger_option
@click.option("--since", metavar="TIME", help="Calls from this time on: 2026-01-31, today, yesterday, 7d, 24h, 2w.")
@click.option("--until", metavar="TIME", help="Calls before this time, written in the same way.")
@json_option
def show_spared(*, ledger_url: str | None, since: str | None, until: str | None, as_json: bool) -> None:
    """Show what plans did in the gateway: calls not made, and prompt tokens before and after, by team and rule.

    Tokens are estimates. They are not a saving: `verify` and the canary runs show what the team lost.

    \b
    Examples:
      modicum team spared
      modicum team spared --since 7d --json
    """
    from modicum.cli.terminal.output import print_json
    from modicum.insights.scoping.time_span import EVER, NEVER, parse_time
    from modicum.settings import read_settings, user_zone

    zone = user_zone(read_settings().timezone).zone
    with resources.open_ledger(ledger_url) as store:
        rows = store.ask("edits", since=parse_time(since, zone, EVER), until=parse_time(until, zone, NEVER))
    if as_json:
        print_json({"edits": rows})
        return
    tables.print_edits(rows)


def _read_plan(path: Path) -> "TeamPlan":
    from modicum.agents.team_plan import read_plan

    return read_plan(read_named(path), str(path))


def _with_dates(plan: "TeamPlan") -> "TeamPlan":
    """The plan with the day on which it was made, and half a year later as the day on which it expires."""
    from datetime import UTC, datetime, timedelta

    today = datetime.now(UTC).date()
    learned = plan.learned and msgspec.structs.replace(plan.learned, created=today.isoformat())
    return msgspec.structs.replace(plan, learned=learned, expires=(today + timedelta(days=182)).isoformat())


def _write_plan(plan: "TeamPlan", path: Path) -> None:
    from modicum.agents.team_plan import encode_plan

    with shared_files():
        path.write_text(encode_plan(plan), encoding="utf-8")
    click.echo(f"wrote {path}", err=True)


def _print_and_write_plan(plan: "TeamPlan", path: Path | None, *, as_json: bool) -> None:
    from modicum.cli.terminal.output import print_json

    if path:
        _write_plan(plan, path)
    if as_json:
        print_json(plan)
    else:
        tables.print_plan(plan)


def _load_runner(where: str) -> Any:
    """The user's team. Its module may lie in the working directory."""
    import sys
    from importlib import import_module

    module, _, attribute = where.partition(":")
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        team = getattr(import_module(module), attribute or "team")
    except (ImportError, AttributeError) as error:
        raise UserError(f"--runner {where}: {error}; it must be MODULE:NAME of an importable object") from None
    missing = [name for name in ("graph", "run", "score") if not hasattr(team, name)]
    if missing:
        raise UserError(f"--runner {where} has no {', '.join(missing)}: {RUNNER_HELP}")
    return team


def _read_tasks(path: Path) -> list[Any]:
    tasks = []
    for number, line in enumerate(read_named(path).splitlines(), start=1):
        if line.strip():
            try:
                tasks.append(msgspec.json.decode(line))
            except (msgspec.DecodeError, RecursionError) as error:
                raise UserError(f"{path}:{number} is not JSON: {error}") from None
    return tasks


def _parse_settings(pairs: Iterable[str], kind: type[Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for pair in pairs:
        name, _, text = pair.partition("=")
        if name not in kind.__struct_fields__:
            raise unknown_name("parameter of --set called", name, kind.__struct_fields__)
        try:
            found[name] = msgspec.json.decode(text)
        except msgspec.DecodeError:
            found[name] = text
    return found
