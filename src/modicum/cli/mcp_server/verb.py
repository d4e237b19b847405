"""`modicum mcp`: lets an agent ask what it costs."""

from pathlib import Path

import click

from modicum.calls import UserError
from modicum.cli.inputs.found_logs import find_home_logs
from modicum.cli.shared_options import found_option, ledger_option
from modicum.library.paths import check_paths_exist


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@found_option
@ledger_option
def command(paths: tuple[Path, ...], ledger_url: str | None, *, found: bool) -> None:
    """Answer questions of agents over the Model Context Protocol, on standard input and output. It only reads.

    Of the ledger, or of the logs in PATHS. It needs the extra mcp.

    \b
    Examples:
      claude mcp add modicum -- modicum mcp --found
      codex mcp add modicum -- modicum mcp --found
      modicum mcp ~/.claude/projects
    """
    try:
        from modicum.cli.mcp_server.server import CallSubject, make_server
    except ImportError:
        raise UserError("modicum mcp needs the extra mcp: pip install 'modicum[mcp]'") from None
    check_paths_exist(paths)
    chosen = (*paths, *find_home_logs()) if found else paths
    make_server(CallSubject(chosen or None, ledger_url)).run()
