"""What both engines share: pages of entries and records, and arrays as they are promised."""

from datetime import timedelta

import numpy as np
import pytest

from ledger.samples import EVER, START, entry
from modicum.calls import Outcome
from modicum.ledger.records import OUTCOMES
from modicum.ledger.sql_store import plain_array


def outcome(name, seconds=0):
    time = START + timedelta(seconds=seconds)
    return Outcome(outcome_id=name, task="t", name="n", value=1.0, time=time)


def test_entries_come_in_batches_in_order_of_their_ids_and_from_where_one_stopped(store):
    store.append([entry(name) for name in ("c", "a", "d", "b")])

    names = [[one.call.call_id for one in batch] for batch in store.entries(batch=3)]
    assert names == [["a", "b", "c"], ["d"]]
    assert [one.call.call_id for one in next(store.entries(after="b"))] == ["c", "d"]


def test_records_come_in_order_of_time_and_of_one_moment_by_identity(store):
    first, same, last = outcome("z"), outcome("a", 5), outcome("b", 5)
    store.append_records(OUTCOMES, [last, same, first])

    assert store.records(OUTCOMES) == [first, same, last]
    assert store.records(OUTCOMES, most=2) == [first, same]
    assert store.records(OUTCOMES, after=same) == [last]
    assert store.records(OUTCOMES, START, START + timedelta(seconds=5), after=first) == []
    assert store.records(OUTCOMES, START + timedelta(seconds=5), most=1) == [same]


def test_a_parameter_that_was_not_given_is_named(store):
    with pytest.raises(KeyError, match="until"):
        store.ask("edits", since=EVER["since"])


def test_whole_numbers_are_int64_and_others_nan_where_absent():
    some = np.ma.MaskedArray([1.5, 0.0], mask=[False, True])

    assert plain_array(np.array([1, 2], dtype=np.int32)).dtype == np.int64
    assert plain_array(np.array([True])).tolist() == [1]
    np.testing.assert_array_equal(plain_array(some), [1.5, np.nan])
    assert plain_array(np.array(["a", None], dtype=object)).tolist() == ["a", None]


def test_whole_numbers_that_are_absent_are_a_fault_of_the_question():
    with pytest.raises(ValueError, match="holds NULL"):
        plain_array(np.ma.MaskedArray([1, 2], mask=[False, True]))
