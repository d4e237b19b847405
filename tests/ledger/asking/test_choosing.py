import msgspec
import pytest

from ledger.samples import EVER, entry
from modicum.calls import Anatomy, Outcome, Segment, SegmentKind
from modicum.ledger.asking.choosing import NamedCalls, choose_calls
from modicum.ledger.opening import open_store
from modicum.ledger.records import OUTCOMES

ANATOMY = Anatomy(0, 0, (Segment(SegmentKind.USER, 7), Segment(SegmentKind.TOOL_RESULT, 9, b"d", "Read")))
CALLS = [
    entry("c1", model="big", conversation="x", turn=0, task="t1", anatomy=ANATOMY),
    entry(
        "c2",
        model="small",
        conversation="x",
        turn=1,
        task="t1",
        anatomy=msgspec.structs.replace(ANATOMY, kept_segments=2),
    ),
    entry("c3", model="small", conversation="y", turn=0, task="t2", anatomy=ANATOMY),
    entry("c4", model="small", conversation="", turn=0, task="t3", anatomy=None),
]
OUTCOME = [
    Outcome(outcome_id=f"o{number}", task=f"t{number}", name="ok", value=1.0, time=EVER["since"], source="s")
    for number in (1, 2)
]


class Elsewhere:
    """A ledger that another process holds: as much of it as is asked."""

    def __init__(self, store):
        self.entries, self.records = store.entries, store.records


@pytest.fixture(params=[lambda store: store, Elsewhere], ids=["file", "elsewhere"])
def ledger(request, tmp_path):
    store = open_store(str(tmp_path / "ledger.duckdb"))
    store.append(CALLS)
    store.append_records(OUTCOMES, OUTCOME)
    yield request.param(store)
    store.close()


def named(by, *names):
    return NamedCalls(by, "", "UTC", names)


def ids(part):
    return [one.call.call_id for batch in part.entries() for one in batch]


def test_calls_come_with_their_segments_and_outcomes(ledger):
    part = choose_calls(ledger, [named("model", "small")], whole_conversations=False)

    assert ids(part) == ["c2", "c3", "c4"]
    assert [len(one.call.anatomy.added) for batch in part.entries() for one in batch if one.call.anatomy] == [2, 2]
    assert {row.task for row in part.records(OUTCOMES)} == {"t1", "t2"}
    assert {row["name"] for row in part.ask("rent", by="kind", **EVER)} == {"user", "tool_result"}


def test_a_conversation_is_in_or_out_by_its_first_call(ledger):
    part = choose_calls(ledger, [named("model", "small")], whole_conversations=True)

    assert ids(part) == ["c3", "c4"]
    assert [row.task for row in part.records(OUTCOMES)] == ["t2"]
    assert ids(choose_calls(ledger, [named("model", "big")], whole_conversations=True)) == ["c1", "c2"]


def test_all_conditions_hold_and_the_ledger_stays_as_it_is(ledger):
    chosen = [named("model", "small", "big"), named("task", "t1")]

    assert ids(choose_calls(ledger, chosen, whole_conversations=False)) == ["c1", "c2"]
    assert ids(ledger) == ["c1", "c2", "c3", "c4"]
