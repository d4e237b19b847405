"""Budgets of a gateway that is one process: its counters are in its memory."""

from collections.abc import Callable
from pathlib import Path

from modicum.calls import UserError
from modicum.gateway.budgets.budgeting import Budgeting
from modicum.gateway.budgets.call_prices import CallPrices
from modicum.gateway.budgets.spent import OpenLedger, SpentBefore
from modicum.gateway.failures import Failed
from modicum.metering.prices import PriceBook
from modicum.settings import Settings
from modicum.state.memory import MemoryCounters


def budgeting_of(
    journals: Path, prices: Callable[[], PriceBook], open_ledger: OpenLedger | None, failed: Failed
) -> Budgeting:
    """The budgets' stage of this process, without any budget yet."""
    return Budgeting(MemoryCounters(), CallPrices(prices), SpentBefore(journals, open_ledger), failed)


def check_budget_workers(settings: Settings, count: int) -> None:
    """Whether the budgets of the settings can be kept by so many gateway processes.

    Raises:
        UserError: they cannot: each process would count for itself.
    """
    if settings.budget and count > 1:
        raise UserError(
            f"{settings.file or 'the settings'}: budgets are counted in one gateway process, and {count} workers would "
            "each count for themselves, so that more could be spent than they allow: set gateway.workers to 1 (and "
            "leave out --workers), or take out [[budget]]"
        )
