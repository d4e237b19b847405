"""What stands beside the logs of the sample shop, so that pages about keys, budgets, energy and decisions show
something: invented, as its logs are.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from modicum.calls import EnergyWindow, Owner
from modicum.governance.keys import KeyEvent, Keys, audit, issue, revoke
from modicum.ledger.events import EventFile
from modicum.ledger.records import AUDIT_EVENTS, ENERGY_WINDOWS
from modicum.ledger.store import Store
from modicum.settings import BudgetSettings, Settings

OPENED = datetime(2026, 3, 2, 8, tzinfo=UTC)
OWNERS = (
    Owner(team="service", app="support-bot", key="support-bot"),
    Owner(team="service", app="returns-desk", key="returns-desk"),
    Owner(team="catalogue", app="copywriters", key="copywriters"),
    Owner(team="finance", app="weekly-report", key="weekly-report"),
)
BUDGETS = (
    BudgetSettings(name="the shop", per="ever", limit_usd=10.0),
    BudgetSettings(name="support", per="month", limit_usd=5.0, team="service"),
)
OWN_SERVER = "shop-shelves-7b"
WATTS = 180.0
LEAST_S = 5.0
"""A window is as long as that at least."""


def with_sample_budgets(settings: Settings) -> Settings:
    """The settings as the shop has them: nothing in the user's own file is meant, and none of it can be changed."""
    return msgspec.structs.replace(settings, budget=BUDGETS, file="")


def add_sample_state(folder: Path, store: Store) -> None:
    """Issues the shop's keys, one of which was revoked, and books the energy of its own server."""
    events = EventFile(folder / "events.sqlite")
    try:
        for number, owner in enumerate(OWNERS):
            at = OPENED + timedelta(hours=number)
            events.append("key", issue(owner, (), at, "sam", bytes(64))[1])
        issued = events.read("key", KeyEvent)
        events.append("key", revoke(Keys(issued), "returns-desk", OPENED + timedelta(days=9), "sam"))
        store.append_records(AUDIT_EVENTS, audit(events.read("key", KeyEvent)))
    finally:
        events.close()
    store.append_records(ENERGY_WINDOWS, _windows(store))


def _windows(store: Store) -> list[EnergyWindow]:
    """One for each call to the shop's own server."""
    windows = []
    for page in store.entries():
        for call in (entry.call for entry in page if entry.call.model == OWN_SERVER):
            finished = call.finished or call.started
            seconds = max(LEAST_S, (finished - call.started).total_seconds())
            windows.append(
                EnergyWindow(
                    started=call.started.timestamp(),
                    seconds=seconds,
                    gpus=("GPU-of-the-sample",),
                    servers=("http://shelves.shop.example:8000",),
                    provider=call.provider,
                    joules=WATTS * seconds,
                    counted=True,
                    generated_tokens=float(call.usage.completion_tokens),
                    prompt_tokens=float(call.usage.prompt_tokens),
                    cached_tokens=0.0,
                    steps=float(call.usage.completion_tokens),
                    running_seconds=seconds,
                    busy_seconds=seconds,
                )
            )
    return windows
