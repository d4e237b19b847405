"""Spans that came in over OTLP, on their way into the ledger: each call counted once.

A gateway keeps what an exporter sent in a journal of its own kind (`Received`, one record a request) and answers. Here
it is held for some seconds, because what it stands inside of, or what stands inside of it, may come with a later
request. Then the rule of `span_tree` says which spans are counted. A call that went through the
gateway as well is the innermost span of its trace, and stands.

Of two calls inside each other that come more than `HOLD_S` apart, the one that was booked first stands.
"""

import sqlite3
from collections import OrderedDict
from collections.abc import Iterable
from pathlib import Path
from time import monotonic

import msgspec

from modicum.calls import Basis, Call, Entry, Problem
from modicum.calls.call import decode_call
from modicum.ledger import positions
from modicum.ledger.booking import book_all
from modicum.ledger.journal import SHIPPED
from modicum.ledger.journals import Journals
from modicum.ledger.otlp.span_matching import SpanMatcher
from modicum.ledger.session_reports import holds_reports, settle_reports
from modicum.ledger.shipper import AGAIN
from modicum.ledger.store import Store
from modicum.metering.prices import PriceBook
from modicum.providers.opentelemetry import traceparent
from modicum.providers.opentelemetry.span_tree import above, standing

HOLD_S = 10.0
"""Twice the time after which exporters send what they have."""
BATCH = 50
READ_AGAIN = 100
"""Requests before the position that are read again at the start, to know the traces that are under way."""
WARM_CALLS = 2_000
"""Newest calls of each gateway process that are known at the start."""
MOST_TRACES = 20_000
MOST_SPANS_HELD = 50_000
"""More are booked before their time. Memory: about 1 KB each."""
MOST_SPANS_IN_A_TRACE = 100_000
MOST_IDS = 50_000
_GATEWAY = "gateway"


class Received(msgspec.Struct, frozen=True, array_like=True):
    """A span: where it stands, and the call that it tells of, if it does."""

    trace_id: str
    span_id: str
    parent_id: str
    call: Call | None = None


class Moved(msgspec.Struct):
    """What one round booked."""

    entries: list[Entry] = []
    repeated: int = 0
    """Calls that are counted in another span or by the gateway."""
    problems: list[Problem] = []
    more: bool = False


class _Held(msgspec.Struct):
    path: Path
    seq: int
    since: float
    span_id: str
    call: Call


class _Trace:
    def __init__(self) -> None:
        self.tree: dict[str, str] = {}
        self.known: set[str] = set()
        """Calls whose tokens are known."""
        self.booked: set[str] = set()
        self.read_again: set[str] = set()
        """Calls that a former process was done with: booked, or counted elsewhere."""
        self.held: dict[str, _Held] = {}


_received = msgspec.msgpack.Decoder(list[Received])


