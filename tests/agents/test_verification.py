import pytest

from agents.simulator import SimulatedTeam, planted
from agents.teams import plan, rows, team
from modicum.agents.plan_rules import Drop, EarlyExit, Learned, Mute
from modicum.agents.team_plan import make_plan
from modicum.agents.verification import (
    FULL,
    PLAN,
    RANDOM,
    SINGLE,
    PlanVerdict,
    TaskRun,
    choose_single_agent,
    compare,
    make_arm_plans,
    shuffle_plan,
    verify,
    verify_recorded,
)
from modicum.calls import UserError


@pytest.fixture(scope="module")
def simulated():
    return SimulatedTeam(planted())


def measured(scores, tokens=100):
    return [TaskRun(float(score), tokens, 0) for score in scores]


def test_dropping_the_bad_agent_holds_and_the_others_stand_beside_it(simulated):
    made = make_plan(simulated.graph, (Drop("bad"),))

    found = verify(made, simulated.graph, simulated.tasks(400, 8), simulated.run, simulated.score, margin=0.03)

    assert [arm.arm for arm in found.arms] == [FULL, PLAN, RANDOM, SINGLE]
    assert found.verdict == PlanVerdict.HOLDS
    assert 0.2 < found.evidence.tokens_saved_share < 0.5
    assert found.arm(SINGLE).prompt_tokens == 300


@pytest.mark.parametrize(
    ("after", "verdict"),
    [
        ([1] * 500, PlanVerdict.HOLDS),
        ([0] * 250 + [1] * 250, PlanVerdict.WORSE),
        ([0] * 10 + [1] * 490, PlanVerdict.NOT_ENOUGH_EVIDENCE),
    ],
)
def test_the_verdict_is_about_the_margin(after, verdict):
    arms = {FULL: measured([1] * 500), PLAN: measured(after, tokens=60)}

    assert compare(arms, margin=0.02, confidence=0.95, learning_tokens=0).verdict == verdict


def test_tasks_of_one_kind_are_no_strangers_to_the_verdict():
    """Forty subjects of 25 tasks; in four of them the plan loses a third, in four it wins as much."""
    lost = dict.fromkeys(range(4), 8)
    won = dict.fromkeys(range(4, 8), 8)
    full, left = [], []
    for subject in range(40):
        for task in range(25):
            full.append(TaskRun(float(task >= won.get(subject, 0)), 100, 0, f"subject {subject}"))
            left.append(TaskRun(float(task >= lost.get(subject, 0)), 60, 0, f"subject {subject}"))
    alone = [TaskRun(run.score, 60, 0) for run in left]
    arms = {"margin": 0.025, "confidence": 0.95, "learning_tokens": 0}

    together = compare({FULL: full, PLAN: left}, **arms)
    apart = compare({FULL: full, PLAN: alone}, **arms)

    assert (together.verdict, apart.verdict) == (PlanVerdict.NOT_ENOUGH_EVIDENCE, PlanVerdict.HOLDS)
    assert together.tasks_needed > 3 * apart.tasks_needed


def test_what_learning_took_is_paid_back_or_never():
    arms = {FULL: measured([1] * 9), PLAN: measured([1] * 9, tokens=60)}
    assert compare(arms, margin=0.02, confidence=0.95, learning_tokens=1000).break_even_tasks == 25

    dear = {FULL: measured([1] * 9), PLAN: measured([1] * 9, tokens=160)}
    assert compare(dear, margin=0.02, confidence=0.95, learning_tokens=1000).break_even_tasks is None


def test_tokens_of_learning_come_from_the_plan(simulated):
    made = make_plan(simulated.graph, (Drop("bad"),))
    made = type(made)(
        **{name: getattr(made, name) for name in made.__struct_fields__}
        | {"learned": Learned(learner="agentdropout", tokens_spent=5000)}
    )

    found = verify(made, simulated.graph, simulated.tasks(5, 8), simulated.run, simulated.score)

    assert found.learning_tokens == 5000


def test_the_control_has_the_same_shape_and_leaves_the_protected_alone():
    made = plan(
        ("a", "b", "c", "d"),
        rounds=2,
        drop=["a", ("b", 2)],
        mute=(Mute("c", "d"),),
        early_exit=EarlyExit(2, 3, ("b", "c")),
        protect=("d",),
    )

    lots = [shuffle_plan(made, seed) for seed in range(20)]

    assert all(len(one.drop) == 2 and one.drop[1].round == 2 for one in lots)
    assert all(one.mute[0].reader == "d" and one.mute[0].source != "d" for one in lots)
    assert not any("d" in {line.agent for line in one.drop} for one in lots)
    assert len({one.drop[0].agent for one in lots}) == 3


def test_the_single_agent_is_the_one_the_plan_thinks_most_of(simulated):
    assert choose_single_agent(plan(drop=["a"])) == "b"
    assert choose_single_agent(plan(early_exit=EarlyExit(2, 2, ("c", "a")))) == "c"
    alone = make_arm_plans(make_plan(simulated.graph, (Drop("able-1"),)), simulated.graph, 0)[SINGLE]
    assert [name for name in simulated.graph.agents if alone.keeps(name, 1)] == ["able-2"]
    assert not alone.keeps("able-2", 2)


def test_recorded_arms_are_paired_by_task():
    full = team(*(rows(str(n), {"a": "x", "b": "x"}, answer="x", gold="x") for n in range(30)))
    reduced = team(*(rows(str(n), {"a": "x"}, answer="x", gold="x") for n in range(10, 40)))

    found = verify_recorded(plan(("a", "b")), {FULL: full, PLAN: reduced})

    assert found.arms[0].tasks_count == 20
    assert found.evidence.tokens_saved_share == pytest.approx(0.5)


def test_tokens_that_were_not_counted_are_unknown_and_save_nothing():
    arms = {FULL: measured([1] * 9), PLAN: measured([1] * 9, tokens=None)}

    found = compare(arms, margin=0.02, confidence=0.95, learning_tokens=100)

    assert found.arm(PLAN).prompt_tokens is None
    assert found.evidence.tokens_saved_share is None
    assert found.break_even_tasks is None


def test_nothing_to_compare_is_an_error(simulated):
    with pytest.raises(UserError, match="no tasks"):
        verify(make_plan(simulated.graph), simulated.graph, [], simulated.run, simulated.score)
    one, other = team(rows("1", {"a": "x"}, outcome=1.0)), team(rows("2", {"a": "x"}, outcome=1.0))
    with pytest.raises(UserError, match="share no graded task"):
        verify_recorded(plan(("a",)), {FULL: one, PLAN: other})


def test_a_plan_for_another_team_is_not_verified(simulated):
    with pytest.raises(UserError, match="another team"):
        verify(plan(), simulated.graph, simulated.tasks(1, 0), simulated.run, simulated.score)
