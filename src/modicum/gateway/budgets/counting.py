"""Where a gateway's budgets are counted: in its memory, or in a server that several processes and hosts share."""

import socket
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from modicum.calls import UserError
from modicum.calls.words.counted_nouns import number_of
from modicum.gateway.budgets.budgeting import Budgeting
from modicum.gateway.budgets.call_prices import CallPrices
from modicum.gateway.budgets.spent import OpenLedger, SpentBefore
from modicum.gateway.failures import Failed
from modicum.gateway.process.log import log
from modicum.metering.prices import PriceBook
from modicum.settings import Settings
from modicum.state.counters import SharedCounters
from modicum.state.memory import MemoryCounters


async def budgeting_of(
    settings: Settings,
    journal: Path,
    prices: Callable[[], PriceBook],
    open_ledger: OpenLedger | None,
    failed: Failed,
) -> Budgeting:
    """The budgets' stage of this process, without any budget yet.

    `settings` say where counters are; `journal` is that of this process.

    Raises:
        UserError: the server of counters is there, and it cannot be used.
    """
    before = SpentBefore(journal.parent, open_ledger, _name_of_ledger(settings, journal))
    if not settings.state.redis:
        return _stage(MemoryCounters(), prices, before, failed)
    from modicum.state.redis import RedisCounters  # only where it is used

    process = f"{socket.gethostname()}:{journal.with_suffix('')}"
    counters = RedisCounters(settings.state.redis, process, settings.state.prefix)
    counters.log = lambda problem: log("state_unusable", problem=problem)
    try:
        await counters.start()
    except UserError as error:
        await counters.close()
        if settings.budget or settings.limit:
            raise
        log("state_unusable", problem=str(error))
    budgeting = _stage(counters, prices, before, failed)
    counters.when_lost, budgeting.shared_records = budgeting.renew, counters
    return budgeting


def check_budget_workers(settings: Settings, count: int) -> None:
    """Whether budgets and limits of the settings can be kept by so many gateway processes.

    Raises:
        UserError: they cannot: each process would count for itself.
    """
    if (settings.budget or settings.limit) and count > 1 and not settings.state.redis:
        table = "budget" if settings.budget else "limit"
        raise UserError(
            f"{settings.file or 'the settings'}: {table}s are counted in the gateway's memory, and "
            f"{number_of(count, 'worker')} would each count for themselves, so that more would pass than they allow: "
            "have them share a Redis or "
            'Valkey (redis = "redis://host:6379/0" under [state], docs/budgets.md), set gateway.workers to 1 (and '
            f"leave out --workers), or take out [[{table}]]"
        )


def _stage(counters: SharedCounters, prices: Callable[[], PriceBook], before: SpentBefore, failed: Failed) -> Budgeting:
    return Budgeting(counters, CallPrices(prices), before, failed)


def _name_of_ledger(settings: Settings, journal: Path) -> str:
    """The same for gateways with the same ledger."""
    if settings.ledger.startswith("clickhouse"):
        parts = urlsplit(settings.ledger)
        return f"{parts.netloc.rpartition('@')[2]}{parts.path}"
    return f"{socket.gethostname()}:{settings.ledger or journal.parent}"
