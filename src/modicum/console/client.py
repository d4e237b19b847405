"""A `Store` that asks the ledger process: what it owns, nobody else can open."""

import http.client
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from modicum.calls import AuditEvent, EnergyWindow, Entry, Outcome, UserError
from modicum.console import wire
from modicum.console.running import Running
from modicum.ledger.columns import audit_from
from modicum.ledger.store import Appended, Arrays, Purge, Row

TIMEOUT_S = 300.0


class ConsoleStore:
    """Raises:
    UserError: from any method: the process has gone, or says why it cannot answer.
    """

    def __init__(self, running: Running) -> None:
        self.place = running.ledger
        self._running = running

    def append(self, entries: Sequence[Entry]) -> Appended:
        return msgspec.convert(self._post("append", msgspec.msgpack.encode(list(entries))), Appended)

    def append_outcomes(self, outcomes: Sequence[Outcome], revisions: Sequence[int] | None = None) -> int:
        return int(self._post("append-outcomes", msgspec.msgpack.encode((list(outcomes), revisions))))

    def append_energy(self, windows: Sequence[EnergyWindow]) -> Appended:
        return msgspec.convert(self._post("append-energy", msgspec.msgpack.encode(list(windows))), Appended)

    def append_audit(self, events: Sequence[AuditEvent]) -> int:
        return int(self._post("append-audit", msgspec.msgpack.encode(list(events))))

    def audit(self) -> list[AuditEvent]:
        return [audit_from(row) for row in self.ask("audit")]

    def ask(self, question: str, **parameters: Any) -> list[Row]:
        rows: list[Row] = self._post("ask", wire.encode({"question": question, "parameters": parameters}))
        return rows

    def ask_columns(self, question: str, **parameters: Any) -> Arrays:
        """As the engine gives them; columns of other things than numbers are object arrays."""
        columns = self._post("ask-columns", wire.encode({"question": question, "parameters": parameters}))
        return {name: _array(values) for name, values in columns.items()}

    def purge(self, which: Purge) -> int:
        return int(self._post("purge", msgspec.msgpack.encode(which)))

    def purge_energy(self, before: datetime) -> int:
        return int(self._post("purge-energy", wire.encode({"before": before})))

    def entries(self, batch: int = 10_000, after: str = "") -> Iterator[list[Entry]]:
        while page := msgspec.convert(
            self._post("entries", wire.encode({"after": after, "batch": batch})), list[Entry]
        ):
            yield page
            after = page[-1].call.call_id

    def conversations_of(self, entry_ids: Sequence[str]) -> dict[str, str]:
        found = self._post("conversations-of", msgspec.msgpack.encode(list(entry_ids)))
        return msgspec.convert(found, dict[str, str])

    def outcomes(self) -> list[Outcome]:
        return msgspec.convert(self._post("outcomes", b""), list[Outcome])

    def energy(self, since: datetime, until: datetime) -> list[EnergyWindow]:
        found = self._post("energy", wire.encode({"since": since, "until": until}))
        return msgspec.convert(found, list[EnergyWindow])

    def live(self, by: str, seconds: float) -> Any:
        return self._post("live", wire.encode({"by": by, "seconds": seconds}))

    def close(self) -> None:
        """Nothing is held open."""

    def _post(self, what: str, body: bytes) -> Any:
        running = self._running
        connection = http.client.HTTPConnection(running.host, running.port, timeout=TIMEOUT_S)
        try:
            connection.request(
                "POST", f"/api/{what}", body, {"authorization": f"Bearer {running.token}", "accept": wire.MEDIA_TYPE}
            )
            reply = connection.getresponse()
            data = reply.read()
        except (OSError, http.client.HTTPException) as error:
            raise UserError(
                f"the ledger process ({running.host}:{running.port}, process {running.process}) does not answer: "
                f"{error}; run the command again: if the process has ended, the ledger is opened without it"
            ) from None
        finally:
            connection.close()
        if reply.status != 200:
            raise UserError(f"the ledger process says: {data.decode('utf-8', 'replace')[:500]}")
        return wire.decode(data)


def _array(values: Any) -> npt.NDArray[Any]:
    if isinstance(values, np.ndarray):
        return values
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array
