"""`modicum budget raise`: more for a while, with who approved it and why."""

import getpass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import click

from modicum.cli.budgets.events import append_event, declared_budget
from modicum.cli.shared_options import json_option
from modicum.cli.terminal import output
from modicum.governance.budget_raises import RaiseEvent
from modicum.governance.budgets import plain_amount, show_amount
from modicum.governance.raise_requests import plan_raise
from modicum.settings import read_settings


@click.command("raise")
@click.argument("name")
@click.option("--to", "limit", required=True, metavar="AMOUNT", help="The new limit, in the budget's own unit.")
@click.option("--until", required=True, metavar="TIME", help="When it ends: 4h, 3d, 2026-12-24 or 2026-12-24T18:00.")
@click.option("--why", required=True, metavar="TEXT", help="The reason, for the audit log.")
@click.option("--approved-by", default="", metavar="NAME", help="Who approved it. Default: who types this.")
@click.option("--of", multiple=True, metavar="NAME", help="Whose sum, of a budget that is one for each name.")
@json_option
def command(
    name: str, limit: str, until: str, why: str, approved_by: str, of: tuple[str, ...], *, as_json: bool
) -> None:
    """Raise a budget until a moment, at which it is as before by itself.

    Running gateways apply it at their next call, those of other hosts that share a [state] server within a second or
    two. It stands in the audit log.

    \b
    Examples:
      modicum budget raise platform-month --to 800 --until 3d --why 'launch week' --approved-by ann
      modicum budget raise each-key-day --of ci --to 50 --until 4h --why 'release tests'
    """
    settings = read_settings()
    budget, now = declared_budget(settings, name), datetime.now(UTC)
    zone = ZoneInfo(settings.timezone or "UTC")
    event = plan_raise(
        budget,
        to=limit,
        until=until,
        of=of,
        why=why,
        by=getpass.getuser(),
        approved_by=approved_by,
        zone=zone,
        now=now,
    )
    append_event(event)
    if as_json:
        output.print_json(raise_document(event))
        return
    whose = f" of {', '.join(event.of)}" if event.of else ""
    assert event.until is not None  # noqa: S101 - it was asked for
    ends = f"{event.until.astimezone(zone):%Y-%m-%d %H:%M %Z}"
    click.echo(
        f"'{name}'{whose} is {show_amount(budget.unit, event.limit)} until {ends} "
        f"in place of {show_amount(budget.unit, budget.limit)}; 'modicum budget lower {name}' ends that before"
    )


def raise_document(event: RaiseEvent) -> dict[str, object]:
    """Dollars as numbers, as in other documents of ours."""
    return {
        "id": event.raise_id,
        "name": event.budget,
        "what": event.what,
        "unit": event.unit.value,
        "limit": plain_amount(event.unit, event.limit),
        "of": event.of,
        "at": event.at,
        "until": event.until,
        "by": event.by,
        "approved_by": event.approved_by,
        "why": event.why,
    }
