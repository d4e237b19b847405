import sys

import pytest

from modicum.ledger.calls_in_flight import MOST_RECORD_BYTES, CallsInFlight, NoFreeSlot, read_in_flight


def test_what_was_begun_and_not_ended_is_found_by_the_next_process(tmp_path):
    slots = CallsInFlight(tmp_path / "slots", 4)
    first = slots.begin(b"one")
    slots.begin(b"two")
    slots.end(first)
    # no close: the process was killed

    assert CallsInFlight(tmp_path / "slots", 4).left == [b"two"]


def test_forgetting_empties_the_slots(tmp_path):
    CallsInFlight(tmp_path / "slots", 2).begin(b"one")
    again = CallsInFlight(tmp_path / "slots", 2)
    again.forget()

    assert CallsInFlight(tmp_path / "slots", 2).left == []
    assert len(again) == 0


def test_a_full_file_says_so_and_takes_records_again_when_one_ends(tmp_path):
    slots = CallsInFlight(tmp_path / "slots", 2)
    slot = slots.begin(b"one")
    slots.begin(b"two")

    with pytest.raises(NoFreeSlot):
        slots.begin(b"three")
    slots.end(slot)
    slots.begin(b"three")

    assert len(slots) == 2


def test_the_longest_record_fits_and_a_longer_one_is_refused(tmp_path):
    slots = CallsInFlight(tmp_path / "slots", 2)
    slots.begin(b"x" * MOST_RECORD_BYTES)

    with pytest.raises(ValueError, match="does not fit"):
        slots.begin(b"x" * (MOST_RECORD_BYTES + 1))
    assert CallsInFlight(tmp_path / "slots", 2).left == [b"x" * MOST_RECORD_BYTES]


def test_half_a_record_is_none(tmp_path):
    slots = CallsInFlight(tmp_path / "slots", 2)
    slots._map[2:5] = b"abc"  # killed before the length was written

    assert CallsInFlight(tmp_path / "slots", 2).left == []


def test_more_slots_than_before_keep_what_was_there(tmp_path):
    CallsInFlight(tmp_path / "slots", 1).begin(b"one")

    assert CallsInFlight(tmp_path / "slots", 8).left == [b"one"]


def test_what_is_under_way_can_be_read_beside_the_process(tmp_path):
    slots = CallsInFlight(tmp_path / "slots", 3)
    slots.begin(b"one")
    slots.end(slots.begin(b"two"))

    assert read_in_flight(tmp_path / "slots") == [b"one"]
    assert read_in_flight(tmp_path / "nothing") == []


def test_a_slot_may_be_written_anew(tmp_path):
    calls = CallsInFlight(tmp_path / "calls", slots=2)
    slot = calls.begin(b"first, and longer")
    calls.rewrite(slot, b"second")
    with pytest.raises(ValueError, match="does not fit"):
        calls.rewrite(slot, b"x" * (MOST_RECORD_BYTES + 1))
    assert len(calls) == 1
    assert read_in_flight(tmp_path / "calls") == [b"second"]
    calls.close()


def test_other_threads_run_while_slots_are_written_to_the_disk(tmp_path, monkeypatch):
    slots = CallsInFlight(tmp_path / "slots", 4)
    slots.begin(b"one")
    synced = []
    monkeypatch.setattr("modicum.ledger.calls_in_flight.os.fdatasync", synced.append)
    slots.flush()
    on_linux = sys.platform == "linux"  # elsewhere a sync of the file does not write its mapped pages
    slots.close()

    assert len(synced) == on_linux
