from contextlib import closing
from datetime import UTC, datetime

import pytest

from modicum.calls import Outcome, UserError
from modicum.ledger.opening import open_store
from modicum.ledger.outcomes import choose_outcome, find_outcome
from modicum.ledger.records import OUTCOMES


def test_an_outcome_is_found_by_name_and_one_that_is_not_there_is_answered_with_those_that_are():
    when = datetime(2026, 2, 3, tzinfo=UTC)
    with closing(open_store(":memory:")) as store:
        with pytest.raises(UserError, match="no outcome 'merged'; nor any other: 'modicum outcome --help' says"):
            find_outcome(store, "merged")
        store.append_records(OUTCOMES, [Outcome(outcome_id="o1", task="T1", name="resolved", value=1, time=when)])

        assert find_outcome(store, "resolved")["outcomes"] == 1
        with pytest.raises(UserError, match=r"no outcome 'merged'; accepted are resolved$"):
            find_outcome(store, "merged")


def test_the_only_outcome_is_chosen_and_of_several_one_must_be_named():
    when = datetime(2026, 2, 3, tzinfo=UTC)
    with closing(open_store(":memory:")) as store:
        with pytest.raises(UserError, match="no outcome yet"):
            choose_outcome(store)
        store.append_records(OUTCOMES, [Outcome(outcome_id="o1", task="T1", name="resolved", value=1, time=when)])
        assert choose_outcome(store) == "resolved"
        store.append_records(OUTCOMES, [Outcome(outcome_id="o2", task="T1", name="merged", value=1, time=when)])

        assert choose_outcome(store, "merged") == "merged"
        with pytest.raises(UserError, match="--outcome NAME must say which"):
            choose_outcome(store)
