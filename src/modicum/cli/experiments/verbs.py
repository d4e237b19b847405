"""`modicum experiment`: a change on trial, with a share of tasks held out, graded by outcomes."""

import getpass
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click
import msgspec

from modicum.calls import UserError
from modicum.calls.words.counted_nouns import number_of
from modicum.calls.words.percentages import percent
from modicum.cli import shared_options as shared
from modicum.cli.experiments.proposing import propose
from modicum.cli.terminal import output
from modicum.cli.terminal.verb_group import WholeLines
from modicum.cli.trials.events import read_trial_events
from modicum.ledger.records import AUDIT_EVENTS
from modicum.library import resources
from modicum.settings import Settings, read_settings, state_folder

if TYPE_CHECKING:
    from modicum.experiments.decisions import ExperimentEvent, Experiments, What
    from modicum.experiments.experiment import ChangeKind, Experiment
    from modicum.experiments.verifier_errors import VerifierErrors
    from modicum.ledger.store import Store

_TIME = re.compile(r"^(\d{1,4})(m|h|d)$")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_EVENTS = "events.sqlite"


@dataclass(frozen=True, kw_only=True)
class StartOptions(shared.LedgerOptions):
    name: str
    model: str
    to: str
    rule: str
    team: str
    outcome: str
    margin: float
    hold_out: float
    settle: str
    why: str
    as_json: bool


@click.group(cls=WholeLines)
def command() -> None:
    """Try a change on live tasks, with a share of them held out, and take it back if outcomes suffer.

    Tasks are drawn by lot into two arms; the gateway changes calls of one of them. Outcomes decide: a change that does
    harm is rolled back by itself, with the reason in the log.

    \b
    Examples:
      modicum experiment start cheaper --model gpt-4o --to gpt-4o-mini --outcome resolved
      modicum experiment status
      modicum experiment stop cheaper --keep
      modicum experiment log
      modicum experiment propose
    """


command.add_command(propose)


@command.command()
@click.argument("name")
@click.option("--model", default="", metavar="MODEL", help="Calls for this model (or pattern) ask another one.")
@click.option("--to", default="", metavar="MODEL", help="The model that is asked instead, with --model.")
@click.option("--rule", default="", metavar="NAME", help="This rule runs on calls, or does not.")
@click.option("--team", default="", metavar="NAME", help="The plan of this team is applied, or the full team runs.")
@click.option(
    "--outcome", required=True, metavar="NAME", help="The outcome that counts: a share in 0..1 for each task."
)
@click.option(
    "--margin", default=0.05, show_default=True, help="The loss of outcome that you accept: 0.05 is 5 points."
)
@click.option("--hold-out", default=0.5, show_default=True, help="Share of tasks that go on as they were.")
@click.option("--settle", default="0m", metavar="TIME", help="How long an outcome may take: 90m, 8h, 2d. Default: 0m.")
@click.option("--why", default="", metavar="TEXT", help="The reason, for the log.")
@shared.json_option
@shared.ledger_option
@shared.pass_options(StartOptions)
def start(options: StartOptions) -> None:
    """Start an experiment. A running gateway applies it within a second.

    \b
    Examples:
      modicum experiment start cheaper --model gpt-4o --to gpt-4o-mini --outcome resolved
      modicum experiment start lean --team support --outcome solved --margin 0.02 --hold-out 0.2
    """
    from modicum.cli.experiments.estimates import plan_by_outcomes

    settings = read_settings()
    kind, subject = _subject(options, settings)
    one = _define(options, kind, subject)
    _read_experiments().check_start(one)
    with resources.open_ledger(options.ledger_url, settings) as store:
        planned = plan_by_outcomes(store, one.outcome, one.margin, one.hold_out)
        one = _estimate(store, one, settings)
    _append("started", one, options.why, definition=one)
    if options.as_json:
        output.print_json(_document(one) | {"tasks_until_safe": planned})
        return
    click.echo(f"experiment '{one.name}' started: {_describe(one)}")
    if planned is None:
        click.echo(
            f"the ledger knows no outcome '{one.outcome}' in 0..1 yet, so nobody can say how many tasks it will take; "
            "send outcomes to POST /outcomes, or import them"
        )
    else:
        click.echo(f"about {number_of(planned, 'task')} with outcomes will find it safe, if it does no harm")
    if one.estimated_saving is None:
        click.echo(f"no estimate: {one.why_not_estimated}")
    else:
        click.echo(
            f"a replay of the last 30 days says that it saves {percent(one.estimated_saving)} of such tasks' dollars"
        )
    click.echo("next: modicum experiment status")


