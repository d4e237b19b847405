from dataclasses import replace

import numpy as np
import pytest

from agents.simulator import (
    Scenario,
    SimulatedAgent,
    SimulatedTeam,
    as_in_notes,
    duplicate,
    equal,
    panel,
    persuasive,
    planted,
    useless,
    with_specialist,
)
from modicum.agents.plan_rules import Drop, Mute
from modicum.agents.team_plan import make_plan


@pytest.fixture(scope="module")
def team():
    return SimulatedTeam(planted())


def test_the_same_seed_gives_the_same_runs(team):
    one, other = (team.record(team.tasks(5, seed=1)) for _ in range(2))

    assert one.runs == other.runs
    assert team.record(team.tasks(5, seed=2)).runs != one.runs


def test_tokens_add_up_to_what_was_read(team):
    [task] = team.tasks(1, seed=3)
    done = team.run(task, make_plan(team.graph).guard())

    written = {(row.agent, row.round): row.completion_tokens for row in done.rows}
    for row in done.rows:
        assert all(read.tokens == written[read.agent, read.round] for read in row.reads)
        assert row.prompt_tokens == 300 + sum(read.tokens for read in row.reads)
    assert done.prompt_tokens == sum(row.prompt_tokens for row in done.rows)
    assert done.completion_tokens == sum(written.values())


def test_a_plan_is_followed(team):
    [task] = team.tasks(1, seed=3)
    made = make_plan(team.graph, (Drop("bad"), Drop("able-1", 2)), (Mute("able-2", "able-3"),))

    done = team.run(task, made.guard())

    assert [(row.agent, row.round) for row in done.rows].count(("able-1", 1)) == 1
    assert not any(row.agent == "bad" or (row.agent, row.round) == ("able-1", 2) for row in done.rows)
    reads = {(read.agent, row.agent) for row in done.rows for read in row.reads}
    assert not any("bad" in pair for pair in reads)
    assert ("able-2", "able-3") not in reads


def test_the_truth_of_each_scenario_is_what_it_says():
    def truth(scenario, count=400):
        simulated = SimulatedTeam(scenario)
        return simulated.truth(simulated.tasks(count, seed=5))

    bad = truth(planted())
    assert max(bad, key=bad.get) == "bad"
    loud = truth(persuasive())
    assert loud["loud"] - loud[""] > 0.3
    special = truth(with_specialist())
    assert special["specialist"] < special[""] - 0.05
    copies = truth(useless())
    assert len(set(copies.values())) == 1
    twins = truth(duplicate())
    assert abs(twins["copy"] - twins[""]) < 0.04
    assert np.ptp(list(truth(equal()).values())) < 0.08


def test_without_reading_and_voting_an_agent_has_its_skill():
    alone = SimulatedTeam(Scenario("one", (SimulatedAgent("a", 0.7),), rounds=1, difficulty_spread=0.0))

    score, prompt, _ = alone.mean(make_plan(alone.graph), alone.tasks(2000, seed=0))

    assert score == pytest.approx(0.7, abs=0.03)
    assert prompt == 300


def test_misgraded_runs_are_a_share():
    from agents.simulator import noisy

    simulated = SimulatedTeam(noisy())

    assert np.mean([task.misgraded for task in simulated.tasks(2000, 0)]) == pytest.approx(0.1, abs=0.02)


def test_a_tie_may_be_broken_by_lot():
    pair = (SimulatedAgent("right", 0.999), SimulatedAgent("wrong", 0.001))
    base = Scenario("a tie", pair, rounds=1, herding=0.0, difficulty_spread=0.0)

    def share(scenario):
        simulated = SimulatedTeam(scenario)
        return simulated.mean(make_plan(simulated.graph), simulated.tasks(1000, seed=0))[0]

    assert share(base) > 0.99
    assert share(replace(base, ties_by_lot=True)) == pytest.approx(0.5, abs=0.05)
    assert all(one.ties_by_lot for one in as_in_notes().values())


def test_a_panel_answers_by_itself_first():
    simulated = SimulatedTeam(panel())
    [run] = simulated.record(simulated.tasks(1, seed=0)).runs

    assert all(turn.reads == () for turn in run.turns if turn.round == 1)
    assert all(len(turn.reads) == 7 for turn in run.turns if turn.round == 2)
