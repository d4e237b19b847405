"""`modicum team`: attribute, propose, fit, verify and show plans for teams of agents."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from modicum.calls import Problem, UserError
from modicum.cli import team_tables

if TYPE_CHECKING:
    from modicum.agents.plan import Plan
    from modicum.agents.recorded import RecordedTeam

RUNNER_HELP = (
    "MODULE:NAME of your team: an object with `graph` (TeamGraph), `run(task, guard)` and `score(task, run)`; "
    "tasks are the lines of --tasks."
)

as_json = click.option("--json", "as_json", is_flag=True, help="One JSON object.")
team_name = click.option("--team", "name", help="Which team, where a recording holds several.")
protect = click.option("--protect", multiple=True, metavar="AGENT", help="Never drop this agent. May be repeated.")
max_loss = click.option(
    "--max-loss",
    type=click.FloatRange(0, 1, min_open=True),
    default=0.02,
    show_default=True,
    help="Largest acceptable loss of score, as a share (0.02: two points).",
)
confidence = click.option(
    "--confidence", type=click.FloatRange(0.5, 1, max_open=True), default=0.95, show_default=True, help="Two-sided."
)
out = click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write the plan to this file.")
recording = click.argument("recording", type=click.Path(exists=True, dir_okay=False, path_type=Path))


@click.group()
def command() -> None:
    """Teams of agents: who adds what, and a plan that drops who adds nothing.

    A recording is a JSONL file with one line a turn (docs/teams.md); adapters to frameworks write it. A plan is a JSON
    file to read and edit; `plan.guard()` applies it.

    \b
    Examples:
      modicum team attribute runs.jsonl
      modicum team propose runs.jsonl --max-loss 0.03 --out plan.json
      modicum team fit --runner myteam:team --tasks tasks.jsonl --learner agentdropout --budget-tokens 2000000
      modicum team verify plan.json --runner myteam:team --tasks holdout.jsonl
      modicum team show plan.json --runs runs.jsonl --svg team.svg
    """


@command.command()
@recording
@team_name
@as_json
def attribute(recording: Path, name: str | None, as_json: bool) -> None:
    """Who costs what and adds what, from recorded runs; makes no model call.

    \b
    Examples:
      modicum team attribute runs.jsonl
      modicum team attribute runs.jsonl --team support --json
    """
    from modicum.agents.attribution import attribute as report_on
    from modicum.agents.early_exit import curve
    from modicum.cli.output import print_json

    team = _recorded(recording, name, ())
    report = report_on(team)
    points = curve(team)
    if as_json:
        print_json({"attribution": report, "early_exit": points})
        return
    team_tables.print_attribution(report)
    team_tables.print_curve(points)
    click.echo("\nThe record cannot tell:")
    for limit in report.cannot_tell:
        click.echo(f"  - {limit}")


@command.command()
@recording
@team_name
@protect
@max_loss
@confidence
@click.option("--drop", "drop_count", type=click.IntRange(1), help="Drop so many of the worst, whatever it does.")
@click.option("--allow-bounds", is_flag=True, help="Also plans whose effect the record only bounds; verify those.")
@out
@as_json
def propose(  # one option each
    recording: Path,
    name: str | None,
    protect: tuple[str, ...],
    max_loss: float,
    confidence: float,
    drop_count: int | None,
    allow_bounds: bool,
    out: Path | None,
    as_json: bool,
) -> None:
    """The plan that saves most without a loss beyond --max-loss, chosen on half of the tasks, checked on the others.

    "Not enough evidence" is an answer: it says how many tasks would decide.

    \b
    Examples:
      modicum team propose runs.jsonl
      modicum team propose runs.jsonl --max-loss 0.03 --protect judge --out plan.json
    """
    from modicum.agents.learners.trace import Trace
    from modicum.agents.proposal import propose_and_check

    team = _recorded(recording, name, protect)
    if drop_count is None:
        plan = propose_and_check(team, max_loss=max_loss, confidence=confidence, allow_bounds=allow_bounds)
    else:
        plan = Trace(drop_count=drop_count).learn(team.graph, recorded=team).plan
    _deliver(_dated(plan), out, as_json=as_json)


@command.command()
@click.option("--runner", required=True, metavar="MODULE:NAME", help=RUNNER_HELP)
@click.option("--tasks", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=True, help="JSONL.")
@click.option(
    "--learner",
    type=click.Choice(["trace", "agentdropout", "agentprune", "random"]),
    default="trace",
    show_default=True,
    help="How to learn; docs/teams.md says what each can find.",
)
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="A parameter of the learner.")
@click.option("--budget-tokens", type=click.IntRange(1), help="Tokens that learning may take.")
@click.option("--seed", type=int, default=0, show_default=True)
@out
@as_json
def fit(
    runner: str,
    tasks: Path,
    learner: str,
    settings: tuple[str, ...],
    budget_tokens: int | None,
    seed: int,
    out: Path | None,
    as_json: bool,
) -> None:
    """Learns a plan by running your team; the tokens that takes are counted and written into the plan.

    \b
    Examples:
      modicum team fit --runner myteam:team --tasks tasks.jsonl --budget-tokens 2000000 --out plan.json
      modicum team fit --runner myteam:team --tasks tasks.jsonl --learner agentdropout --set node_drop_rate=0.4
    """
    from modicum.agents.learners import LEARNERS
    from modicum.agents.trials import Trials

    kind = LEARNERS[learner]
    try:
        chosen = msgspec.convert({"seed": seed, **_settings(settings, kind)}, kind)
    except msgspec.ValidationError as error:
        raise UserError(
            f"--set: {error}; the parameters of '{learner}' are {', '.join(kind.__struct_fields__)}"
        ) from None
    team = _runner(runner)
    trials = Trials(team.graph, _tasks(tasks), team.run, team.score, budget_tokens)
    learned = chosen.learn(team.graph, trials=trials)
    if learned.budget_spent:
        click.echo(f"the budget ended after {learned.trials_count} runs, before the learner was done", err=True)
    _deliver(_dated(learned.plan), out, as_json=as_json)


@command.command()
@click.argument("plan_file", metavar="PLAN", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--runner", metavar="MODULE:NAME", help=RUNNER_HELP)
@click.option("--tasks", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="JSONL, for --runner.")
@click.option("--runs", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Full team, recorded.")
@click.option("--plan-runs", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Plan, recorded.")
@click.option("--random-runs", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Drop by lot.")
@click.option("--single-runs", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="One agent.")
@max_loss
@confidence
@click.option("--seed", type=int, default=0, show_default=True, help="Of the plan by lot.")
@out
@as_json
def verify(  # one option each
    plan_file: Path,
    runner: str | None,
    tasks: Path | None,
    runs: Path | None,
    plan_runs: Path | None,
    random_runs: Path | None,
    single_runs: Path | None,
    max_loss: float,
    confidence: float,
    seed: int,
    out: Path | None,
    as_json: bool,
) -> None:
    """Does the plan hold? Paired against the full team, a plan of the same shape by lot, and one agent.

    With --runner it runs all four on every task. With recordings it compares those; with --runs alone it replays the
    plan over them, as far as a record can tell.

    \b
    Examples:
      modicum team verify plan.json --runner myteam:team --tasks holdout.jsonl --out plan.json
      modicum team verify plan.json --runs full.jsonl --plan-runs plan.jsonl --max-loss 0.03
    """
    from modicum.agents.verification import FULL, PLAN, RANDOM, SINGLE, verify_recorded
    from modicum.agents.verification import verify as run_arms

    plan = _plan(plan_file)
    if runner and tasks:
        team = _runner(runner)
        found = run_arms(
            plan, team.graph, _tasks(tasks), team.run, team.score, margin=max_loss, confidence=confidence, seed=seed
        )
    elif runs and plan_runs:
        files = {FULL: runs, PLAN: plan_runs, RANDOM: random_runs, SINGLE: single_runs}
        arms = {arm: _recorded(path, plan.team or None, plan.protect) for arm, path in files.items() if path}
        found = verify_recorded(plan, arms, margin=max_loss, confidence=confidence)
    elif runs:
        team_tables.print_replay(
            plan, _recorded(runs, plan.team or None, plan.protect), max_loss, confidence, as_json=as_json
        )
        return
    else:
        raise UserError("team verify needs something to compare: --runner with --tasks, or --runs with --plan-runs")
    team_tables.print_verification(found, as_json=as_json)
    if out:
        _write(msgspec.structs.replace(plan, verified=found.evidence), out)


@command.command()
@click.argument("plan_file", metavar="PLAN", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--runs", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A recording of the team.")
@click.option("--svg", type=click.Path(dir_okay=False, path_type=Path), help="Write the picture here; needs --runs.")
@as_json
def show(plan_file: Path, runs: Path | None, svg: Path | None, as_json: bool) -> None:
    """What a plan does; with a recording also as a picture, before and after, with the tokens on each edge.

    \b
    Examples:
      modicum team show plan.json
      modicum team show plan.json --runs runs.jsonl --svg team.svg
    """
    from modicum.agents.picture import team_svg
    from modicum.cli.output import print_json

    plan = _plan(plan_file)
    if svg and not runs:
        raise UserError("--svg draws the tokens of recorded runs: add --runs FILE")
    if svg and runs:
        svg.write_text(team_svg(_recorded(runs, plan.team or None, plan.protect), plan), encoding="utf-8")
        click.echo(f"wrote {svg}", err=True)
    if as_json:
        print_json(plan)
        return
    team_tables.print_plan(plan)


def _recorded(path: Path, name: str | None, protect: Iterable[str]) -> "RecordedTeam":
    """The team of a recording, its problems told on stderr."""
    from modicum.agents.graph import TeamGraph
    from modicum.agents.recorded import read_rows, recorded_team

    with path.open("rb") as lines:
        rows, problems = read_rows(lines, str(path))
    team, more = recorded_team(rows, path=str(path), team=name)
    if protect:
        graph = TeamGraph(team.graph.agents, team.graph.rounds, protect=protect)
        team, more = recorded_team(rows, path=str(path), team=name, graph=graph)
    _tell(problems + more)
    return team


def _tell(problems: list[Problem]) -> None:
    for problem in problems[:10]:
        click.echo(str(problem), err=True)
    if len(problems) > 10:
        click.echo(f"... and {len(problems) - 10} more lines that were left out", err=True)


def _plan(path: Path) -> "Plan":
    from modicum.agents.plan import read_plan

    return read_plan(path.read_bytes(), str(path))


def _dated(plan: "Plan") -> "Plan":
    """With the day it was made, and half a year to live."""
    from datetime import UTC, datetime, timedelta

    today = datetime.now(UTC).date()
    learned = plan.learned and msgspec.structs.replace(plan.learned, created=today.isoformat())
    return msgspec.structs.replace(plan, learned=learned, expires=(today + timedelta(days=182)).isoformat())


def _write(plan: "Plan", path: Path) -> None:
    from modicum.agents.plan import plan_json

    path.write_text(plan_json(plan), encoding="utf-8")
    click.echo(f"wrote {path}", err=True)


def _deliver(plan: "Plan", path: Path | None, *, as_json: bool) -> None:
    from modicum.cli.output import print_json

    if path:
        _write(plan, path)
    if as_json:
        print_json(plan)
    else:
        team_tables.print_plan(plan)


def _runner(where: str) -> Any:
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


def _tasks(path: Path) -> list[Any]:
    tasks = []
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        if line.strip():
            try:
                tasks.append(msgspec.json.decode(line))
            except msgspec.DecodeError as error:
                raise UserError(f"{path}:{number} is not JSON: {error}") from None
    return tasks


def _settings(pairs: Iterable[str], kind: type[Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for pair in pairs:
        name, _, text = pair.partition("=")
        if name not in kind.__struct_fields__:
            raise UserError(f"--set {pair}: there is no '{name}'; parameters are {', '.join(kind.__struct_fields__)}")
        try:
            found[name] = msgspec.json.decode(text)
        except msgspec.DecodeError:
            found[name] = text
    return found
