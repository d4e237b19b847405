"""`modicum backup create`: a backup, also while the gateway runs."""

from pathlib import Path

import click

from modicum.calls.words.counted_nouns import number_of
from modicum.cli.shared_options import json_option
from modicum.cli.terminal import output
from modicum.settings import data_folder, state_folder


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--without-digest-key", is_flag=True, help="Leave the key of digests out: you keep it elsewhere.")
@json_option
def command(file: Path, *, without_digest_key: bool, as_json: bool) -> None:
    """Write journals, calls under way, keys and the key of digests into FILE.

    'modicum up' may run. The ledger is not in it: 'modicum ledger copy' copies that. Whoever has FILE can check and
    make gateway keys, unless it is --without-digest-key; keep it as you keep a password.

    \b
    Examples:
      modicum backup create monday.modicum-backup
      modicum backup create monday.modicum-backup --json
    """
    from modicum.ledger.backups.backup import create_backup

    manifest = create_backup(file, state_folder(), None if without_digest_key else data_folder() / "digest.key")
    if as_json:
        output.print_json({"file": str(file), "created": manifest.created, "files": manifest.files})
        return
    size = sum(one.size_bytes for one in manifest.files)
    click.echo(f"{file} written: {number_of(len(manifest.files), 'file')}, {size / 1e6:,.1f} MB before compression")
