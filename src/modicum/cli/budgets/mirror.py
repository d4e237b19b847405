"""`modicum budget mirror`: the spend limits of Anthropic's own gateway as budgets to paste."""

import json
import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit

import click
import msgspec

from modicum.calls import UserError
from modicum.cli.shared_options import json_option
from modicum.cli.terminal import output
from modicum.governance.spend_limits import Mirrored, MirroredBudget, mirrored
from modicum.outbound.blocking import ask
from modicum.outbound.hosts import origin_at
from modicum.outbound.unreachable import Unreachable

PATH = "/v1/organizations/spend_limits"
BETA = "spend-limit-reads-2026-09-26"
"""What Anthropic's own host wants to hear; its gateway takes no notice."""
MOST_PAGES = 1_000
TIMEOUT_S = 20.0
OK = 200


@click.command()
@click.argument("url")
@click.option("--key", required=True, help="Where the administrator's key is: env:NAME. It only has to read.")
@json_option
def command(url: str, key: str, *, as_json: bool) -> None:
    """Print the spend limits of a Claude apps gateway as [[budget]] rows (docs/plans.md). Nothing is changed anywhere.

    URL is its address: https://claude-gateway.example.com, or https://api.anthropic.com for Claude Enterprise.

    \b
    Examples:
      modicum budget mirror https://claude-gateway.example.com --key env:GATEWAY_ADMIN_KEY
      modicum budget mirror https://claude-gateway.example.com --key env:GATEWAY_ADMIN_KEY --json
    """
    found = mirrored(_limits(url, _key(key)))
    if as_json:
        rows = [_row(budget) for budget in found.budgets]
        output.print_json({"budgets": rows, "problems": found.problems})
        return
    _print(found)


def _print(found: Mirrored) -> None:
    for budget in found.budgets:
        click.echo("[[budget]]")
        for name, value in _row(budget).items():
            click.echo(f"{name} = {json.dumps(value)}")
        click.echo()
    for problem in found.problems:
        click.echo(f"# {problem}")
    if not found.budgets and not found.problems:
        click.echo("# it has no limits")


def _row(budget: MirroredBudget) -> dict[str, Any]:
    row = {"name": budget.name, "per": budget.per, "limit_usd": float(budget.limit_usd)}
    return row | {name: value for name, value in (("team", budget.team), ("user", budget.user)) if value}


def _key(place: str) -> str:
    kind, _, name = place.partition(":")
    if kind != "env" or not name:
        raise UserError("--key says where the key is, and not the key itself: env:NAME")
    value = os.environ.get(name, "").strip()
    if not value or not value.isascii() or not value.isprintable():
        raise UserError(f"{name} holds no key; set it to the administrator's key of that gateway")
    return value


def _limits(url: str, key: str) -> list[Any]:
    """All pages of the list."""
    origin, base = origin_at(url), urlsplit(url).path.rstrip("/").removesuffix("/v1")
    headers = {"x-api-key": key, "anthropic-version": "2023-06-01", "anthropic-beta": BETA}
    found: list[Any] = []
    page = ""
    for _ in range(MOST_PAGES):
        target = f"{base}{PATH}?limit=1000" + (f"&page={quote(page, safe='')}" if page else "")
        try:
            reply = ask(origin, "GET", target, headers=headers, timeout_s=TIMEOUT_S)
        except Unreachable as error:
            raise UserError(f"{url} does not answer: {error}") from None
        document = _object(reply.body)
        if reply.status != OK or not isinstance(document.get("data"), list):
            why = document.get("error", {})
            message = why.get("message") if isinstance(why, Mapping) else None
            raise UserError(
                f"{url}{PATH} answers {reply.status}, and with no list of limits: {str(message or '')[:300]}"
            )
        found += document["data"]
        page = str(document.get("next_page") or "")
        if not page:
            break
    return found


def _object(body: bytes) -> dict[str, Any]:
    try:
        document = msgspec.json.decode(body)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}
