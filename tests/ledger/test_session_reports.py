from datetime import UTC, datetime

import pytest

from modicum.calls import Call, Usage
from modicum.calls.session_reports import SessionCalls
from modicum.ledger.booking import book_all
from modicum.ledger.session_reports import settle_reports
from modicum.metering.prices import PriceBook

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


USAGE = Usage(10, 20, 30, 0, 1)


def call(name, place="", *, source="claude-code", model="claude-haiku-4-5", task="s", usage=USAGE):
    return Call(
        call_id=name,
        source=source,
        provider="anthropic",
        model=model,
        started=NOON,
        usage=usage,
        task=task,
        place=place,
        revision=usage.total_tokens,
    )


CALLS = [
    call("msg_1"),
    call("msg_2", source="claude-headless", task="streamed"),
    call("gateway:1", source="gateway", task="live", usage=Usage(5, 0, 0, 40, 9)),
]
REPORTS = [
    call("run", "run", source="claude-headless", usage=Usage(900)),
    call("run of another model", "run", source="claude-headless", model="claude-opus-4-5"),
    call("run of another task", "run", source="claude-headless", task="other"),
    call("run without model", "run", source="codex-exec", model=""),
    call("rest", "rest", source="claude-headless"),
    call("rest of its own stream", "rest", source="claude-headless", task="streamed"),
    call("event", "telemetry", source="otlp", usage=Usage(10, 20, 30, 0, 777)),
    call("event of another call", "telemetry", source="otlp", usage=Usage(11, 20, 30)),
    call("event of a live call", "telemetry", source="otlp", task="live", usage=Usage(5, 0, 40, 0, 9)),
    call("event alone", "telemetry", source="otlp", task="told"),
    call("run beside events", "run", source="claude-headless", task="told"),
]
LEFT_OUT = {
    "run",
    "run without model",
    "rest",
    "event",
    "event of a live call",
    "run beside events",
}


def book(store, calls):
    store.append(list(book_all(calls, PriceBook())))
    return settle_reports(store)


@pytest.mark.parametrize("order", [1, -1], ids=["calls first", "reports first"])
def test_a_report_whose_calls_stand_in_the_ledger_is_set_to_nothing_whichever_came_first(store, order):
    for batch in (CALLS, REPORTS)[::order]:
        book(store, batch)

    entries = {entry.call.call_id: entry for batch in store.entries() for entry in batch}
    settled = {name for name, entry in entries.items() if not entry.call.calls_count}
    assert settled == LEFT_OUT
    assert all(not entries[name].call.usage.total_tokens and entries[name].cost.usd == 0 for name in settled)
    assert len(entries) == len(CALLS) + len(REPORTS)


def test_a_report_that_comes_again_stays_set_to_nothing(store):
    book(store, [*CALLS, *REPORTS])

    assert book(store, REPORTS) == 0


def test_files_that_are_read_together_leave_out_the_same_reports():
    known = SessionCalls()
    for one in (*CALLS, *REPORTS):
        known.add(one)

    assert {report.call_id for report in REPORTS if known.has(report)} == LEFT_OUT
