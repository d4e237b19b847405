import asyncio
from datetime import UTC, datetime

import msgspec
import pytest

from ledger.faults import GARBAGE, Backup, garbage, remove
from modicum.calls import Basis, Call, Cost, Entry, Owner, Usage
from modicum.ledger import positions
from modicum.ledger.journal import Journal, Record
from modicum.ledger.opening import open_store
from modicum.ledger.otlp.spans import Received, SpanShipper
from modicum.metering.prices import PriceBook

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
TRACE = "a" * 32
FRAMEWORK, HTTP, CLIENT = "f" * 16, "1" * 16, "c" * 16


def call(name, **more):
    told = {"source": "otlp", "provider": "openai", "model": "gpt-4o-mini", "started": NOON, "usage": Usage(1000, 0)}
    return Call(**{"call_id": f"otlp:{TRACE}:{name}"} | told | more)


def span(name, parent="", *, is_call=True, **more):
    return Received(TRACE, name, parent, call(name, **more) if is_call else None)


class Rig:
    """Journals of spans and of calls, and a shipper that can die and come back."""

    def __init__(self, folder):
        self.folder = folder
        self.store = open_store(":memory:")
        self.shipper = None
        (folder / "journal").mkdir()

    def told(self, *spans):
        """One request of an exporter."""

        async def write():
            journal = Journal(self.folder / "spans", slots=1)
            body = spans[0] if isinstance(spans[0], bytes) else msgspec.msgpack.encode(list(spans))
            await journal.append(Record("", "spans", body))
            journal.close()

        asyncio.run(write())

    def start(self, hold_s=0.0):
        if self.shipper is not None:
            self.shipper.close()
        folders = self.folder / "spans", self.folder / "journal"
        self.shipper = SpanShipper(*folders, self.store, PriceBook(), hold_s)
        return self.shipper

    def booked(self):
        return sorted(entry.call.call_id.rpartition(":")[2] for batch in self.store.entries() for entry in batch)


@pytest.fixture
def rig(tmp_path):
    rig = Rig(tmp_path)
    yield rig
    rig.shipper.close()
    rig.store.close()


def test_a_call_is_booked_once_and_priced_however_often_it_is_sent(rig):
    rig.told(span(CLIENT))
    rig.told(span(CLIENT))

    moved = rig.start().ship()
    rig.told(span(CLIENT))
    again = rig.shipper.ship()

    assert ([entry.cost.usd > 0 for entry in moved.entries], again.entries) == ([True], [])
    assert rig.booked() == [CLIENT]


def test_of_a_framework_and_its_client_the_client_is_counted_though_it_came_with_another_request(rig):
    rig.told(span(CLIENT, HTTP))
    rig.start(hold_s=60)
    assert rig.shipper.ship().entries == []
    rig.told(span(HTTP, FRAMEWORK, is_call=False), span(FRAMEWORK))

    moved = rig.shipper.ship(all_of_it=True)

    assert (rig.booked(), moved.repeated) == ([CLIENT], 1)


def test_the_outer_one_that_comes_long_after_is_not_counted_again(rig):
    rig.told(span(CLIENT, FRAMEWORK))
    rig.start().ship()
    rig.told(span(FRAMEWORK))

    assert rig.shipper.ship().repeated == 1
    assert rig.booked() == [CLIENT]


def test_the_inner_one_that_comes_long_after_is_not_counted_again(rig):
    rig.told(span(FRAMEWORK))
    rig.start().ship()
    rig.told(span(CLIENT, FRAMEWORK))

    assert rig.shipper.ship().repeated == 1
    assert rig.booked() == [FRAMEWORK]


def test_a_process_that_comes_back_knows_what_it_has_booked(rig):
    rig.told(span(CLIENT, FRAMEWORK))
    rig.start().ship()
    rig.start()
    rig.told(span(FRAMEWORK))

    moved = rig.shipper.ship()

    assert (moved.repeated, rig.booked()) == (1, [CLIENT])


def test_what_was_held_when_the_process_ended_is_booked_by_the_next(rig):
    rig.told(span(FRAMEWORK))
    rig.told(span(CLIENT, FRAMEWORK))
    rig.start(hold_s=60).ship()
    journal = rig.folder / "spans" / "gateway.sqlite"
    assert positions.read(journal, "shipped") is None

    rig.start().ship()

    assert rig.booked() == [CLIENT]
    assert positions.read(journal, "shipped").record == 2


def test_a_store_that_fails_loses_nothing(rig, monkeypatch):
    rig.told(span(CLIENT))
    rig.start()
    with monkeypatch.context() as broken:
        broken.setattr(rig.store, "append", lambda _: (_ for _ in ()).throw(OSError("full")))
        with pytest.raises(OSError, match="full"):
            rig.shipper.ship()

    rig.start().ship()

    assert rig.booked() == [CLIENT]


