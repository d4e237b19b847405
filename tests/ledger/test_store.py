"""What every store promises, on both engines: the same tests, the same answers."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.samples import EVER, FULL, START, entry, read
from modicum.calls import OURSELVES, Anatomy, Charges, Edit, Outcome, Owner, Reuse, Segment, SegmentKind, Usage
from modicum.context.conversations import FORMER
from modicum.ledger.opening import open_store
from modicum.ledger.records import OUTCOMES
from modicum.ledger.store import Appended, Purge
from modicum.metering.digests import SEGMENT_VERSION

BILL = EVER | {"by": "model", "tag": "", "zone": "UTC"}


def test_an_entry_comes_back_as_it_was_booked(store):
    store.append([FULL, entry("c2", None)])

    assert [e for batch in store.entries() for e in batch] == [
        FULL,
        msgspec.structs.replace(entry("c2", None), call=entry("c2", None, conversation="").call),
    ]


def test_an_entry_is_booked_once_in_whatever_batch_it_comes(store):
    first = store.append([entry("c1"), entry("c2"), entry("c1")])
    second = store.append([entry("c2"), entry("c3")])

    assert (first, second) == (Appended(new=2, unchanged=1), Appended(new=1, unchanged=1))
    assert store.ask("bill", **BILL)[0]["calls"] == 3


def test_an_entry_that_has_grown_replaces_its_older_self_with_its_anatomy(store):
    small = entry(usage=Usage(output_visible=1), revision=1, anatomy=Anatomy(0, 0, (Segment(SegmentKind.USER, 1),) * 3))
    grown = entry(usage=Usage(output_visible=9), revision=2, anatomy=Anatomy(0, 0, (Segment(SegmentKind.USER, 1),) * 2))

    assert store.append([small]) == Appended(new=1)
    assert store.append([grown]) == Appended(replaced=1)
    assert store.append([small]) == Appended(unchanged=1)
    (stored,) = next(store.entries())
    assert stored.call.usage.output_visible == 9
    assert len(stored.call.anatomy.added) == 2


def test_a_call_whose_digests_are_of_a_former_version_is_told_so(store):
    digests = {"former": b"d" * 16, "present": b"d" * 16 + bytes((SEGMENT_VERSION,)), "other": b"d" * 16 + b"\xff"}
    for name, digest in digests.items():
        parts = (Segment(SegmentKind.PREFIX, 5), Segment(SegmentKind.USER, 5, digest))
        store.append([entry(name, conversation="c", anatomy=Anatomy(0, 0, parts))])

    assert store.conversations_of([*digests]) == {"former": "c" + FORMER, "present": "c", "other": "c" + FORMER}


def test_where_a_call_is_booked_is_told_of_those_that_are_known(store):
    store.append([entry("c1", conversation="old"), entry("c2", conversation="it's b"), entry("c3", task="t")])
    store.append([entry("c1", conversation="new", revision=1), entry("c2", conversation="other")])

    assert store.conversations_of(["c1", "c2", "c3", "c4", "c1"]) == {"c1": "new", "c2": "it's b", "c3": "t"}
    assert store.conversations_of([]) == {}
    many = [entry(f"n{n}", conversation="long") for n in range(3000)]
    store.append(many[:1000])
    assert len(store.conversations_of([e.call.call_id for e in many])) == 1000


def test_edits_are_counted_by_rule_and_belong_to_the_last_revision_of_a_call(store):
    spared = entry(tags={"agent_team": "support"}, provider=OURSELVES, edits=(Edit("team_plan.drop", 100, 0),))
    store.append([spared, entry("c2", edits=(Edit("team_plan.hide", 50, 20),))])
    grown = (Edit("team_plan.hide", 50, 10), Edit("team_plan.model"))
    store.append([entry("c2", revision=1, edits=grown)])

    rows = [tuple(row.values()) for row in store.ask("edits", **EVER)]
    assert rows == [
        ("", "team_plan.hide", 1, 0, 50, 10),
        ("", "team_plan.model", 1, 0, 0, 0),
        ("support", "team_plan.drop", 1, 1, 100, 0),
    ]
    assert store.purge(Purge(before=START + timedelta(days=1))) == 2
    assert store.ask("edits", **EVER) == []


def test_of_equal_revisions_the_first_stands(store):
    store.append([entry(task="first")])
    store.append([entry(task="second")])

    assert next(store.entries())[0].call.task == "first"


def test_unknown_costs_are_counted_and_not_added_as_zero(store):
    store.append([entry("c1", "0.5"), entry("c2", None, model="mystery")])
    rows = {row["name"]: row for row in store.ask("bill", **BILL)}

    assert rows["mystery"]["cost_usd"] is None
    assert (rows["mystery"]["calls_unpriced"], rows["opus"]["calls_unpriced"]) == (1, 0)
    assert rows["opus"]["cost_usd"] == Decimal("0.5")


def test_days_are_cut_in_the_zone_that_is_asked_for(store):
    store.append([entry(started=datetime(2026, 2, 3, 23, 30, tzinfo=UTC))])

    def day(zone):
        return store.ask("bill", **(BILL | {"by": "day", "zone": zone}))[0]["name"]

    assert (day("UTC"), day("Europe/Berlin"), day("America/Los_Angeles")) == ("2026-02-03", "2026-02-04", "2026-02-03")
    assert store.ask("bill", **(BILL | {"by": "week"}))[0]["name"] == "2026-02-02"


def test_tags_and_owners_can_be_grouped_by(store):
    store.append([FULL])

    assert store.ask("bill", **(BILL | {"by": "tag", "tag": "env"}))[0]["name"] == "prod"
    assert store.ask("bill", **(BILL | {"by": "tag", "tag": "none"}))[0]["name"] == ""
    assert store.ask("bill", **(BILL | {"by": "owner"}))[0]["name"] == "team/app/ada/k1"


def test_names_with_quotes_and_sql_are_only_names(store):
    store.append([FULL])

    assert store.ask("bill", **(BILL | {"by": "task"}))[0]["name"] == "it's; DROP TABLE entries"
    assert store.ask("bill", **(BILL | {"by": "project"}))[0]["name"] == '/home/ada/"shop"'


def test_purging_forgets_what_is_old_of_an_owner_and_nothing_else(store):
    old = START - timedelta(days=90)
    store.append(
        [
            entry("old", started=old, owner=Owner(team="a"), anatomy=Anatomy(0, 0, (Segment(SegmentKind.USER, 1),))),
            entry("other", started=old, owner=Owner(team="b")),
            entry("new", owner=Owner(team="a")),
        ]
    )

    assert store.purge(Purge(before=START, team="a")) == 1
    assert [e.call.call_id for e in next(store.entries())] == ["new", "other"]


def test_what_was_changed_and_reused_is_forgotten_with_its_owner(store):
    def whole(entry_id, team):
        part = Segment(SegmentKind.TOOL_RESULT, 900, entry_id.encode(), "Read", reuse=Reuse(0.5, 4))
        edits = (Edit("team_plan.hide", 40, 30),)
        return entry(entry_id, owner=Owner(team=team), anatomy=Anatomy(0, 0, (part,)), edits=edits)

    store.append([whole("c1", "a"), whole("c2", "b")])

    assert store.purge(Purge(before=START + timedelta(days=1), team="a")) == 1
    assert [row["rule"] for row in store.ask("edits", **EVER)] == ["team_plan.hide"]
    assert next(store.entries()) == [whole("c2", "b")]
    assert store.ask_columns("history_reuse", **EVER)["entry_id"].tolist() == ["c2"]


def test_an_entry_is_forgotten_by_its_newest_owner(store):
    part = Segment(SegmentKind.USER, 5, b"x")
    store.append([entry(owner=Owner(team="a"))])
    store.append([entry(owner=Owner(team="b"), revision=1, anatomy=Anatomy(0, 0, (part,)))])

    assert store.purge(Purge(before=START + timedelta(days=1), team="a")) == 0
    assert next(store.entries())[0].call.anatomy.added == (part,)
    assert store.purge(Purge(before=START + timedelta(days=1), team="b")) == 1
    assert list(store.entries()) == []


def reuse_of(store):
    return [part.reuse for batch in store.entries() for one in batch for part in one.call.anatomy.added]


def test_a_log_that_has_grown_tells_more_of_the_reuse_of_calls_that_are_known(store):
    store.append([read(0.0, 5)])

    assert store.append([read(0.25, 40)]) == Appended(unchanged=1)
    assert reuse_of(store) == [Reuse(0.25, 40)] * 2
    store.append([read(0.5, 7)])  # the same log, cut off
    assert reuse_of(store) == [Reuse(0.25, 40)] * 2


def test_reuse_is_asked_for_by_call_and_text_and_forgotten_with_its_entry(store):
    store.append([read(0.25, 9), read(1.0, 6, "c2")])

    told = store.ask_columns("history_reuse", **EVER)
    assert (told["entry_id"].tolist(), told["read_share"].tolist()) == (["c1", "c2"], [0.25, 1.0])
    store.purge(Purge(before=START + timedelta(days=1)))
    assert store.ask_columns("history_reuse", **EVER)["entry_id"].tolist() == []
    store.append([read(0.75, 5)])
    assert reuse_of(store) == [Reuse(0.75, 5)] * 2


def test_the_time_in_which_tasks_ran_reaches_to_the_end_of_their_last_call(store):
    hour = timedelta(hours=1)
    store.append(
        [
            entry("a", task="t", finished=START + hour),
            entry("b", task="t", started=START + 5 * hour, finished=START + 6 * hour),
            entry("c", task="u", started=START + 9 * hour),
            entry("d", started=START + 2 * hour),
        ]
    )

    (found,) = store.ask("yield_span", since=START, until=START + 3 * hour)
    assert (found["first_started"], found["last_finished"]) == (START, START + 6 * hour)


def test_the_tasks_of_arms_come_with_what_they_took_and_their_outcome(store):
    second = timedelta(seconds=1)
    store.append(
        [
            entry("a", task="t", tags={"case": "7"}, finished=START + 2 * second),
            entry("b", task="t", tags={"case": "7"}, started=START + 60 * second, finished=START + 61 * second),
            entry("c", task="u", tags={"case": "7"}, model="other"),
            entry("d"),
        ]
    )
    outcomes = [("t", 0.0), ("t", 1.0), ("u", 1.0)]
    store.append_records(
        OUTCOMES,
        [
            Outcome(outcome_id=f"o{number}", task=task, name="o", value=value, time=START)
            for number, (task, value) in enumerate(outcomes)
        ],
    )

    rows = store.ask("task_arms", **EVER, by="model", tag="", pair="tag", pair_tag="case", zone="UTC", outcome="o")

    by_task = {row["task"]: row for row in rows}
    assert set(by_task) == {"t", "u"}
    assert (by_task["t"]["name"], by_task["u"]["name"]) == ("opus", "other")
    assert {row["case_name"] for row in rows} == {"7"}
    assert (by_task["t"]["calls"], by_task["t"]["seconds"], by_task["t"]["calls_endless"]) == (2, 3.0, 0)
    assert by_task["u"]["calls_endless"] == 1
    assert {row["price_low"] for row in rows} == {row["price_high"] for row in rows} == {"genai-prices 1"}
    assert (by_task["t"]["began"], by_task["t"]["client_high"]) == (START, "")
    assert [(row["value_low"], row["value_high"]) for row in (by_task["t"], by_task["u"])] == [(0.0, 1.0), (1.0, 1.0)]


@pytest.mark.parametrize("by", ["model", "owner", "tag", "day", "place", "nothing"])
def test_a_dimension_is_cut_the_same_way_by_every_question(store, by):
    told = {"owner": Owner("t", "a", "u", "k"), "tags": {"env": "prod"}, "place": "x", "provider": "own"}
    store.append([entry("a", task="t", finished=START + timedelta(hours=1), **told)])
    cut = EVER | {"by": by, "tag": "env", "zone": "Asia/Tokyo", "outcome": "o", "provider": "own"}

    names = {question: store.ask(question, **cut)[0]["name"] for question in ("bill", "yield", "energy_calls")}

    wanted = {"model": "opus", "owner": "t/a/u/k", "tag": "prod", "day": "2026-02-03", "place": "x", "nothing": ""}
    assert set(names.values()) == {wanted[by]}


entries = st.builds(
    lambda number, revision, task: entry(f"c{number}", revision=revision, task=task),
    st.integers(0, 4),
    st.integers(0, 3),
    st.sampled_from("ab"),
)


@settings(
    max_examples=settings.default.max_examples // 4,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.lists(entries, max_size=5), max_size=4))
def test_batches_in_any_cut_give_one_record_a_call_with_the_greatest_revision(batches):
    opened = open_store(":memory:")
    counts = sum((opened.append(batch) for batch in batches), Appended())
    stored = {e.call.call_id: e.call for batch in opened.entries() for e in batch}
    opened.close()
    seen = [e.call for batch in batches for e in batch]

    assert stored.keys() == {call.call_id for call in seen}
    assert all(call.revision == max(c.revision for c in seen if c.call_id == call.call_id) for call in stored.values())
    assert counts.new == len(stored)
    assert counts.new + counts.replaced + counts.unchanged == len(seen)


def test_the_contexts_of_the_gateways_conversations_as_their_newest_calls_left_them(store):
    def in_conversation(number, kept, *digests, **fields):
        parts = tuple(Segment(SegmentKind.USER, 5, digest.encode()) for digest in digests)
        told = {"source": "gateway", "owner": Owner(key="ann"), "anatomy": Anatomy(kept, 5 * kept, parts)}
        return entry(f"{number}", started=START + timedelta(seconds=number), **told | fields)

    store.append(
        [
            in_conversation(1, 0, "a", "b", "c", conversation="one", turn=0),
            in_conversation(2, 1, "d", conversation="one", turn=1),
            in_conversation(3, 2, "e", conversation="one", turn=2),
            in_conversation(4, 0, "x", conversation="two"),
            in_conversation(5, 0, "y", conversation="logged", source="claude-code"),
            in_conversation(-9, 0, "z", conversation="old"),
        ]
    )

    found = store.ask("contexts", since=START, most=2)
    newest = store.ask("contexts", since=START, most=1)

    told = [(row["conversation"], row["turn"], row["position"], bytes.fromhex(row["digest"])) for row in found]
    assert told == [("one", 2, 0, b"a"), ("one", 2, 1, b"d"), ("one", 2, 2, b"e"), ("two", 0, 0, b"x")]
    assert {row["key_name"] for row in found} == {"ann"}
    assert [row["conversation"] for row in newest] == ["two"]


def test_what_is_not_understood_of_calls_is_counted_together(store):
    doubtful = Charges(caveats=("usage.smell_tokens",))
    store.append([entry("c1", charges=doubtful, calls_count=3), entry("c2", charges=doubtful), entry("c3")])

    (row,) = store.ask("doubts", **EVER)

    assert (row["caveats"], row["calls"], row["model"]) == ('["usage.smell_tokens"]', 4, "opus")