class SpanShipper:
    """Brings the spans that gateways received into the store: as calls, each once.

    Args:
        folder: where gateways keep what came in over OTLP.
        calls: where they keep the journals of their own calls.
        hold_s: how long a call waits for the spans around it; None: `HOLD_S`.
    """

    def __init__(self, folder: Path, calls: Path, store: Store, prices: PriceBook, hold_s: float | None = None) -> None:
        self._calls, self._store, self._prices = Journals(calls), store, prices
        self._journals = Journals(folder)
        self._hold_s = HOLD_S if hold_s is None else hold_s
        self._read: dict[Path, int] = {}
        self._done: dict[Path, positions.Position] = {}
        self._traces: OrderedDict[str, _Trace] = OrderedDict()
        self._waiting: dict[str, _Trace] = {}
        """Those that hold something."""
        self._held = 0
        self._by_gateway: dict[str, None] = {}
        self._gateway_calls = SpanMatcher()
        self._load_newest(WARM_CALLS)

    def note_booked(self, entries: Iterable[Entry]) -> None:
        """Calls of the gateway, which stand above what spans tell of them."""
        for entry in entries:
            self._note_call(entry.call)

    def ship(self, *, all_of_it: bool = False) -> Moved:
        """One round. Raises what the store raises; nothing is lost then.

        Args:
            all_of_it: books what is held before its time.
        """
        moved = Moved()
        moved.problems += self._journals.each(lambda path, base: self._take(path, base, moved))
        before = monotonic() - (0 if all_of_it or self._held > MOST_SPANS_HELD else self._hold_s)
        calls: list[Call] = []
        for trace_id, trace in list(self._waiting.items()):
            if any(held.since <= before for held in trace.held.values()):
                self._settle(trace, before, calls, moved)
            if not trace.held:
                del self._waiting[trace_id]
        moved.entries = list(book_all(calls, self._prices))
        if moved.entries:
            self._store.append(moved.entries)
        if holds_reports(moved.entries):
            settle_reports(self._store)
        moved.problems += self._journals.each(self._note)
        self._forget()
        return moved

    def close(self) -> None:
        self._journals.close()
        self._calls.close()

    def _take(self, path: Path, base: sqlite3.Connection, moved: Moved) -> None:
        again_to = self._resume(path, base, moved)
        rows = base.execute(
            "SELECT seq, body FROM records WHERE seq > ? ORDER BY seq LIMIT ?", (self._read[path], BATCH)
        ).fetchall()
        now, done = monotonic(), self._done[path].record
        taken: list[tuple[Received, int]] = []
        for seq, body in rows:
            try:
                taken += [(span, seq) for span in _received.decode(body)]
            except (msgspec.DecodeError, TypeError):
                moved.problems.append(Problem(str(path), f"record {seq} (spans) cannot be read"))
        again = [span for span, seq in taken if done < seq <= again_to]
        self._know_booked(again)
        for span, seq in taken:
            held = _Held(path, seq, now, span.span_id, span.call) if span.call else None
            self._place(span, held, seq <= done)
        if rows:
            self._read[path] = rows[-1][0]
        moved.more |= len(rows) == BATCH

    def _resume(self, path: Path, base: sqlite3.Connection, moved: Moved) -> int:
        """Sees where reading goes on; returns up to which record this may be for the second time."""
        position, doubt = positions.resume(base, path, SHIPPED)
        if doubt:
            moved.problems.append(Problem(str(path), f"{doubt}. {AGAIN}"))
            for trace in self._waiting.values():
                for held in trace.held.values():
                    if held.path == path:
                        held.seq = 1  # its own number is of the journal that was
            self._load_newest(MOST_IDS)  # calls of the gateway from long ago, whose spans come again
        position = position or positions.Position(0)
        if doubt or path not in self._read:
            self._read[path] = max(position.record - READ_AGAIN, 0)
        self._done[path] = position
        return position.again_to

    def _know_booked(self, spans: Iterable[Received]) -> None:
        """Of spans that are read for the second time, in another order than the first time, the ledger says which were
        counted.
        """
        of_calls = {span.call.call_id: span for span in spans if span.call is not None}
        for call_id in self._store.conversations_of(list(of_calls)):
            span = of_calls[call_id]
            self._trace(span.trace_id).booked.add(span.span_id)

    def _place(self, span: Received, held: _Held | None, done: bool) -> None:
        trace = self._trace(span.trace_id)
        if len(trace.tree) < MOST_SPANS_IN_A_TRACE:
            trace.tree.setdefault(span.span_id, span.parent_id)
        if held is None:
            return
        if held.call.usage_basis is not Basis.UNKNOWN:
            trace.known.add(span.span_id)
        if done:
            trace.read_again.add(span.span_id)
        elif span.span_id not in trace.booked and span.span_id not in trace.held:
            trace.held[span.span_id] = held
            self._waiting[span.trace_id] = trace
            self._held += 1

    def _settle(self, trace: _Trace, before: float, calls: list[Call], moved: Moved) -> None:
        """Takes out of a trace what has waited long enough, and books of it what is counted nowhere else."""
        if trace.read_again:
            trace.booked |= standing(trace.read_again, trace.known & (trace.read_again | trace.booked), trace.tree)
            trace.read_again.clear()
        counted = standing({*trace.held, *trace.booked}, trace.known, trace.tree)
        for span_id, held in list(trace.held.items()):
            if held.since > before:
                continue
            del trace.held[span_id]
            self._held -= 1
            if span_id not in counted or above(span_id, trace.tree) & trace.booked:
                moved.repeated += 1
            elif self._is_the_gateways(held.call):
                trace.booked.add(span_id)
                moved.repeated += 1
            else:
                trace.booked.add(span_id)
                calls.append(held.call)

    def _is_the_gateways(self, call: Call) -> bool:
        """Known by the provider's id or, of those that have none, by what they are like."""
        if call.call_id in self._by_gateway:
            self._gateway_calls.match(call)
            return True
        return call.call_id.startswith(f"{call.source}:") and self._gateway_calls.match(call)

    def _note(self, path: Path, base: sqlite3.Connection) -> None:
        """Writes how far a journal is booked: up to the first request of which something is still held."""
        if path not in self._read:
            return
        held = [held.seq for trace in self._waiting.values() for held in trace.held.values() if held.path == path]
        done, before = min(held, default=self._read[path] + 1) - 1, self._done[path]
        if done > before.record:
            self._done[path] = positions.at(base, done, before.again_to)
            positions.write(path, SHIPPED, self._done[path])

    def _forget(self) -> None:
        for _ in range(len(self._traces) - MOST_TRACES):
            trace_id = next(iter(self._traces))
            if trace_id in self._waiting:
                self._traces.move_to_end(trace_id)
            else:
                del self._traces[trace_id]

    def _trace(self, trace_id: str) -> _Trace:
        trace = self._traces.get(trace_id)
        if trace is None:
            trace = self._traces[trace_id] = _Trace()
        else:
            self._traces.move_to_end(trace_id)
        return trace

    def _note_call(self, call: Call) -> None:
        if call.source != _GATEWAY or call.call_id in self._by_gateway:
            return  # it comes twice where its anatomy came late
        for name in (call.call_id, call.tags.get("response_id", "")):
            if name:
                self._by_gateway[name] = None
        while len(self._by_gateway) > MOST_IDS:
            del self._by_gateway[next(iter(self._by_gateway))]
        self._gateway_calls.add(call)
        if parent := traceparent.parsed(call.tags.get(traceparent.TAG, "")):
            trace = self._trace(parent.trace_id)
            trace.tree[call.call_id] = parent.parent_id
            trace.known.add(call.call_id)
            trace.booked.add(call.call_id)

    def _load_newest(self, most: int) -> None:
        """The gateway's newest calls: their spans may still come. What cannot be read the shipper of calls tells."""
        self._calls.each(lambda _, base: self._remember(base, most))

    def _remember(self, base: sqlite3.Connection, most: int) -> None:
        rows = base.execute(
            "SELECT body FROM records WHERE kind = 'call' AND seq > (SELECT max(seq) FROM records) - ?", (most,)
        )
        for (body,) in rows:
            try:
                self._note_call(decode_call(body))
            except (msgspec.DecodeError, TypeError):
                continue
