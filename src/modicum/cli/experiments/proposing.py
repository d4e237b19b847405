"""`modicum experiment propose`: caps on output and lower efforts to try, from what calls really needed."""

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import click

from modicum.calls import Problem
from modicum.calls.errors import unknown_name
from modicum.calls.problem import problem_rows
from modicum.calls.words.counted_nouns import number_of
from modicum.calls.words.percentages import percent
from modicum.cli import shared_options as shared
from modicum.cli.anatomy import open_ledger_or_logs
from modicum.cli.inputs.found_logs import join_found
from modicum.cli.inputs.log_reading import NO_CALLS, print_problems
from modicum.cli.terminal import output
from modicum.settings import read_settings, user_zone

if TYPE_CHECKING:
    from modicum.insights.advice.route_needs import RouteNeeds
    from modicum.ledger.store import Store

MARGIN, HOLD_OUT = 0.05, 0.5
"""As `modicum experiment start` has them, where nothing is said."""
ROUTES_SHOWN = 12
FAMILY = "variant."
STOP_RULE = (
    "rolled back by itself for certain harm, or if its calls fail; 'safe' once a loss of the margin is ruled out; ends "
    "when you type 'modicum experiment stop'"
)


@dataclass(frozen=True, kw_only=True)
class RouteOptions(shared.LogOptions, shared.SpanOptions):
    route: str
    outcome: str
    margin: float
    hold_out: float
    found: bool


@dataclass(frozen=True, kw_only=True)
class ProposedExperiment:
    """A variant for the settings, and how it is put on trial."""

    name: str
    settings: str
    """The table of `modicum.toml`."""
    command: str
    arms: tuple[str, str]
    hold_out: float
    outcome: str
    """Empty: the ledger has none, or several to choose from."""
    margin: float
    stop_rule: str
    tasks_until_safe: int | None
    """None: nobody knows, for want of outcomes."""


@click.command()
@click.option("--route", default="", metavar="NAME", help="This route alone, with its settings to paste.")
@click.option("--outcome", default="", metavar="NAME", help="The outcome that is to count. Default: the only one.")
@click.option("--margin", default=MARGIN, show_default=True, help="The loss of outcome that you accept.")
@click.option("--hold-out", default=HOLD_OUT, show_default=True, help="Share of tasks that go on as they were.")
@shared.span_options()
@shared.found_option
@shared.log_options
@shared.pass_options(RouteOptions)
def propose(options: RouteOptions) -> None:
    """Propose caps on output and lower efforts to try, from what calls that ended well really needed.

    A route is a team's or app's calls to one model. With PATHS the calls are those of these logs; without, of the
    ledger. Nothing is applied: paste the settings, then start the experiment.

    \b
    Examples:
      modicum experiment propose
      modicum experiment propose --route web/gpt-5-mini --outcome resolved
      modicum experiment propose ~/.claude/projects --json
    """
    from modicum.insights.advice.route_needs import measure_needs
    from modicum.ledger.outcomes import only_outcome

    settings = read_settings()
    zone = user_zone(settings.timezone).zone
    span = options.span(zone)
    problems: list[Problem] = []
    _check_lot(options)
    with open_ledger_or_logs(join_found(options.paths, found=options.found), options, settings, problems) as store:
        outcome = only_outcome(store, options.outcome)
        routes = measure_needs(store, span, outcome)
        if options.route:
            routes = _routes_called(options.route, routes)
        until_safe = _tasks_until_safe(store, outcome, options)
    proposed = [(one, _experiments(one, options, outcome, until_safe)) for one in routes]
    if options.as_json:
        rows = [{"needs": one, "experiments": experiments} for one, experiments in proposed]
        output.print_json({"outcome": outcome or None, "routes": rows, "problems": problem_rows(problems)})
    elif not routes:
        click.echo(NO_CALLS)
    else:
        _print(proposed, options)
    print_problems(problems, strict=options.strict, quiet=options.as_json)


def _check_lot(options: RouteOptions) -> None:
    """The same as is refused when the experiment is started, said before anybody pastes it.

    Raises:
        UserError: margin or hold-out cannot be.
    """
    from datetime import UTC

    from modicum.experiments.experiment import ChangeKind, Experiment, check_experiment

    check_experiment(
        Experiment(
            name="proposed",
            kind=ChangeKind.RULE,
            subject=FAMILY,
            outcome="proposed",
            margin=options.margin,
            hold_out=options.hold_out,
            started_at=datetime.now(UTC),
        )
    )


def _routes_called(name: str, routes: "Sequence[RouteNeeds]") -> "list[RouteNeeds]":
    """Raises:
    UserError: no call was made on a route of that name.
    """
    chosen = [one for one in routes if name in {one.route, one.model}]
    if not chosen:
        raise unknown_name("route", name, [one.route for one in routes])
    return chosen


def _tasks_until_safe(store: "Store", outcome: str, options: RouteOptions) -> int | None:
    from modicum.cli.experiments.estimates import plan_by_outcomes

    return plan_by_outcomes(store, outcome, options.margin, options.hold_out) if outcome else None


def _experiments(
    one: "RouteNeeds", options: RouteOptions, outcome: str, until_safe: int | None
) -> list[ProposedExperiment]:
    """An experiment for each change, so that it is known which of them did what."""
    changes: list[tuple[str, str, int | str]] = []
    if one.cap is not None:
        changes.append(("cap", "most_output_tokens", one.cap.most_output_tokens))
    if one.effort is not None:
        changes.append(("effort", "effort", one.effort.effort))
    return [_experiment(one, change, options, outcome, until_safe) for change in changes]


