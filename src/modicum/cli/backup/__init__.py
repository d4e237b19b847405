"""`modicum backup`: what gateways recorded, in one file and back. One file per verb beside this one."""

import click

from modicum.cli.terminal.verb_group import VerbGroup

VERBS = {
    "create": "Write a backup of journals, keys and the key of digests, also while the gateway runs.",
    "restore": "Put the files of a backup where a gateway looks for them; overwrites nothing.",
}


class BackupVerbs(VerbGroup):
    package, verbs = "modicum.cli.backup", VERBS


@click.group(cls=BackupVerbs)
def command() -> None:
    """Back up what gateways recorded, and restore it (docs/backup.md).

    \b
    Examples:
      modicum backup create monday.modicum-backup
      modicum backup restore monday.modicum-backup
    """
