"""`modicum budget`: limits on what calls may cost. One file per verb beside this one."""

import click

from modicum.cli.terminal.verb_group import VerbGroup

VERBS = {"show": "Show what is spent, reserved and left of each budget, and when its limit will be reached."}


class BudgetVerbs(VerbGroup):
    package, verbs = "modicum.cli.budgets", VERBS


@click.group(cls=BudgetVerbs)
def command() -> None:
    """Show the budgets of modicum.toml (docs/budgets.md).

    \b
    Examples:
      modicum budget show
      modicum budget show team-month --json
    """
