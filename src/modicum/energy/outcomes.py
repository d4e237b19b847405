"""Energy beside bills and outcomes: pure functions that the ledger's tables are joined with."""

from modicum.energy.carbon import JOULES_PER_KWH


def outcomes_per_kwh(outcomes: float, joules: float | None) -> float | None:
    """Outcomes (resolved tickets, merged changes) per kilowatt-hour of all calls, failed ones included.

    Returns:
        None where the energy is unknown or zero: not measured is not free.
    """
    return outcomes / (joules / JOULES_PER_KWH) if joules else None


def joules_per_outcome(outcomes: float, joules: float | None) -> float | None:
    """None where the energy is unknown or there is no outcome."""
    return joules / outcomes if joules is not None and outcomes > 0 else None


def watt_hours(joules: float | None) -> float | None:
    return None if joules is None else joules / 3600


def summed(parts: list[float | None]) -> tuple[float | None, int]:
    """The sum of what is known, and how many are unknown; None where nothing is known.

    Calls whose energy nobody measured are counted, never added as zero.
    """
    known = [part for part in parts if part is not None]
    return (sum(known) if known else None), len(parts) - len(known)
