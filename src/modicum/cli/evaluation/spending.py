"""A budget that cannot be passed: what a call may cost at most is set aside before it is sent, on disk too."""

import os
import threading
from pathlib import Path

import msgspec

from modicum.calls import UserError


class _Begun(msgspec.Struct, frozen=True):
    """A line: a call was about to be sent, and may cost this; or it has ended, and cost this."""

    number: int
    usd: float | None
    """None: nobody knows, and there is no budget."""
    ended: bool = False


class BudgetReached(Exception):  # noqa: N818 - an end that was planned for, not a fault
    """The next call might pass the budget."""


class EvalBudget:
    """What calls of one evaluation have cost and may cost, over all times that it was run. Used from threads.

    Args:
        path: a file of its own beside the results.
        limit_usd: None: calls are only written down.
    """

    def __init__(self, path: Path, limit_usd: float | None) -> None:
        self._path, self._limit = path, limit_usd
        self._lock = threading.Lock()
        self._parts = _read(path)

    @property
    def spent_usd(self) -> float:
        """With all that calls which never ended may have cost."""
        with self._lock:
            return self._sum()

    def reserve(self, worst_usd: float | None) -> int:
        """The number of a call that may be sent.

        Raises:
            BudgetReached: it might pass the budget.
            UserError: nobody knows what it may cost, and there is a budget.
        """
        if self._limit is not None and worst_usd is None:
            raise UserError("nobody knows what such a call may cost, so no budget can hold it; see docs/prices.md")
        with self._lock:
            if self._limit is not None and self._sum() + (worst_usd or 0.0) > self._limit:
                raise BudgetReached
            number = len(self._parts)
            self._append(_Begun(number, worst_usd))
            return number

    def settle(self, number: int, usd: float | None) -> None:
        """A call has ended. A cost that nobody knows stays at its worst case."""
        if usd is not None:
            with self._lock:
                self._append(_Begun(number, usd, ended=True))

    def _sum(self) -> float:
        return sum(part or 0.0 for part in self._parts.values())

    def _append(self, line: _Begun) -> None:
        with self._path.open("ab") as file:
            file.write(msgspec.json.encode(line) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        self._parts[line.number] = line.usd


def _read(path: Path) -> dict[int, float | None]:
    if not path.exists():
        return {}
    parts: dict[int, float | None] = {}
    lines = path.read_bytes().splitlines()
    for number, line in enumerate(lines, 1):
        try:
            part = msgspec.json.decode(line, type=_Begun)
        except msgspec.MsgspecError as error:
            if number == len(lines):
                break  # cut short before its call was sent
            raise UserError(
                f"{path}:{number} cannot be read ({error}); nobody knows what was spent: bring it back, or write to "
                "another file with --out"
            ) from None
        parts[part.number] = part.usd
    return parts
