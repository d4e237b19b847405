"""`modicum budget log`: who raised which budget, until when and why."""

import click

from modicum.calls import AuditEvent
from modicum.cli.budgets.events import read_events
from modicum.cli.shared_options import json_option, ledger_option
from modicum.cli.terminal import output
from modicum.governance.budget_raises import EVENT_KIND, audit_raises
from modicum.governance.budgets import LimitUnit, plain_amount, show_amount
from modicum.ledger.records import AUDIT_EVENTS
from modicum.library import resources


@click.command()
@json_option
@ledger_option
def command(*, ledger_url: str | None, as_json: bool) -> None:
    """Show who raised which budget, until when and why: the audit log of the ledger, oldest first.

    \b
    Examples:
      modicum budget log
      modicum budget log --json
    """
    with resources.open_ledger(ledger_url) as store:
        store.append_records(AUDIT_EVENTS, audit_raises(read_events()))  # what no ledger process has taken over yet
        events = [event for event in store.records(AUDIT_EVENTS) if event.kind == EVENT_KIND]
    if as_json:
        output.print_json({"events": [_document(event) for event in events]})
        return
    if not events:
        click.echo("no budget was ever raised: 'modicum budget raise --help' shows how")
        return
    output.print_table(
        ["when (UTC)", "what", "budget", "of", "to", "until (UTC)", "by", "approved by", "why"],
        [
            [
                f"{event.at:%Y-%m-%d %H:%M}",
                event.what,
                event.subject,
                event.details.get("of", ""),
                _limit(event),
                event.details.get("until", "")[:16].replace("T", " "),
                event.by,
                event.details.get("approved_by", ""),
                event.details.get("why", ""),
            ]
            for event in events
        ],
        left=9,
        least_valued=["of", "approved by", "what"],
    )


def _limit(event: AuditEvent) -> str:
    limit = event.details.get("limit")
    return show_amount(LimitUnit(event.details["unit"]), int(limit)) if limit else ""


def _document(event: AuditEvent) -> dict[str, object]:
    details: dict[str, object] = dict(event.details)
    if "limit" in event.details:
        limit = int(event.details["limit"])
        details["limit"] = plain_amount(LimitUnit(event.details["unit"]), limit)
        details["of"] = event.details["of"].split()
    return {"at": event.at, "what": event.what, "name": event.subject, "by": event.by, **details}