@command.command()
@click.argument("name", required=False)
@shared.json_option
@shared.ledger_option
def status(*, name: str | None, as_json: bool, ledger_url: str | None) -> None:
    """Show what experiments say so far, and how many more tasks are needed.

    \b
    Examples:
      modicum experiment status
      modicum experiment status cheaper --json
    """
    from modicum.cli.experiments.status import print_status, status_document
    from modicum.experiments.grader import grade_from_ledger

    experiments = _read_experiments()
    chosen = [experiments.named(name)] if name else experiments.all()
    if not chosen and not as_json:
        click.echo("no experiment was started: 'modicum experiment start --help' shows how")
        return
    with resources.open_ledger(ledger_url) as store:
        grades = [(one, grade_from_ledger(store, one), _verifier_errors(store, one)) for one in chosen]
    if as_json:
        output.print_json_list(_document(one) | status_document(one, found, errors) for one, found, errors in grades)
        return
    for one, found, errors in grades:
        print_status(one, found, experiments.why_safe(one.name), errors)


def _verifier_errors(store: "Store", one: "Experiment") -> "VerifierErrors | None":
    """Of an experiment on a cascade; None: it is about something else."""
    from modicum.experiments.verifier_errors import read_verifier_errors
    from modicum.routing.rule import CASCADE_FAMILY

    name = one.subject.removeprefix(CASCADE_FAMILY)
    return None if name == one.subject else read_verifier_errors(store, name, one.outcome, one.started_at)


@command.command()
@click.argument("name")
@click.option("--keep", is_flag=True, help="All calls have the change from now on. Default: none has.")
@click.option("--why", default="", metavar="TEXT", help="The reason, for the log.")
@shared.json_option
def stop(*, name: str, keep: bool, why: str, as_json: bool) -> None:
    """End an experiment: without --keep no call has the change any more.

    \b
    Examples:
      modicum experiment stop cheaper
      modicum experiment stop cheaper --keep --why "safe, and 31 % cheaper"
    """
    from modicum.experiments.experiment import ExperimentState

    one = _read_experiments().named(name)
    if one.state not in {ExperimentState.RUNNING, ExperimentState.KEPT}:
        raise UserError(f"the experiment '{name}' is over ({one.state.value.replace('_', ' ')}: {one.why})")
    event = _append("kept" if keep else "stopped", one, why or "by hand")
    if as_json:
        output.print_json({"name": name, "what": event.what, "at": event.at})
        return
    click.echo(f"experiment '{name}' ended: {'all calls have' if keep else 'no call has'} the change from now on")


@command.command()
@shared.json_option
@shared.ledger_option
def savings(*, as_json: bool, ledger_url: str | None) -> None:
    """Show what experiments saved: estimated by replay before they began, measured by their hold-outs.

    \b
    Examples:
      modicum experiment savings
      modicum experiment savings --json
    """
    from modicum.cli.experiments.savings import print_savings, read_savings, savings_document

    with resources.open_ledger(ledger_url) as store:
        measured = read_savings(store)
    if as_json:
        output.print_json(savings_document(measured))
    elif measured:
        print_savings(measured)
    else:
        click.echo("no experiment was started: 'modicum experiment start --help' shows how")


@command.command()
@shared.json_option
@shared.ledger_option
def log(*, as_json: bool, ledger_url: str | None) -> None:
    """Show who started and ended which experiment or trial, when and why: from the ledger's audit log, oldest first.

    \b
    Examples:
      modicum experiment log
      modicum experiment log --json
    """
    from modicum.experiments.decisions import EVENT_KIND, audit_experiments
    from modicum.experiments.trials import trial_log

    with resources.open_ledger(ledger_url) as store:
        store.append_records(AUDIT_EVENTS, audit_experiments(_read_events()))  # what no ledger process has taken yet
        store.append_records(AUDIT_EVENTS, trial_log.audit_trials(read_trial_events()))
        kinds = {EVENT_KIND, trial_log.EVENT_KIND}
        events = [event for event in store.records(AUDIT_EVENTS) if event.kind in kinds]
    if as_json:
        output.print_json_list(
            [
                {"at": one.at, "about": one.kind, "name": one.subject, "what": one.what, "by": one.by, **one.details}
                for one in events
            ]
        )
        return
    if not events:
        click.echo("no experiment was started: 'modicum experiment start --help' shows how")
        return
    output.print_table(
        ["when (UTC)", "experiment", "what", "by", "why"],
        [
            [
                f"{one.at:%Y-%m-%d %H:%M:%S}",
                one.subject if one.kind == EVENT_KIND else f"trial of {one.subject}",
                one.what.replace("_", " "),
                one.by,
                one.details.get("why", ""),
            ]
            for one in events
        ],
        left=5,
    )


