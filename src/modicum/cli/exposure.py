"""`modicum exposure`: what was sent to whom, and which secrets and personal data were seen in it."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from modicum.calls import Problem, UserError
from modicum.cli import opening, output
from modicum.cli.anatomy import ledger_or_logs
from modicum.cli.reading import NO_CALLS, problem_rows, show_problems
from modicum.cli.span import EVER, NEVER, moment
from modicum.settings import checked_zone, read_settings

if TYPE_CHECKING:
    from modicum.insights.exposure import Exposed


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--by", default="provider", show_default=True, metavar="WHAT", help="provider, team, app, user, project.")
@click.option("--since", metavar="TIME", help="From when: 2026-01-31, today, yesterday, 7d, 24h, 2w.")
@click.option("--until", metavar="TIME", help="Until when, not included.")
@click.option("--source", metavar="NAME", help="Read the paths as this format instead of recognising it.")
@click.option("--strict", is_flag=True, help="End with status 1 if the logs held anything that could not be read.")
@opening.json_option
@opening.prices_option
@opening.ledger_option
def command(paths: tuple[Path, ...], by: str, **options: Any) -> None:
    """What was sent to whom: tokens by kind, and counts of secrets and personal data seen in them.

    Counted while logs are read and while calls pass the gateway; the values themselves are kept nowhere.

    \b
    Examples:
      modicum exposure
      modicum exposure ~/.claude/projects
      modicum exposure --by project --since 30d
      modicum exposure --by team --json
    """
    from modicum.insights.exposure import BY, exposure

    if by not in BY:
        raise UserError(f"there is no exposure by '{by}'; by what: {', '.join(BY)}")
    settings = read_settings()
    zone = checked_zone(settings.timezone)
    since, until = moment(options["since"], zone, EVER), moment(options["until"], zone, NEVER)
    problems: list[Problem] = []
    with ledger_or_logs(paths, options, settings, problems) as store:
        rows = exposure(store, by, since, until)
    if options["as_json"]:
        output.print_json({"by": by, "rows": rows, "problems": problem_rows(problems)})
    else:
        show(by, rows)
    show_problems(problems, strict=options["strict"], quiet=options["as_json"])


def _none(row: "Exposed") -> str:
    return "unknown" if row.calls_not_looked_at >= row.calls > 0 else "nothing"


def show(by: str, rows: "Sequence[Exposed]") -> None:
    if not rows:
        click.echo(NO_CALLS)
        return
    output.print_table(
        [by, "calls", "prompt tokens", "not looked at", "seen"],
        [
            [
                row.name or "(none)",
                output.count(row.calls),
                output.count(row.prompt_tokens),
                output.count(row.calls_not_looked_at),
                ", ".join(f"{kind} {count:,}" for kind, count in sorted(row.seen.items())) or _none(row),
            ]
            for row in rows
        ],
    )
    click.echo("recognised by published shapes and check digits; what has no such shape is not seen")
    sent = [
        [row.name or "(none)", kind, output.count(tokens)]
        for row in rows
        for kind, tokens in sorted(row.first_sent_tokens.items(), key=lambda item: -item[1])
    ]
    if sent:
        click.echo()
        output.print_table([by, "kind of text", "tokens when first sent"], sent)
