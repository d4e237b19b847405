from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.samples import EVER, entry
from modicum.calls import Owner, UserError
from modicum.cli.inputs.chosen_calls import ChoiceOptions
from modicum.insights.scoping.call_choice import choose_entries
from modicum.ledger.opening import open_store
from modicum.library.choosing import choose_for_questions, choose_from

ZONE = ZoneInfo("Europe/Berlin")


calls = st.builds(
    entry,
    st.integers(0, 50).map("c{}".format),
    model=st.sampled_from(["a", "b", ""]),
    task=st.sampled_from(["t1", "t2", ""]),
    conversation=st.sampled_from(["x", "y", ""]),
    owner=st.builds(Owner, st.sampled_from(["", "one", "two"])),
    tags=st.sampled_from([{}, {"work": "test"}]),
)


@settings(max_examples=4, deadline=None)
@given(
    st.lists(calls, min_size=1, max_size=10, unique_by=lambda one: one.call.call_id),
    st.sampled_from(["team", "model", "task", "work"]),
)
def test_the_parts_of_a_dimension_sum_to_the_whole_and_ledger_and_logs_choose_the_same(entries, by):
    store = open_store(":memory:")
    store.append(entries)
    whole = {one.call.call_id for one in entries}
    names = {row["name"] for row in store.ask("names", by="tag" if by == "work" else by, tag=by, zone="UTC")}
    for whole_conversations in (False, True):
        seen = []
        for name in names:
            conditions = ChoiceOptions(where=(f"{by}={name or '(none)'}",)).conditions()
            try:
                with choose_from(store, conditions, ZONE, whole_conversations=whole_conversations) as part:
                    ids = {one.call.call_id for batch in part.entries() for one in batch}
            except UserError:  # no conversation begins with such a call
                ids = set()
            if not whole_conversations:
                assert ids == {one.call.call_id for one in choose_entries(entries, conditions, ZONE)}
            seen += sorted(ids)
        assert sorted(seen) == sorted(whole)
    store.close()


def test_without_conditions_it_is_the_ledger_itself():
    store = open_store(":memory:")

    with choose_from(store, (), ZONE) as chosen:
        assert chosen is store
    store.append([entry("c1", model="a", owner=Owner("one")), entry("c2", model="b", owner=Owner("two"))])
    both = ChoiceOptions(model=("a",), team=("two",)).conditions()
    with pytest.raises(UserError, match="no call fits all"), choose_from(store, both, ZONE):
        pass
    assert store.ask("bill", by="model", tag="", zone="UTC", **EVER)


@pytest.mark.parametrize(
    "options", [{"team": ("one",)}, {"team": ("o*", "two")}, {"model": ("a",), "where": ("work=test",)}]
)
def test_questions_get_the_same_calls_whether_sql_or_memory_chooses(options):
    store = open_store(":memory:")
    tags = {"work": "test"}
    store.append(
        [
            entry("c1", model="a", owner=Owner("one"), tags=tags),
            entry("c2", model="b", owner=Owner("two"), tags=tags),
            entry("c3", model="a", owner=Owner("three")),
        ]
    )
    conditions = ChoiceOptions(**options).conditions()

    with choose_for_questions(store, conditions, ZONE) as (part, where):
        found = sum(row["calls"] for row in part.ask("bill", by="model", tag="", zone="UTC", where=where, **EVER))
    with choose_from(store, conditions, ZONE, whole_conversations=False) as copied:
        assert found == sum(row["calls"] for row in copied.ask("bill", by="model", tag="", zone="UTC", **EVER))
    assert bool(where) == ("*" not in str(options))
