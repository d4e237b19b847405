"""`modicum backup restore`: the files of a backup, where a gateway looks for them."""

from pathlib import Path

import click

from modicum.calls.words.counted_nouns import number_of
from modicum.cli.shared_options import json_option
from modicum.cli.terminal import output
from modicum.settings import data_folder, state_folder


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@json_option
def command(file: Path, *, as_json: bool) -> None:
    """Put the files of a backup in place. Nothing is overwritten, and 'modicum up' must not run.

    All records are shipped again at the next 'modicum up'; the ledger knows by their ids which calls it has.

    \b
    Examples:
      modicum backup restore monday.modicum-backup
    """
    from modicum.ledger.backups.backup import restore_backup

    folder = state_folder()
    manifest = restore_backup(file, folder, data_folder() / "digest.key")
    if as_json:
        output.print_json({"folder": str(folder), "created": manifest.created, "files": manifest.files})
        return
    click.echo(
        f"{number_of(len(manifest.files), 'file')} of {manifest.created:%Y-%m-%d %H:%M} UTC restored into {folder}; "
        "'modicum doctor' looks at them, 'modicum up' goes on with them"
    )
