from xml.etree import ElementTree as ET

import pytest

from agents.teams import plan, rows, team
from modicum.agents.plan_rules import EarlyExit, EdgeKind, Mute
from modicum.calls import UserError
from modicum.reports.team_drawing import count_edge_tokens, draw_team

RECORDED = team(*(rows(str(n), {"a": "x", "b": "x", "c": "x"}, {"a": "x", "b": "x", "c": "x"}) for n in range(2)))


def texts(svg):
    tree = ET.fromstring(svg)  # noqa: S314 - our own output
    return [element.text for element in tree.iter("{http://www.w3.org/2000/svg}text")]


def test_edges_carry_the_tokens_that_were_read():
    edges, spoken = count_edge_tokens(RECORDED, None)

    assert edges["a", "b"] == 2 * 10 + 2 * 10 + 2 * 10
    assert spoken == {"a": 40, "b": 40, "c": 40}


def test_a_plan_takes_away_what_it_drops_and_mutes():
    made = plan(rounds=2, drop=["a", ("b", 2)], mute=(Mute("c", "b", EdgeKind.TEMPORAL),))

    edges, spoken = count_edge_tokens(RECORDED, made)

    assert not any("a" in edge for edge in edges)
    assert spoken == {"a": 0, "b": 20, "c": 40}
    assert edges == {("b", "c"): 40}


def test_the_picture_is_whole_and_shows_before_and_after():
    svg = draw_team(RECORDED, plan(rounds=2, drop=["a", ("b", 2)], early_exit=EarlyExit(agree=2, of=3)))

    shown = texts(svg)
    assert "t as recorded" in shown
    assert "t under the plan" in shown
    assert "dropped" in shown
    assert "not in round 2" in shown
    assert any("stop when 2 agree" in text for text in shown)
    assert "script" not in svg


def test_names_cannot_break_the_picture():
    svg = draw_team(team(rows("1", {"<a & b>": "x", '"c"': "x"})))

    assert "<a & b>" in texts(svg)


def test_an_agent_alone_is_drawn():
    assert "solo" in texts(draw_team(team(rows("1", {"solo": "x"}))))


def test_a_plan_for_other_agents_is_not_drawn():
    with pytest.raises(UserError, match="another team"):
        draw_team(RECORDED, plan(("a", "b"), rounds=2))
