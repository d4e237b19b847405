"""`modicum exposure`: what was sent to whom, and which secrets and personal data were seen in it."""

from typing import Any

import click

from modicum.calls import UserError
from modicum.cli import opening, output
from modicum.cli.span import EVER, NEVER, moment
from modicum.settings import checked_zone, read_settings


@click.command()
@click.option("--by", default="provider", show_default=True, metavar="WHAT", help="provider, team, app, user, project.")
@click.option("--since", metavar="TIME", help="From when: 2026-01-31, today, yesterday, 7d, 24h, 2w.")
@click.option("--until", metavar="TIME", help="Until when, not included.")
@opening.json_option
@opening.ledger_option
def command(by: str, **options: Any) -> None:
    """What was sent to whom: tokens by kind, and counts of secrets and personal data seen in them.

    Counted while logs were imported; the values themselves are kept nowhere.

    \b
    Examples:
      modicum exposure
      modicum exposure --by project --since 30d
      modicum exposure --by team --json
    """
    from modicum.insights.exposure import BY, exposure

    if by not in BY:
        raise UserError(f"there is no exposure by '{by}'; by what: {', '.join(BY)}")
    settings = read_settings()
    zone = checked_zone(settings.timezone)
    since, until = moment(options["since"], zone, EVER), moment(options["until"], zone, NEVER)
    with opening.opened_ledger(options["ledger_url"], settings) as store:
        rows = exposure(store, by, since, until)
    if options["as_json"]:
        output.print_json({"by": by, "rows": rows})
        return
    output.print_table(
        [by, "calls", "prompt tokens", "not looked at", "seen"],
        [
            [
                row.name or "(none)",
                output.count(row.calls),
                output.count(row.prompt_tokens),
                output.count(row.calls_not_looked_at),
                ", ".join(f"{kind} {count:,}" for kind, count in sorted(row.seen.items())) or "nothing",
            ]
            for row in rows
        ],
    )
    click.echo("recognised by published shapes and check digits; what has no such shape is not seen")
