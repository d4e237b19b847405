"""`modicum headroom`: what is left of the providers' own limits, and how many more users fit into it."""

from typing import Any, NamedTuple

import click

from modicum.calls import UserError
from modicum.cli.shared_options import json_option
from modicum.cli.terminal import output
from modicum.cli.terminal.quantity import Quantity
from modicum.governance.budgets import fits_model
from modicum.governance.limits import users_that_fit
from modicum.settings import Settings, host_and_port, read_settings, state_folder

LIMIT, LEFT = "modicum_provider_limit", "modicum_provider_limit_left"
OK = 200


class HeadroomRow(NamedTuple):
    """One limit of a provider."""

    upstream: str
    model: str
    unit: str
    limit: int
    """A minute."""
    left: int
    """As the newest reply says it."""
    used_per_minute: float
    """By calls of ours that ended within the window."""
    users: int
    more_users: int | None
    """None: nobody is there to go by."""


@click.command()
@click.option(
    "--seconds",
    default=300.0,
    show_default=True,
    type=Quantity(60, 900),
    help="How many seconds back users are counted.",
)
@json_option
def command(seconds: float, *, as_json: bool) -> None:
    """Show what is left of the providers' own limits, from the headers of their replies, and how many more users fit.

    More users: if each takes as much a minute as those of the last minutes did on average. 'modicum up' must be
    running; limits are shown of models that were called within two minutes, at providers that say them (OpenAI,
    Anthropic, and who has the same headers).

    \b
    Examples:
      modicum headroom
      modicum headroom --seconds 600 --json
    """
    from modicum.ledger_process.client import LedgerProcessStore
    from modicum.ledger_process.running import find

    running = find(state_folder())
    if running is None:
        raise UserError("no ledger process is running; start one with 'modicum up'")
    live = LedgerProcessStore(running).live("model", seconds)
    rows = headroom_rows(_metrics(read_settings()), live["rows"], seconds)
    if as_json:
        output.print_json({"seconds": seconds, "limits": [row._asdict() for row in rows]})
        return
    if not rows:
        click.echo("no provider has said what its limits are within the last two minutes")
        return
    output.print_table(
        ["upstream", "model", "limit on", "a minute", "left", "used a minute", "users", "more users fit"],
        [_cells(row) for row in rows],
        left=3,
    )


def headroom_rows(metrics: str, live: list[dict[str, Any]], seconds: float) -> list[HeadroomRow]:
    """The providers' limits, as the gateway's metrics say them, beside what calls have used.

    Args:
        metrics: of the gateway, as text.
        live: what the last seconds had, a row for each model.
        seconds: how many these were.
    """
    states: dict[tuple[str, str, str], dict[str, float]] = {}
    for family in _families(metrics):
        for sample in family.samples:
            labels = sample.labels
            if sample.name in {LIMIT, LEFT} and sample.value == sample.value:  # nan: nobody knows it any more
                place = labels["upstream"], labels["model"], labels["unit"]
                states.setdefault(place, {})[sample.name] = sample.value
    rows = []
    for (upstream, model, unit), state in sorted(states.items()):
        if state.keys() != {LIMIT, LEFT}:
            continue
        used = [row for row in live if fits_model(model, row["name"])]
        amount = sum(row["calls"] if unit == "requests" else _tokens(row) for row in used) * 60 / seconds
        users, most = sum(row["users"] for row in used), int(state[LIMIT])
        fit = users_that_fit(most, amount, users)
        rows.append(HeadroomRow(upstream, model, unit, most, int(state[LEFT]), round(amount, 1), users, fit))
    return rows


def _families(metrics: str) -> Any:
    from prometheus_client.parser import text_string_to_metric_families

    return text_string_to_metric_families(metrics)


def _tokens(row: dict[str, Any]) -> int:
    return int(row["prompt_tokens"]) + int(row["completion_tokens"])


def _metrics(settings: Settings) -> str:
    """Of the gateway that these settings start.

    Raises:
        UserError: it does not answer.
    """
    from modicum.gateway.process.tls import caller_context
    from modicum.outbound.blocking import ask
    from modicum.outbound.hosts import Origin
    from modicum.outbound.unreachable import Unreachable

    host, port = host_and_port("gateway.listen", settings.gateway.listen)
    encrypted = bool(settings.gateway.tls_certificate_file)
    origin = Origin(host, port, tls=encrypted, trust=caller_context(settings) if encrypted else None)
    try:
        reply = ask(origin, "GET", "/metrics", timeout_s=5)
    except Unreachable as trouble:
        raise UserError(f"the gateway does not answer ({trouble}); start it with 'modicum up'") from None
    if reply.status != OK:
        raise UserError(f"the gateway on {host}:{port} answers {reply.status} to /metrics; 'modicum doctor' says more")
    return reply.body.decode("utf-8", "replace")


def _cells(row: HeadroomRow) -> list[str]:
    return [
        row.upstream,
        row.model,
        row.unit,
        output.count(row.limit),
        output.count(row.left),
        f"{row.used_per_minute:,.1f}",
        output.count(row.users),
        "unknown" if row.more_users is None else output.count(row.more_users),
    ]
