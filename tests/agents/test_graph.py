import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.simulator import drop_cycles, sort_by_reading
from modicum.agents.graph import SHAPES, TeamGraph, add_acyclic_edges, find_cycle
from modicum.calls import UserError


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_has_a_speaking_order(shape):
    graph = TeamGraph(["a", "b", "c", "d"], rounds=3, spatial=shape, temporal=shape)

    assert graph.spatial.shape == (3, 4, 4)
    assert graph.temporal.shape == (2, 4, 4)
    assert sorted(sort_by_reading(drop_cycles(graph.spatial[0]))) == [0, 1, 2, 3]


def test_full_reads_everybody_but_oneself_and_oneself_across_rounds():
    graph = TeamGraph(["a", "b"], rounds=2)

    assert graph.spatial[0].tolist() == [[False, True], [True, False]]
    assert graph.temporal[0].all()


def test_pairs_name_source_and_reader():
    graph = TeamGraph(["a", "b", "c"], spatial=[("c", "a"), ("a", "b")])

    assert sort_by_reading(graph.spatial[0]) == [2, 0, 1]


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"agents": []}, "needs agents"),
        ({"agents": ["a", ""]}, "no name"),
        ({"agents": ["a", "a"]}, "'a' is named twice"),
        ({"agents": ["a"], "rounds": 0}, "at least one round"),
        ({"agents": ["a"], "protect": ["x"]}, "no agent to protect in the team called 'x'"),
        ({"agents": ["a", "b"], "spatial": "ring"}, "there is no shape 'ring'"),
        ({"agents": ["a", "b"], "spatial": [("a", "x")]}, "no agent in the team called 'x'"),
        ({"agents": ["a", "b"], "spatial": [("a", "a")]}, "does not read itself"),
        ({"agents": ["a", "b", "c"], "spatial": [("a", "b"), ("b", "a")]}, "a -> b -> a"),
    ],
)
def test_what_is_no_team_is_said(fields, says):
    with pytest.raises(UserError, match=says):
        TeamGraph(**fields)


@given(st.lists(st.booleans(), min_size=16, max_size=16))
def test_what_is_realised_has_no_cycle_and_no_new_edge(flags):
    edges = np.array(flags).reshape(4, 4) & ~np.eye(4, dtype=bool)

    kept = drop_cycles(edges)

    assert find_cycle(kept) == []
    assert not (kept & ~edges).any()
    order = sort_by_reading(kept)
    assert all(order.index(source) < order.index(reader) for source, reader in zip(*np.nonzero(kept), strict=True))


def test_edges_are_completed_by_those_that_close_no_cycle():
    edges = TeamGraph(["a", "b", "c"], spatial=[("a", "c"), ("b", "c")]).spatial[0]
    of_c = TeamGraph(["a", "b", "c"], spatial=[("c", "a"), ("c", "b")]).spatial[0]
    of_b = TeamGraph(["a", "b", "c"], spatial=[("b", "a"), ("b", "c")]).spatial[0]

    assert np.array_equal(add_acyclic_edges(edges, of_c), edges)
    assert add_acyclic_edges(edges, of_b)[1].tolist() == [True, False, True]


@pytest.mark.parametrize("name", ["a\nb", "\x1b[31ma", "a\u202e"])
def test_a_name_that_would_break_a_line_is_refused(name):
    with pytest.raises(UserError, match="control character"):
        TeamGraph([name, "b"])
