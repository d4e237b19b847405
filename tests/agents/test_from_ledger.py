"""Recorded teams out of the ledger, on both engines."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest

from modicum.agents.from_ledger import AgentCost, RunSelection, read_ledger_rows
from modicum.agents.recordings import ReadMessage, build_team
from modicum.calls import Basis, Call, Cost, Entry, Outcome, Usage, UserError
from modicum.ledger.records import OUTCOMES

START = datetime(2026, 2, 3, 10, tzinfo=UTC)


def spoke(number, agent="solver", task="t1", **fields):
    tags = {name: fields.pop(name) for name in ("run", "round", "step", "answer", "reads", "gold") if name in fields}
    told = {
        "call_id": f"c{number}",
        "source": "test",
        "provider": "",
        "model": "m",
        "started": START + timedelta(seconds=number),
        "usage": Usage(10, 20, 0, 40, 50, 60),
    }
    return Entry(Call(agent=agent, task=task, tags=tags, **(told | fields)), Cost.unknown())


def told(task, value, name="resolved", number=0):
    return Outcome(outcome_id=f"{task}{name}{number}", task=task, name=name, value=value, time=START)


def test_calls_of_an_agent_in_a_round_are_one_turn_and_the_outcome_is_joined_by_task(store):
    store.append(
        [
            spoke(1, run="r1", round="1"),
            spoke(2, run="r1", round="1", answer="B", reads='[{"agent": "critic", "round": 1, "tokens": 5}]'),
            spoke(3, "critic", run="r1", round="2", answer="C", usage_basis=Basis.UNKNOWN, output_basis=Basis.UNKNOWN),
            spoke(4, "critic", run="", round="2"),
        ]
    )
    store.append_records(OUTCOMES, [told("t1", 0.5)])

    found = read_ledger_rows(store)
    first, second, result = (row for _, row in found.rows)

    assert (first.agent, first.round, first.calls_count, first.answer) == ("solver", 1, 2, "B")
    assert (first.prompt_tokens, first.completion_tokens) == (140, 220)
    assert first.reads == (ReadMessage("critic", 1, 5),)
    assert (second.prompt_tokens, second.completion_tokens, second.answer) == (None, None, "C")
    assert (result.agent, result.task, result.outcome) == ("", "t1", 0.5)
    assert found.problems == found.notes == []


def test_without_the_tag_round_each_call_of_an_agent_is_its_next_round(store):
    store.append([spoke(1, run="r1", answer="A"), spoke(2, "critic", run="r1"), spoke(3, run="r1", answer="B")])

    found = read_ledger_rows(store)
    team, _ = build_team(found.rows, path="x")

    assert [(turn.agent, turn.round, turn.answer) for turn in team.runs[0].turns] == [
        ("solver", 1, "a"),
        ("critic", 1, None),
        ("solver", 2, "b"),
    ]
    assert "3 calls have no tag 'round'" in found.notes[0]


def test_an_outcome_that_cannot_be_given_to_one_run_is_unknown(store):
    store.append([spoke(number, run=f"r{number}", round="1") for number in (1, 2, 3)])
    store.append_records(OUTCOMES, [told("t1", 1.0), told("r2", 0.0)])

    found = read_ledger_rows(store)

    assert {row.run: row.outcome for _, row in found.rows if not row.agent} == {"r1": None, "r2": 0.0, "r3": None}
    assert "2 runs have no clear outcome" in found.notes[0]


def test_a_tag_that_is_no_part_of_a_recording_is_a_problem_with_its_place(store):
    store.append([spoke(1, run="r1", round="first"), spoke(2, "critic", run="r1", round="1", reads="[")])

    found = read_ledger_rows(store)

    assert [(row.agent, row.round) for _, row in found.rows] == [("", 1)]
    assert sorted(str(one).split("'")[1] for one in found.problems) == ["critic", "solver"]


@pytest.mark.parametrize(
    ("entries", "says"),
    [
        ([], "holds no calls"),
        ([spoke(1)], "has the tags 'run' and 'round'"),
        ([spoke(1, agent="", run="r1")], "none names its agent"),
    ],
)
def test_what_is_missing_is_named(entries, says, store):
    store.append(entries)

    with pytest.raises(UserError, match=says):
        read_ledger_rows(store)


def test_of_several_outcomes_one_is_chosen(store):
    store.append([spoke(1, run="r1", round="1")])
    store.append_records(OUTCOMES, [told("t1", 1.0), told("t1", 0.0, "merged")])

    with pytest.raises(UserError, match="choose one with --outcome"):
        read_ledger_rows(store)
    with pytest.raises(UserError, match="holds no outcome 'x'; accepted are merged, resolved"):
        read_ledger_rows(store, "x")
    assert read_ledger_rows(store, "merged").rows[-1][1].outcome == 0.0


def test_costs_are_of_turns_and_unknown_where_one_call_has_none(store):
    cost = Cost(Decimal("0.25"), Basis.EXACT)
    priced = [spoke(number, run="r1", round=str(turn)) for number, turn in ((1, 1), (2, 1), (3, 2))]
    store.append([msgspec.structs.replace(one, cost=cost) for one in priced] + [spoke(4, run="r1", round="2")])

    found = read_ledger_rows(store)
    assert found.costs == [("", "solver", 0.5), ("", "solver", None)]
    assert found.agent_costs("") == {"solver": AgentCost(2, 1, 0.5, 0.5)}
    assert found.agent_costs("another") == {}


def test_runs_of_a_time_and_those_under_a_plan(store):
    def turn(number, run, arm):
        one = spoke(number, run=run, round="1")
        return msgspec.structs.replace(
            one, call=msgspec.structs.replace(one.call, tags=one.call.tags | {"plan_arm": arm})
        )

    store.append([turn(1, "r1", "canary"), turn(2, "r2", "plan"), turn(3, "r2", "full"), turn(4, "r3", "full")])

    def runs(**which):
        return [row.run for _, row in read_ledger_rows(store, which=RunSelection(**which)).rows if not row.agent]

    assert (runs(), runs(arm="plan"), runs(arm="")) == (["r1", "r3"], ["r2"], ["r1", "r2", "r3"])
    assert runs(since=START + timedelta(seconds=2)) == ["r3"]
    assert runs(until=START + timedelta(seconds=3), arm="") == ["r1", "r2"]
    assert "1 run used a plan: left out (--arm plan selects them)" in read_ledger_rows(store).notes
