"""`modicum bill`: what was spent."""

import click


@click.command(epilog="Example: modicum bill --by model")
def command() -> None:
    """What was spent.

    \b
    Examples:
      modicum bill
    """
