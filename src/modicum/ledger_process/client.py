"""A `Store` that asks the ledger process: what it owns, nobody else can open."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from modicum.calls import Entry, UserError
from modicum.ledger.record_table import N, RecordTable
from modicum.ledger.rows import Arrays, Row
from modicum.ledger.store import Appended, Purge
from modicum.ledger_process import wire
from modicum.ledger_process.running import Running
from modicum.outbound.blocking import ask
from modicum.outbound.hosts import Origin
from modicum.outbound.unreachable import Unreachable

TIMEOUT_S = 300.0


class LedgerProcessStore:
    """The ledger through the process that owns it.

    Raises:
        UserError: from any method: the process has gone, or says why it cannot answer.
    """

    def __init__(self, running: Running) -> None:
        self.place = running.ledger
        self._running = running
        self._origin = Origin(running.host, running.port, tls=False)

    def append(self, entries: Sequence[Entry]) -> Appended:
        return msgspec.convert(self._post("append", msgspec.msgpack.encode(list(entries))), Appended)

    def append_records(
        self, table: RecordTable[N], records: Sequence[N], sent_ns: Sequence[int] | None = None
    ) -> Appended:
        batch = {"records": list(records), "sent_ns": sent_ns}
        return msgspec.convert(self._post(f"append/{table.name}", msgspec.msgpack.encode(batch)), Appended)

    def records(
        self,
        table: RecordTable[N],
        since: datetime | None = None,
        until: datetime | None = None,
        *,
        after: N | None = None,
        most: int | None = None,
    ) -> list[N]:
        query = {"since": since, "until": until, "after": after, "most": most}
        return table.convert(self._post(f"records/{table.name}", msgspec.msgpack.encode(query)))

    def ask(self, question: str, **parameters: Any) -> list[Row]:
        rows: list[Row] = self._post("ask", wire.encode({"question": question, "parameters": parameters}))
        return rows

    def ask_columns(self, question: str, **parameters: Any) -> Arrays:
        """Columns as the engine gives them; columns of other things than numbers are object arrays."""
        columns = self._post("ask-columns", wire.encode({"question": question, "parameters": parameters}))
        return {name: _array(values) for name, values in columns.items()}

    def purge(self, which: Purge) -> int:
        return int(self._post("purge", msgspec.msgpack.encode(which)))

    def purge_records(self, before: datetime) -> dict[str, int]:
        return msgspec.convert(self._post("purge-records", wire.encode({"before": before})), dict[str, int])

    def entries(self, batch: int = 10_000, after: str = "") -> Iterator[list[Entry]]:
        while page := msgspec.convert(
            self._post("entries", wire.encode({"after": after, "batch": batch})), list[Entry]
        ):
            yield page
            after = page[-1].call.call_id

    def sum_days(self, zone: str, ended_before: datetime, most: int) -> int:  # noqa: ARG002 - a store is asked so
        """None: the process that holds the ledger sums days by itself."""
        return 0

    def conversations_of(self, entry_ids: Sequence[str]) -> dict[str, str]:
        found = self._post("conversations-of", msgspec.msgpack.encode(list(entry_ids)))
        return msgspec.convert(found, dict[str, str])

    def live(self, by: str, seconds: float, named: Sequence[tuple[str, str]] = ()) -> Any:
        """What the gateway does now; `named`: of the calls that fit, as dimension and pattern."""
        live = self._post("live", wire.encode({"by": by, "seconds": seconds, "where": named}))
        if named and "chosen" not in live:
            raise UserError("the ledger process is of an older version and cannot choose calls; restart 'modicum up'")
        return live

    def raise_test_alert(self) -> None:
        """Raises a test alert in the ledger process: in its log and its metrics, and posted nowhere."""
        self._post("test-alert", wire.encode({}))

    def close(self) -> None:
        """Nothing is held open."""

    def _post(self, what: str, body: bytes) -> Any:
        running = self._running
        headers = {"authorization": f"Bearer {running.token}", "accept": wire.MEDIA_TYPE}
        try:
            reply = ask(self._origin, "POST", f"/api/{what}", body, headers, timeout_s=TIMEOUT_S)
        except Unreachable as trouble:
            raise UserError(
                f"the ledger process ({trouble}, process {running.process}) does not answer; run the command again: if "
                "the process has ended, the ledger is opened without it"
            ) from None
        if reply.status == 404:
            raise UserError(
                f"the ledger process (process {running.process}) does not know '{what}': it is of another version; "
                "stop 'modicum up' and start it again"
            )
        if reply.status != 200:
            raise UserError(f"the ledger process says: {reply.body.decode('utf-8', 'replace')[:500]}")
        return wire.decode(reply.body)


def _array(values: Any) -> npt.NDArray[Any]:
    if isinstance(values, np.ndarray):
        return values
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array