def _subject(options: StartOptions, settings: Settings) -> "tuple[ChangeKind, str]":
    """What the experiment is about.

    Raises:
        UserError: nothing, several things, or a rule or team that there is not.
    """
    from modicum.experiments.experiment import ChangeKind
    from modicum.optimizers.all_rules import RULES
    from modicum.optimizers.system_prompt import FAMILY as PROMPT
    from modicum.optimizers.variants import FAMILY as VARIANT
    from modicum.routing.rule import CASCADE_FAMILY, FAMILY

    named = {ChangeKind.MODEL: options.model, ChangeKind.RULE: options.rule, ChangeKind.TEAM: options.team}
    chosen = [(kind, subject) for kind, subject in named.items() if subject]
    if len(chosen) != 1:
        raise UserError("an experiment is about one thing: --model MODEL --to MODEL, --rule NAME, or --team NAME")
    ((kind, subject),) = chosen
    if options.to and kind is not ChangeKind.MODEL:
        raise UserError("--to goes with --model: it is the model that is asked instead")
    rules = [*(rule.name for rule in RULES), *(FAMILY + name for name in settings.routes)]
    rules += [PROMPT + name for name in settings.prompts]
    rules += [VARIANT + name for name in settings.variants]
    rules += [CASCADE_FAMILY + name for name in settings.cascades]
    if kind is ChangeKind.RULE and subject not in rules:
        raise UserError(f"there is no rule '{subject}' (rules: {', '.join(rules) or 'none is in force'})")
    if kind is ChangeKind.TEAM and subject not in settings.teams:
        raise UserError(
            f"the settings name no plan for a team '{subject}' (teams: {', '.join(settings.teams) or 'none'}); add "
            f"[teams.{subject}] with its plan, see docs/teams.md"
        )
    return kind, subject


def _define(options: StartOptions, kind: "ChangeKind", subject: str) -> "Experiment":
    from modicum.experiments.experiment import Experiment

    time = _TIME.match(options.settle)
    if time is None:
        raise UserError(f"--settle '{options.settle}' is no time; write 90m, 8h or 2d")
    return Experiment(
        name=options.name,
        kind=kind,
        subject=subject,
        to=options.to,
        outcome=options.outcome.strip(),
        margin=options.margin,
        hold_out=options.hold_out,
        settle_s=timedelta(**{_UNITS[time[2]]: int(time[1])}).total_seconds(),
        started_at=datetime.now(UTC),
    )


def _estimate(store: "Store", one: "Experiment", settings: Settings) -> "Experiment":
    """The experiment with what a replay says that it saves, or why none does, written down before its first task."""
    from modicum.cli.experiments.estimates import estimate_saving

    found = estimate_saving(store, settings, resources.load_prices(None, settings), one)
    return msgspec.structs.replace(one, estimated_saving=found.share, why_not_estimated=found.why_not)


def _describe(one: "Experiment") -> str:
    from modicum.experiments.experiment import ChangeKind

    change = {
        ChangeKind.MODEL: f"calls for {one.subject} ask {one.to}",
        ChangeKind.RULE: f"the rule {one.subject} runs",
        ChangeKind.TEAM: f"the plan of the team {one.subject} is applied",
    }[one.kind]
    return (
        f"{change} in {percent(1 - one.hold_out, None)} of tasks; graded by '{one.outcome}', accepted loss "
        f"{100 * one.margin:g} points"
    )


def _document(one: "Experiment") -> dict[str, object]:
    return {
        "name": one.name,
        "kind": one.kind.value,
        "subject": one.subject,
        "to": one.to,
        "outcome": one.outcome,
        "margin": one.margin,
        "hold_out": one.hold_out,
        "settle_s": one.settle_s,
        "estimated_saving": one.estimated_saving,
        "why_not_estimated": one.why_not_estimated,
        "started_at": one.started_at,
        "state": one.state.value,
        "ended_at": one.ended_at,
        "why": one.why,
    }


def _read_experiments() -> "Experiments":
    from modicum.experiments.decisions import Experiments

    return Experiments(_read_events())


def _read_events() -> "list[ExperimentEvent]":
    from modicum.experiments.decisions import EVENT_KIND, ExperimentEvent
    from modicum.ledger.events import EventFile

    events = EventFile(state_folder() / _EVENTS)
    try:
        return events.read(EVENT_KIND, ExperimentEvent)
    finally:
        events.close()


def _append(what: "What", one: "Experiment", why: str, definition: "Experiment | None" = None) -> "ExperimentEvent":
    from modicum.experiments.decisions import EVENT_KIND, ExperimentEvent
    from modicum.ledger.events import EventFile

    at = one.started_at if definition is not None else datetime.now(UTC)
    event = ExperimentEvent(
        what=what, name=one.name, at=at, by=getpass.getuser(), why=why, definition=definition, of=one.started_at
    )
    events = EventFile(state_folder() / _EVENTS)
    try:
        events.append(EVENT_KIND, event)
    finally:
        events.close()
    return event
