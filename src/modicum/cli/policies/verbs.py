"""`modicum policy`: what calls may be, as people wrote it: shown, tried on the past, and who changed what."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from modicum.calls import UserError
from modicum.calls.words.counted_nouns import number_of
from modicum.cli import shared_options as shared
from modicum.cli.terminal import output
from modicum.cli.terminal.verb_group import WholeLines
from modicum.library import resources
from modicum.settings import (
    PolicySettings,
    Settings,
    budgets_of,
    place_in_policy,
    policy_of,
    policy_place,
    read_policy_at,
    read_settings,
    state_folder,
    user_zone,
)

if TYPE_CHECKING:
    from modicum.calls import AuditEvent
    from modicum.governance.policy import Clause
    from modicum.insights.policies.policy_replay import CallSum, PolicyReplay

_file = click.argument(
    "path", required=False, metavar="[FILE]", type=click.Path(path_type=Path, dir_okay=False, exists=True)
)
MOST_CELL = 44


@click.group(cls=WholeLines)
def command() -> None:
    """Show what calls may be by policy.toml, try it on the past, and show who changed it and when.

    A running gateway takes a changed file over by itself, and holds it on every way that a call may take. Without FILE
    the verbs are about the policy beside the settings. docs/policy.md has a policy to start from.

    \b
    Examples:
      modicum policy show
      modicum policy test --since 30d
      modicum policy test draft.toml --since 2026-11-01
      modicum policy log
    """


@command.command()
@_file
@shared.json_option
def show(path: Path | None, *, as_json: bool) -> None:
    """Check the policy, and show its clauses and where calls can go under it.

    \b
    Examples:
      modicum policy show
      modicum policy show draft.toml --json
    """
    from modicum.gateway.policies.taking_over import policy_reach
    from modicum.gateway.process.from_settings import upstreams_of
    from modicum.governance.policy_reach import warnings_of

    settings = _settings(path)
    rules = settings.policy_rules
    reach = policy_reach(settings, upstreams_of(settings))
    warnings = warnings_of(reach, rules.file)
    if as_json:
        document = {
            "file": rules.file,
            "clauses": policy_of(rules).clauses,
            "budgets": [one.name for one in rules.budget],
            "outcomes": [one.name for one in rules.outcome],
            "ways": [{"data_class": one.data_class, "upstreams": one.ways} for one in reach],
            "warnings": warnings,
        }
        output.print_json(document)
        return
    rows = [[place_in_policy(rules, "clause", row), one.name, _covered(one), _limits(one)] for row, one in _rows(rules)]
    if rows:
        output.print_table(["place", "clause", "covers", "allows"], rows, left=4)
    if rules.budget:
        click.echo(f"budgets: {', '.join(one.name for one in rules.budget)} (modicum budget show)")
    if rules.outcome:
        click.echo(f"costs of outcomes: {', '.join(one.name for one in rules.outcome)} (modicum budget show)")
    for one in reach:
        of = f"of the data class '{one.data_class}' " if one.data_class else ""
        click.echo(f"calls {of}can go to: {', '.join(one.ways) or 'nowhere'}")
    for warning in warnings:
        click.echo(f"modicum: {warning}", err=True)


@command.command()
@_file
@shared.span_options("calls of the ledger")
@shared.timezone_option
@shared.json_option
@shared.ledger_option
def test(
    path: Path | None,
    since: str | None,
    until: str | None,
    timezone: str | None,
    ledger_url: str | None,
    *,
    as_json: bool,
) -> None:
    """Show which calls of the past the policy would have refused, and what these cost.

    All calls of the ledger are tried, through whichever door they came. What the ledger does not hold of a call
    (efforts, bounds on replies, most regions) makes it undecided. Budgets count what calls cost in fact; a gateway
    reserves what they may cost at most, so it refuses these or more.

    \b
    Examples:
      modicum policy test --since 30d
      modicum policy test draft.toml --since 2026-11-01 --json
    """
    from modicum.insights.policies.policy_replay import replay_policy

    settings = _settings(path)
    rules = settings.policy_rules
    zone = user_zone(settings.timezone, timezone).zone
    begin, end = shared.SpanOptions(since=since, until=until).span(zone)
    budgets = budgets_of(rules.budget, settings.timezone, settings.energy)
    with resources.open_ledger(ledger_url, settings) as store:
        replay = replay_policy(store.ask("policy_calls", since=begin, until=end), policy_of(rules), budgets)
    if as_json:
        output.print_json({"file": rules.file, "since": begin, "until": end, "replay": replay})
        return
    _print_replay(replay, rules.file)


@command.command()
@shared.json_option
@shared.ledger_option
def log(*, ledger_url: str | None, as_json: bool) -> None:
    """Show what changed in the policy, by whom and when, oldest first.

    A gateway writes down what it takes over, at its start and at each change: who is whoever owns the file then.

    \b
    Examples:
      modicum policy log
      modicum policy log --json
    """
    from modicum.governance.policy_log import EVENT_KIND, PolicyEvent, audit_policy
    from modicum.ledger.events import EventFile
    from modicum.ledger.records import AUDIT_EVENTS

    file = EventFile(state_folder() / "events.sqlite")
    try:
        own = audit_policy(file.read(EVENT_KIND, PolicyEvent))
    finally:
        file.close()
    with resources.open_ledger(ledger_url) as store:
        store.append_records(AUDIT_EVENTS, own)  # what no ledger process has taken over yet
        events = [event for event in store.records(AUDIT_EVENTS) if event.kind == EVENT_KIND]
    if as_json:
        output.print_json({"events": [_event(event) for event in events]})
        return
    if not events:
        click.echo("no policy was ever in force: docs/policy.md has one to start from, and 'modicum up' takes it over")
        return
    output.print_table(
        ["when (UTC)", "by", "what", "part", "now"],
        [
            [
                f"{event.at:%Y-%m-%d %H:%M:%S}",
                event.by,
                event.what,
                event.subject,
                _cut(event.details.get("now", "")),
            ]
            for event in events
        ],
        left=5,
    )


def _settings(path: Path | None) -> Settings:
    """The settings, with the policy of a file in the place of their own.

    Raises:
        UserError: there is no policy, or it is wrong.
    """
    import msgspec

    settings = read_settings()
    if path is not None:
        return msgspec.structs.replace(settings, policy_rules=read_policy_at(path))
    if not settings.policy_rules.file:
        raise UserError(
            f"there is no policy: write {policy_place(settings)} (docs/policy.md has one to start from), or name a file"
        )
    return settings


def _rows(rules: PolicySettings) -> "list[tuple[int, Clause]]":
    return list(enumerate(policy_of(rules).clauses))


def _covered(clause: "Clause") -> str:
    scopes = ("data_class", "team", "app", "user", "key", "project", "model")
    named = [f"{name} {getattr(clause, name)}" for name in scopes if getattr(clause, name)]
    return ", ".join(named) or "all calls"


def _limits(clause: "Clause") -> str:
    from modicum.governance.policy import PolicyLimit

    parts = []
    for limit in PolicyLimit:
        value = getattr(clause, limit.value)
        if value is None or (limit is PolicyLimit.NOT_MODELS and not value) or value == "":
            continue
        shown = (
            ", ".join(value) or "none"
            if isinstance(value, tuple)
            else f"{value:,}"
            if isinstance(value, int)
            else value
        )
        parts.append(f"{limit.value.replace('_', ' ')}: {shown}")
    return "; ".join(parts)


def _print_replay(replay: "PolicyReplay", file: str) -> None:
    refused, every = replay.refused, replay.every
    if not every.calls:
        click.echo("no calls in that time; 'modicum import' brings logs into the ledger, or name another time")
        return
    click.echo(f"{file} would have refused {_sum(refused)}, of {_sum(every)}")
    if replay.cheaper.calls:
        click.echo(f"and sent {_sum(replay.cheaper)}, to a cheaper model")
    if replay.lines:
        output.print_table(
            ["by", "name", "limit", "calls", "cost", "basis"],
            [
                [
                    line.kind,
                    line.name,
                    line.limit,
                    output.count(line.sum.calls),
                    _usd(line.sum),
                    line.sum.basis.value if line.sum.calls > line.sum.calls_unpriced else "unknown",
                ]
                for line in replay.lines
            ],
            left=3,
        )
    for line in replay.undecided_lines:
        click.echo(
            f"undecided: {number_of(line.sum.calls, 'call')}; {line.kind} '{line.name}' looks at {line.limit}, which "
            "the ledger does not hold of them"
        )


def _sum(calls: "CallSum") -> str:
    word = "call" if calls.calls == 1 else "calls"
    return f"{output.count(calls.calls)} {word}, {_usd(calls)}"


def _usd(calls: "CallSum") -> str:
    if calls.calls and calls.calls == calls.calls_unpriced:
        return "cost unknown"
    more = f" and {output.count(calls.calls_unpriced)} of unknown cost" if calls.calls_unpriced else ""
    return f"{output.dollars(calls.usd)}{more}"


def _event(event: "AuditEvent") -> dict[str, object]:
    return {
        "at": event.at,
        "by": event.by,
        "what": event.what,
        "part": event.subject,
        "now": event.details.get("now", ""),
        "before": event.details.get("before", ""),
    }


def _cut(text: str) -> str:
    return text if len(text) <= MOST_CELL else f"{text[: MOST_CELL - 3]}..."
