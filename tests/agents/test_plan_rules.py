from datetime import date

import pytest

from agents.teams import plan
from modicum.agents.graph import TeamGraph
from modicum.agents.plan_rules import EdgeKind, Mute, Substitute, digest_text, share_of_run
from modicum.calls import UserError


def test_masks_of_edges_follow_drops_and_mutes():
    made = plan(rounds=2, drop=[("a", 2)], mute=(Mute("b", "c", EdgeKind.TEMPORAL),))
    spatial, temporal = made.edge_masks(TeamGraph(["a", "b", "c"], 2))

    assert spatial[0].sum() == 6
    assert spatial[1].sum() == 2
    assert temporal[0].tolist() == [[False, True, True], [False, True, False], [False, True, True]]


def test_a_cheaper_model():
    assert plan(substitute=(Substitute("a", "small"),)).model_for("a", "large") == "small"
    assert plan().model_for("a", "large") == "large"


def test_a_dropped_agent_is_silent_in_its_rounds_and_a_protected_one_never():
    made = plan(rounds=3, drop=[("a", 2)], protect=("c",), stop_after_round=2)

    assert [made.keeps("a", number) for number in (1, 2, 3)] == [True, False, False]
    assert made.keeps("c", 3)
    assert made.keeps("a stranger", 3)


def test_a_mute_holds_for_its_kind_and_round_alone():
    made = plan(rounds=2, mute=(Mute("a", "b", EdgeKind.SPATIAL, 1),))

    assert not made.carries("a", "b", EdgeKind.SPATIAL, 1)
    assert made.carries("a", "b", EdgeKind.TEMPORAL, 1)
    assert made.carries("a", "b", EdgeKind.SPATIAL, 2)
    assert made.carries("b", "a", EdgeKind.SPATIAL, 1)


def test_why_the_full_team_runs():
    made = plan(drop=["a"], canary_share=1.0, expires="2026-06-30")

    assert made.full_because(today=date(2026, 1, 1)) == ""
    assert made.full_because("run", today=date(2026, 1, 1)) == "canary"
    assert "expired" in made.full_because(today=date(2026, 7, 1))
    with pytest.raises(UserError, match="another team"):
        made.full_because(agents=["x"])


def test_the_share_of_a_run_is_a_number_of_its_own_and_always_the_same():
    shares = [share_of_run("team", f"run-{number}") for number in range(200)]

    assert shares == [share_of_run("team", f"run-{number}") for number in range(200)]
    assert all(0 <= share < 1 for share in shares)
    assert share_of_run("team", "run-1") != share_of_run("other", "run-1")
    assert digest_text("be brief") != digest_text("be verbose")
