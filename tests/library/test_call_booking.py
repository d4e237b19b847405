from collections.abc import Iterator

from ledger.samples import entry
from modicum.calls import Call
from modicum.ledger.opening import open_store
from modicum.library import call_booking
from modicum.library.call_booking import book_calls, make_reading
from modicum.metering.prices import PriceBook


def read_three() -> Iterator[Call]:
    return (entry(f"c{number}").call for number in range(3))


def test_calls_are_booked_once_however_many_make_a_batch(monkeypatch):
    monkeypatch.setattr(call_booking, "BATCH", 2)
    store = open_store(":memory:")

    first, second = (book_calls(read_three(), store, PriceBook()) for _ in range(2))

    assert (first.new, second.new, second.unchanged) == (3, 0, 3)
    assert store.ask("holdings")
    store.close()


def test_digests_of_one_user_are_alike(home):
    one, other = make_reading(anatomy=True), make_reading(anatomy=False)

    assert one.digester.digest("a text") == other.digester.digest("a text")
    assert (one.anatomy, other.anatomy) == (True, False)
