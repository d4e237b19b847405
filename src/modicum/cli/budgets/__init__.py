"""`modicum budget`: limits on what calls may cost. One file per verb beside this one."""

import click

from modicum.cli.terminal.verb_group import VerbGroup

VERBS = {
    "show": "Show what is spent, reserved and left of each budget, and when its limit will be reached.",
    "raise": "Raise a budget until a moment, with who approved it and why.",
    "lower": "End what was raised before its time.",
    "log": "Show who raised which budget, until when and why.",
    "mirror": "Print the spend limits of Anthropic's own gateway as budgets to paste.",
}


class BudgetVerbs(VerbGroup):
    package, verbs, files = "modicum.cli.budgets", VERBS, {"raise": "raising"}


@click.group(cls=BudgetVerbs)
def command() -> None:
    """Show the budgets of modicum.toml, and raise one for a while (docs/budgets.md).

    \b
    Examples:
      modicum budget show
      modicum budget raise platform-month --to 800 --until 3d --why 'launch week'
      modicum budget log
    """