def through_the_gateway(**more):
    told = {"source": "gateway", "provider": "openai", "model": "gpt-4o-mini", "started": NOON, "usage": Usage(1000, 0)}
    return Call(call_id="gateway:1-a", revision=1 << 62, **told | more)


@pytest.mark.parametrize(
    ("tags", "spans"),
    [
        # The client's own span sent the request.
        ({"traceparent": f"00-{TRACE}-{CLIENT}-01"}, [span(CLIENT)]),
        # An HTTP client below it did, and a framework stands above.
        (
            {"traceparent": f"00-{TRACE}-{HTTP}-01"},
            [span(HTTP, CLIENT, is_call=False), span(CLIENT, FRAMEWORK), span(FRAMEWORK)],
        ),
        # No trace context, but the provider's id, which is none of those that we take for an identity.
        ({"response_id": "r" * 24}, [span(CLIENT, call_id="r" * 24)]),
    ],
)
def test_a_call_that_also_came_through_the_gateway_is_the_gateways(rig, tags, spans):
    rig.start().note_booked([Entry(through_the_gateway(tags=tags), Cost.unknown())])
    rig.told(*spans)

    moved = rig.shipper.ship()

    assert (moved.entries, moved.repeated) == ([], sum(span.call is not None for span in spans))


EVENT = {"source": "otlp", "finished": NOON, "owner": Owner(key="ci"), "task": "ses-1", "place": "telemetry"}


def event(name, **more):
    told = call(name, **EVENT | {"call_id": f"otlp:{name}"} | more)
    return Received("session:ses-1", told.call_id, "", told)


def test_an_event_of_telemetry_is_the_gateways_call_if_it_went_through_it(rig):
    told = {"finished": NOON, "owner": Owner(key="ci")}
    rig.start().note_booked([Entry(through_the_gateway(**told), Cost.unknown())])
    rig.told(event("req_1"), event("req_2", usage=Usage(7)))
    rig.told(event("req_1"), event("req_2", usage=Usage(7)))  # sent again

    moved = rig.shipper.ship()

    assert [entry.call.call_id for entry in moved.entries] == ["otlp:req_2"]
    assert moved.repeated >= 1


def test_an_event_whose_sessions_own_log_is_booked_is_set_to_nothing(rig):
    own = call("msg_1", call_id="msg_1", source="claude-code", task="ses-1")
    rig.start()
    rig.store.append([Entry(own, Cost.unknown())])
    rig.told(event("req_1"), event("req_2", usage=Usage(7)))

    rig.shipper.ship()

    entries = {entry.call.call_id: entry.call for batch in rig.store.entries() for entry in batch}
    assert {name: one.calls_count for name, one in entries.items()} == {"msg_1": 1, "otlp:req_1": 0, "otlp:req_2": 1}


def test_a_call_whose_anatomy_came_late_is_taken_for_one_span_only(rig):
    told = {"finished": NOON, "owner": Owner(key="ci")}
    entry = Entry(through_the_gateway(**told), Cost.unknown())
    rig.start().note_booked([entry])
    rig.shipper.note_booked([entry])
    rig.told(span(CLIENT, **told), span(HTTP, **told))

    moved = rig.shipper.ship()

    assert (len(moved.entries), moved.repeated) == (1, 1)


def test_the_gateways_newest_calls_are_known_after_a_restart(rig):
    async def write():
        journal = Journal(rig.folder / "journal")
        seen = through_the_gateway(tags={"traceparent": f"00-{TRACE}-{CLIENT}-01"})
        await journal.append(Record("1-a", "call", msgspec.msgpack.encode(seen)))
        await journal.append(Record("1-b", "call", b"\xc1"))
        journal.close()

    asyncio.run(write())
    rig.told(span(CLIENT))

    assert rig.start().ship().repeated == 1


def test_only_the_outer_one_knows_its_tokens(rig):
    rig.told(span(CLIENT, FRAMEWORK, usage_basis=Basis.UNKNOWN), span(FRAMEWORK))

    rig.start().ship()

    assert rig.booked() == [FRAMEWORK]


def test_a_record_that_cannot_be_read_is_a_problem_and_stops_nothing(rig):
    rig.told(b"\xc1")
    rig.told(span(CLIENT))

    moved = rig.start().ship()

    assert ["cannot be read" in str(problem) for problem in moved.problems] == [True]
    assert rig.booked() == [CLIENT]