def _experiment(
    one: "RouteNeeds",
    change: tuple[str, str, int | str],
    options: RouteOptions,
    outcome: str,
    until_safe: int | None,
) -> ProposedExperiment:
    from modicum.metering.model_names import undated
    from modicum.settings.editing.settings_text import toml_value

    suffix, key, value = change
    name = f"{re.sub(r'[^A-Za-z0-9_-]+', '-', one.route).strip('-')[-50:] or 'route'}-{suffix}"
    fields = {"models": undated(one.model), "team": one.team, "app": one.app, key: value}
    lines = [f"[variants.{name}]", *(f"{field} = {toml_value(its)}" for field, its in fields.items() if its)]
    words = ["modicum experiment start", name, f"--rule {FAMILY}{name}"]
    words.append(f"--outcome {shlex.quote(outcome) if outcome else 'OUTCOME'}")
    words += [f"--margin {options.margin:g}", f"--hold-out {options.hold_out:g}"]
    return ProposedExperiment(
        name=name,
        settings="\n".join(lines),
        command=" ".join(words),
        arms=("changed", "hold_out"),
        hold_out=options.hold_out,
        outcome=outcome,
        margin=options.margin,
        stop_rule=STOP_RULE,
        tasks_until_safe=until_safe,
    )


def _print(proposed: "Sequence[tuple[RouteNeeds, list[ProposedExperiment]]]", options: RouteOptions) -> None:
    shown = proposed[:ROUTES_SHOWN]
    output.print_table(
        ["route", "calls", "median", "99 %", "cap", "cut", "reasoning", "effort"],
        [_cells(one) for one, _ in shown],
        least_valued=("median", "calls"),
    )
    output.print_text("  output of calls that ended well, in tokens; cut: calls that had more than the cap")
    if left := len(proposed) - len(shown):
        output.print_text(f"  ... and {number_of(left, 'more route')}; --json has all")
    for one, _ in shown:
        for line in _reasons(one):
            output.print_text(f"  {one.route}: {line}")
    able = [(one, experiments) for one, experiments in shown if experiments]
    if not able:
        return
    if len(proposed) > 1 and not options.route:
        output.print_text(
            f"\nsettings to paste, and how to start: modicum experiment propose --route {shlex.quote(able[0][0].route)}"
        )
        return
    for one, experiments in able:
        for experiment in experiments:
            _print_experiment(one, experiment)


def _cells(one: "RouteNeeds") -> list[str]:
    cap, share = one.cap, one.reasoning_share
    return [
        one.route,
        output.count(one.calls_ended_well),
        "" if one.output_median is None else output.count(one.output_median),
        "" if one.output_p99 is None else output.count(one.output_p99),
        "" if cap is None else output.count(cap.most_output_tokens),
        "" if cap is None else percent(cap.share_cut),
        "" if share is None else percent(share, 0),
        "" if one.effort is None else one.effort.effort,
    ]


def _reasons(one: "RouteNeeds") -> list[str]:
    """What stands behind the figures of a route."""
    lines = []
    if one.cap is not None:
        cap = one.cap
        lines.append(
            f"a cap of {number_of(cap.most_output_tokens, 'token')} is the 99th percentile and a quarter more; "
            f"it would have cut {cap.calls_cut:,} of {number_of(one.calls_ended_well, 'call')}, "
            f"{percent(cap.share_cut, 2)} [{percent(cap.share_cut_low, 2)}, {percent(cap.share_cut_high, 2)}], "
            f"and beyond it lie {number_of(cap.tokens_beyond, 'token')}"
            + ("" if cap.usd_beyond is None else f", {output.dollars_of(cap.usd_beyond)}: at most that is saved")
        )
    if one.effort is not None:
        effort = one.effort
        usd = "" if effort.usd_at_most is None else f"; it cost {output.dollars_of(effort.usd_at_most)}"
        share = (
            "" if effort.share_of_cost is None else f", {percent(effort.share_of_cost, 0)} of the route: at most that"
        )
        lines.append(f"{effort.why}{usd}{share}. What effort calls ask for now no log says; lower ones stay")
    lines += [f"no proposal: {one.why_no_cap}"] if one.why_no_cap else []
    if one.why_no_effort and one.why_no_effort != one.why_no_cap:
        lines.append(f"no effort proposed: {one.why_no_effort}")
    apart = [
        (one.calls_cut_off, "met a limit of output"),
        (one.calls_failed, "failed"),
        (one.calls_uncertain, "ended well with an output that was logged before it was final"),
    ]
    if one.calls_estimated:
        lines.append(
            f"{number_of(one.calls_estimated, 'reply was', 'replies were')} logged before the count was final, so "
            "tokens are our own count of the text, without hidden reasoning"
            + ("" if one.cap is None else ": a cap of so many may cut more calls than is said here")
        )
    left_out = [f"{calls:,} that {what}" for calls, what in apart if calls]
    return [*lines, *([f"left out of {number_of(one.calls, 'call')}: {', '.join(left_out)}"] if left_out else [])]


def _print_experiment(one: "RouteNeeds", experiment: ProposedExperiment) -> None:
    """Into `modicum.toml`, and what to type then. Printed as it is to be pasted, so never wrapped."""
    click.echo(f"\n# {one.route}: into modicum.toml\n{experiment.settings}")
    click.echo("# then type")
    click.echo(experiment.command)
    if not experiment.outcome:
        output.print_text(
            "  OUTCOME is yours to fill in: the name of what tells a good task, sent to POST /outcomes or imported"
        )
    until = experiment.tasks_until_safe
    planned = "" if until is None else f"; about {number_of(until, 'task')} find it safe, if it does no harm"
    output.print_text(
        f"  arms: {percent(1 - experiment.hold_out, None)} of tasks with the change, "
        f"{percent(experiment.hold_out, None)} held out{planned}"
    )
    output.print_text(f"  stop: {experiment.stop_rule}")
