"""`modicum user`: who may look at the console and change what. Every change is an event with who did it and when."""

import getpass
import re
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from modicum.calls import UserError
from modicum.calls.words.counted_nouns import number_of
from modicum.cli.shared_options import json_option
from modicum.cli.terminal import output
from modicum.cli.terminal.verb_group import WholeLines
from modicum.library import resources
from modicum.settings import read_settings, state_folder

if TYPE_CHECKING:
    from modicum.console.access.access_file import AccessFile
    from modicum.governance.access.users import User

LINK_HOURS = 24
_ROLES = "owner, editor or viewer; with a team as editor:TEAM, viewer:TEAM"


@click.group(cls=WholeLines)
def command() -> None:
    """Manage who may look at the console, and change what.

    As long as nobody was added, everybody who can open a port on this machine is its owner. The first user must be an
    owner (docs/console.md).

    \b
    Examples:
      modicum user add ann owner
      modicum user add bob editor:search viewer:web
      modicum user link bob
      modicum user list
      modicum user remove bob
    """


@command.command()
@click.argument("name")
@click.argument("roles", nargs=-1, required=True)
@click.option("--subject", default="", help="Who that is at the OIDC provider. Default: NAME.")
@json_option
def add(name: str, roles: tuple[str, ...], subject: str, *, as_json: bool) -> None:
    """Add a user with ROLES, or give one other roles; show a link with which somebody new logs in once.

    ROLES: owner, editor or viewer; of one team editor:TEAM or viewer:TEAM; several for several teams.

    \b
    Examples:
      modicum user add ann owner
      modicum user add bob editor:search viewer:web --json
    """
    from modicum.governance.access.users import parse_roles, set_user, show_roles

    given, is_new = parse_roles(roles), False
    with closing(open_access_file()) as access:
        is_new = access.current().users.find(name) is None
        access.change(
            lambda now: set_user(
                now.users, name, given, datetime.now(UTC), getpass.getuser(), subject or _subject(now.users.find(name))
            )
        )
        link = _make_link(access, name, LINK_HOURS) if is_new else ""
    if as_json:
        output.print_json({"name": name, "roles": given, "link": link or None})
        return
    click.echo(f"'{name}' is {show_roles(given)}")
    if link:
        _print_link(name, link, LINK_HOURS)


@command.command("list")
@json_option
def list_(*, as_json: bool) -> None:
    """List the users with their roles.

    \b
    Examples:
      modicum user list
      modicum user list --json
    """
    from modicum.governance.access.users import show_roles

    with closing(open_access_file()) as access:
        users = access.current().users.all()
    if as_json:
        rows = [{"name": one.name, "roles": one.roles, "has_password": bool(one.password)} for one in users]
        output.print_json({"users": rows})
        return
    if not users:
        click.echo(
            "the console knows no users: who can open a port on this machine is its owner; 'modicum user add NAME "
            "owner' adds the first"
        )
        return
    output.print_table(
        ["name", "roles", "password"],
        [[one.name, show_roles(one.roles), "set" if one.password else ""] for one in users],
        left=3,
    )


@command.command()
@click.argument("name")
@click.option("--hours", type=click.IntRange(1, 720), default=LINK_HOURS, show_default=True, help="How long it opens.")
@json_option
def link(name: str, hours: int, *, as_json: bool) -> None:
    """Make a link with which a user logs in once.

    \b
    Examples:
      modicum user link bob
      modicum user link bob --hours 2 --json
    """
    with closing(open_access_file()) as access:
        text = _make_link(access, name, hours)
    if as_json:
        output.print_json({"name": name, "link": text, "hours": hours})
        return
    _print_link(name, text, hours)


@command.command()
@click.argument("name")
@json_option
def password(name: str, *, as_json: bool) -> None:
    """Set a user's password, which is asked for. It ends the user's sessions.

    \b
    Examples:
      modicum user password ann
      modicum user password ann --json < password.txt
    """
    from modicum.governance.access.passwords import hash_password
    from modicum.governance.access.users import UserEvent

    with closing(open_access_file()) as access:
        _find(access, name)
        typed = sys.stdin.isatty()
        words = (
            click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True) if typed else _first_line()
        )
        hashed = hash_password(words)
        access.change(
            lambda _now: UserEvent(
                what="password", name=name, at=datetime.now(UTC), by=getpass.getuser(), password=hashed
            )
        )
    if as_json:
        output.print_json({"name": name, "password": "set"})
        return
    click.echo(f"the password of '{name}' is set; sessions of '{name}' have ended")


@command.command()
@click.argument("name")
@json_option
def remove(name: str, *, as_json: bool) -> None:
    """Remove a user; sessions, links and tokens of that name end at once.

    \b
    Examples:
      modicum user remove bob
      modicum user remove bob --json
    """
    from modicum.governance.access.users import remove_user

    with closing(open_access_file()) as access:
        access.change(lambda now: remove_user(now.users, name, datetime.now(UTC), getpass.getuser()))
    if as_json:
        output.print_json({"name": name, "removed": True})
        return
    click.echo(f"'{name}' was removed: sessions, links and tokens have ended")


def open_access_file() -> "AccessFile":
    """Who may use the console, with tokens: in the state folder of this user."""
    from modicum.console.access.access_file import AccessFile

    return AccessFile(state_folder())


def _subject(user: "User | None") -> str:
    return user.subject if user else ""


def _find(access: "AccessFile", name: str) -> "User":
    from modicum.calls.errors import unknown_name

    users = access.current().users
    user = users.find(name)
    if user is None:
        raise unknown_name("user", name, [one.name for one in users.all()])
    return user


def _make_link(access: "AccessFile", name: str, hours: int) -> str:
    """The address of a link that logs a user in once."""
    from modicum.governance.access.users import make_link

    _find(access, name)
    text, event = make_link(
        name, datetime.now(UTC), timedelta(hours=hours), getpass.getuser(), resources.read_digest_key()
    )
    access.change(lambda _now: event)
    console = read_settings().console
    base = console.public_url.rstrip("/") or f"http://{console.pages_listen or '127.0.0.1:4101'}"
    return f"{base}/login/link?link={text}"


def _print_link(name: str, link: str, hours: int) -> None:
    click.echo(link)
    click.echo(f"it logs '{name}' in once, within {number_of(hours, 'hour')}, and cannot be shown again", err=True)


def _first_line() -> str:
    line = re.split(r"[\r\n]", sys.stdin.readline())[0]
    if not line:
        raise UserError("no password came: type one, or hand it over on the standard input")
    return line
