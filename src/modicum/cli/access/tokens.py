"""`modicum token`: what programs use the console's API with. A token is shown once, and does what its user may."""

import getpass
from contextlib import closing
from datetime import UTC, datetime, timedelta

import click

from modicum.cli.access.users import open_access_file
from modicum.cli.shared_options import json_option
from modicum.cli.terminal import output
from modicum.cli.terminal.verb_group import WholeLines
from modicum.library import resources


@click.group(cls=WholeLines)
def command() -> None:
    """Create, list and revoke tokens with which programs use the console's API.

    A token does what its user may, within its scopes: read, budgets, keys, settings, users. Only a keyed digest of it
    is stored.

    \b
    Examples:
      modicum token create nightly --user ann --scope read
      modicum token list
      modicum token revoke nightly
    """


@command.command()
@click.argument("name")
@click.option("--user", "user_name", required=True, help="Whose roles it has.")
@click.option(
    "--scope", "scopes", multiple=True, default=("read",), show_default=True, help="May be given several times."
)
@click.option(
    "--days", type=click.IntRange(1, 3660), default=90, show_default=True, help="After these it opens nothing."
)
@json_option
def create(name: str, user_name: str, scopes: tuple[str, ...], days: int, *, as_json: bool) -> None:
    """Create a token and show it once.

    \b
    Examples:
      modicum token create nightly --user ann
      modicum token create deploy --user ann --scope budgets --scope keys --days 30 --json
    """
    from modicum.calls.errors import unknown_name
    from modicum.governance.access.tokens import issue_token

    now = datetime.now(UTC)
    with closing(open_access_file()) as access:
        users = access.current().users
        if users.find(user_name) is None:
            raise unknown_name("user", user_name, [one.name for one in users.all()])
        token, event = issue_token(
            user_name, name, scopes, now, getpass.getuser(), now + timedelta(days=days), resources.read_digest_key()
        )
        access.change(lambda _now: event)
    if as_json:
        output.print_json(
            {"token": token, "id": event.token_id, "name": name, "scopes": event.scopes, "until": event.until}
        )
        return
    click.echo(token)
    click.echo(f"token '{name}' (id {event.token_id}) of '{user_name}'; it cannot be shown again", err=True)


@command.command("list")
@json_option
def list_(*, as_json: bool) -> None:
    """List the tokens that are valid.

    \b
    Examples:
      modicum token list
      modicum token list --json
    """
    with closing(open_access_file()) as access:
        tokens = access.current().tokens.in_force(datetime.now(UTC))
    if as_json:
        rows = [
            {"id": one.token_id, "name": one.name, "user": one.user, "scopes": one.scopes, "until": one.until}
            for one in tokens
        ]
        output.print_json({"tokens": rows})
        return
    if not tokens:
        click.echo("no token is in force: 'modicum token create NAME --user USER' makes one")
        return
    output.print_table(
        ["name", "id", "user", "scopes", "until"],
        [
            [one.name, one.token_id, one.user, " ".join(one.scopes), f"{one.until:%Y-%m-%d}" if one.until else ""]
            for one in tokens
        ],
        left=5,
    )


@command.command()
@click.argument("name")
@json_option
def revoke(name: str, *, as_json: bool) -> None:
    """Revoke a token, by its name or id.

    \b
    Examples:
      modicum token revoke nightly
      modicum token revoke nightly --json
    """
    from modicum.governance.access.tokens import revoke_token

    with closing(open_access_file()) as access:
        access.change(lambda now: revoke_token(now.tokens, name, datetime.now(UTC), getpass.getuser()))
    if as_json:
        output.print_json({"name": name, "revoked": True})
        return
    click.echo(f"token '{name}' revoked")
