"""`[alerts]`: what is worth an alert, and where alerts go beside the log."""

import math
import os
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

import msgspec

from modicum.calls import UserError
from modicum.governance.alerts import AlertRules
from modicum.insights.dimensions import OF_AGENTS, TAG, parse_dimensions
from modicum.settings.secret import header_at, is_place, secret_at

WATCHED = ("team", "app", "key", "project", "agent", "model", "provider", "source", *OF_AGENTS, TAG)
MOST_REPEATS = 100_000
MOST_STEPS = 10
MOST_STEP = 10.0
_ADDRESS = re.compile(r"https?://[^\s/?#]+")


class AlertSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The section `[alerts]` of the settings."""

    webhook: str = ""
    """Where alerts are posted: an address, or `env:NAME` or `file:PATH` where the address is a secret. Empty: alerts
    stand in the log only."""
    headers: dict[str, str] = {}
    """Sent with each; a key as `env:NAME` or `file:PATH`."""
    body: Literal["event", "text"] = "event"
    """What is posted: the whole event as JSON, or `{"text": "..."}`, as chat services take it."""
    budget_steps: tuple[float, ...] = (0.5, 0.8, 1.0)
    """Shares of a budget's limit at which its spend is told."""
    refusals: int = 20
    """How many requests of one owner, refused for one reason within five minutes, are told. 0: none."""
    behind_s: float = 60.0
    """How long finished calls may wait to get into the ledger."""
    again_after_s: float = 3600.0
    """How soon what has come and gone is told again."""
    by: str = "team"
    """Whose days, caches, loops and yields are watched: `team`, `app`, `key`, `project`, `agent`, `tag:kind`, or two or
    three of them with a comma."""
    anomaly_floor_usd: float = 20.0
    """What an owner's day must be above what is usual, to be told. 0: no such alert."""
    loop_repeats: int = 10
    """How often a tool must give an agent, within an hour, what it has given twice before, to be told. 0: no such
    alert."""
    yield_fall: float = 0.25
    """By what share outcomes per dollar must have fallen, beyond chance, to be told. 0: no such alert."""
    console: str = ""
    """Where people open the console, for links in what is posted: `https://modicum.example.com`. Empty: no links."""


class Webhook(NamedTuple):
    """Where alerts are posted."""

    url: str
    headers: Mapping[str, str]
    body: Literal["event", "text"] = "event"
    console: str = ""
    """Where the console is, for links; empty: they have none."""

    @property
    def shown(self) -> str:
        """Its host: the rest of the address may be a secret."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def webhook_of(alerts: AlertSettings, environment: Mapping[str, str] = os.environ) -> Webhook | None:
    """Where alerts are posted; None: nowhere.

    Raises:
        UserError: an address or a header is not where the settings say, or no address.
    """
    if not alerts.webhook:
        return None
    place = alerts.webhook
    url = secret_at("alerts.webhook", place, environment) if is_place(place) else place
    if not _is_address(url):
        shown = f"what {place} holds" if is_place(place) else f"'{place:.80}'"
        raise UserError(f"alerts.webhook: {shown} is no web address; it begins with https:// or http://")
    headers = {
        name.lower(): header_at(f"alerts.headers.{name}", name, value, environment)
        for name, value in alerts.headers.items()
    }
    return Webhook(url, headers, alerts.body, alerts.console.rstrip("/"))


def alert_rules_of(alerts: AlertSettings) -> AlertRules:
    """What checked settings say is worth an alert."""
    again_after = timedelta(seconds=alerts.again_after_s)
    return AlertRules(alerts.budget_steps, alerts.refusals, alerts.behind_s, again_after)


def parse_watched(by: str) -> tuple[tuple[str, str], ...]:
    """The dimensions of owners that are watched, each with its tag. Persons and single tasks are none.

    Raises:
        UserError: it is none, or more than three.
    """
    return parse_dimensions("alerts", (by,), WATCHED)


def alerts_fault(alerts: AlertSettings) -> tuple[str, str] | None:
    """The setting that is wrong, and what it must be."""
    if alerts.webhook and not is_place(alerts.webhook) and not _is_address(alerts.webhook):
        return "webhook", "must be an address as https://hooks.example.com/x, or say where it is: env:NAME, file:PATH"
    steps = alerts.budget_steps
    if len(steps) > MOST_STEPS or not all(math.isfinite(step) and 0 < step <= MOST_STEP for step in steps):
        return (
            "budget_steps",
            f"is up to {MOST_STEPS} shares of a limit, above 0 and up to {MOST_STEP:g}",
        )
    if alerts.refusals < 0:
        return "refusals", "is a number of requests, or 0 for no such alert"
    for key, least in (("behind_s", 5.0), ("again_after_s", 60.0)):
        if not least <= getattr(alerts, key) <= 30 * 86_400:
            return key, f"is a number of seconds from {least:g} to 30 days"
    return _view_fault(alerts)


def _view_fault(alerts: AlertSettings) -> tuple[str, str] | None:
    """Of what is worth a look, and where people look."""
    try:
        parse_watched(alerts.by)
    except UserError as error:
        return "by", f"is wrong: {error}"
    if not 0 <= alerts.loop_repeats <= MOST_REPEATS:
        return "loop_repeats", f"is a number of answers up to {MOST_REPEATS:,}, or 0 for no such alert"
    if not 0 <= alerts.yield_fall < 1:
        return "yield_fall", "is a share from 0 to below 1; 0 is for no such alert"
    if not (math.isfinite(alerts.anomaly_floor_usd) and alerts.anomaly_floor_usd >= 0):
        return "anomaly_floor_usd", "is a number of dollars, or 0 for no such alert"
    if alerts.console and not _is_address(alerts.console):
        return "console", "must be an address as https://modicum.example.com, or empty"
    return None


def _is_address(url: str) -> bool:
    try:
        return (
            bool(_ADDRESS.match(url)) and url.isprintable() and bool(urlsplit(url).hostname) and urlsplit(url).port != 0
        )
    except ValueError:
        return False
