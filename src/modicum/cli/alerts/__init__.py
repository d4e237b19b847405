"""`modicum alert`: what people were alerted of, and whether an alert arrives. One file per verb beside this one."""

import click

from modicum.cli.terminal.verb_group import VerbGroup

VERBS = {
    "list": "List the newest alerts, and what became of them.",
    "test": "Post a test alert to the webhook, and say what it answers.",
}


class AlertVerbs(VerbGroup):
    package, verbs = "modicum.cli.alerts", VERBS
    files = {"list": "listing", "test": "trying"}  # noqa: RUF012 - as in the class above


@click.group(cls=AlertVerbs)
def command() -> None:
    """Show alerts, and try where they go (docs/monitoring.md).

    \b
    Examples:
      modicum alert list
      modicum alert test
    """