def test_memory_is_bounded(rig, monkeypatch):
    monkeypatch.setattr("modicum.ledger.otlp.spans.MOST_TRACES", 2)
    monkeypatch.setattr("modicum.ledger.otlp.spans.MOST_SPANS_HELD", 2)
    traces = [f"{number:032x}" for number in range(1, 6)]
    rig.told(
        *(
            Received(trace, CLIENT, "", msgspec.structs.replace(call(CLIENT), call_id=f"otlp:{trace}:{CLIENT}"))
            for trace in traces
        )
    )

    moved = rig.start(hold_s=60).ship()

    assert len(moved.entries) == 5  # before their time
    assert list(rig.shipper._traces) == traces[-2:]


def other(number, parent="", **more):
    """A span of a trace of its own."""
    trace, name = f"{number:032x}", f"{number:016x}"
    return Received(trace, name, parent, msgspec.structs.replace(call(name, **more), call_id=f"otlp:{trace}:{name}"))


@pytest.mark.parametrize("restarted", [True, False])
def test_spans_after_their_journal_was_set_back_are_all_booked(rig, restarted):
    journal = rig.folder / "spans" / "gateway.sqlite"
    rig.told(other(1))
    rig.start().ship()
    backup = Backup(journal)
    rig.told(other(2))
    rig.told(other(3))
    rig.shipper.ship()
    backup.restore()
    rig.told(other(4))
    rig.told(other(5))
    rig.told(other(6))

    moved = (rig.start() if restarted else rig.shipper).ship()

    assert len(rig.booked()) == 6
    assert ["was set back" in str(problem) for problem in moved.problems] == [True]
    assert rig.shipper.ship().problems == []
    rig.told(other(7))
    rig.start().ship()
    assert len(rig.booked()) == 7


def test_spans_of_a_journal_that_was_made_anew_are_all_booked_though_some_of_the_former_are_held(rig):
    journal = rig.folder / "spans" / "gateway.sqlite"
    for number in range(1, 5):
        rig.told(other(number))
    rig.start(hold_s=60).ship(all_of_it=True)
    for number in range(5, 8):
        rig.told(other(number))
    rig.shipper.ship()  # holds them
    remove(journal)
    rig.told(span(HTTP, is_call=False))
    rig.shipper.ship()
    assert positions.read(journal, "shipped").record == 0

    rig.shipper.ship(all_of_it=True)

    assert len(rig.booked()) == 7
    assert positions.read(journal, "shipped").record == 1


def test_what_was_counted_in_an_outer_span_is_not_counted_again_when_all_of_it_is_read_again(rig):
    rig.told(span(FRAMEWORK))
    rig.start().ship()
    rig.told(span(CLIENT, FRAMEWORK))
    rig.shipper.ship()
    backup = Backup(rig.folder / "spans" / "gateway.sqlite")
    rig.told(other(1))
    rig.shipper.ship()
    backup.restore()

    rig.start().ship()

    assert rig.booked() == sorted([FRAMEWORK, f"{1:016x}"])


def test_what_the_gateway_counted_long_ago_is_not_counted_again_when_all_of_it_is_read_again(rig, monkeypatch):
    monkeypatch.setattr("modicum.ledger.otlp.spans.WARM_CALLS", 1)
    told = {"finished": NOON, "owner": Owner(key="ci")}
    late = {"finished": NOON.replace(hour=14), "started": NOON.replace(hour=14), "owner": Owner(key="other")}

    async def write():
        journal = Journal(rig.folder / "journal")
        await journal.append(Record("1-a", "call", msgspec.msgpack.encode(through_the_gateway(**told))))
        newer = msgspec.structs.replace(through_the_gateway(**late), call_id="gateway:1-b")
        await journal.append(Record("1-b", "call", msgspec.msgpack.encode(newer)))
        journal.close()

    asyncio.run(write())
    rig.start().note_booked([Entry(through_the_gateway(**told), Cost.unknown())])
    rig.told(span(CLIENT, **told))
    assert rig.shipper.ship().repeated == 1
    backup = Backup(rig.folder / "spans" / "gateway.sqlite")
    rig.told(other(1))
    rig.shipper.ship()
    backup.restore()

    assert rig.start().ship().repeated == 1
    assert rig.booked() == [f"{1:016x}"]


@pytest.mark.parametrize("name", GARBAGE)
def test_a_garbage_journal_of_spans_or_of_calls_is_named_and_stops_nothing(rig, name):
    path = garbage(rig.folder / "spans", name)
    garbage(rig.folder / "journal", name)
    rig.told(span(CLIENT))

    told = [str(problem) for _ in range(3) for problem in (rig.shipper or rig.start()).ship().problems]

    assert [line.startswith(f"{path}: the journal cannot be read (") for line in told] == [True]
    assert rig.booked() == [CLIENT]
