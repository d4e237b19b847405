"""The equations by hand, on graphs small enough to enumerate."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modicum.agents.graph import find_cycle, make_edges
from modicum.agents.sampling import Adam, anchor_penalty, nuclear_norm, sample_dag, sigmoid, weighted_degree

FULL2, FULL3 = make_edges("full", 2), make_edges("full", 3)


def draws(logits, mask, count=4000, seed=0, **options):
    rng = np.random.default_rng(seed)
    return [sample_dag(logits, mask, rng, **options) for _ in range(count)]


def test_two_agents_by_hand():
    # 0->1 comes first (1/2); only where it was left out can 1->0 be drawn (1/4); neither: 1/4
    found = draws(np.zeros((2, 2)), FULL2)

    forth = np.mean([one.edges[0, 1] for one in found])
    back = np.mean([one.edges[1, 0] for one in found])
    assert forth == pytest.approx(0.5, abs=0.03)
    assert back == pytest.approx(0.25, abs=0.03)
    for one in found[:20]:
        assert one.log_probability == pytest.approx(np.log(0.5 if one.edges[0, 1] else 0.25))


def test_the_gradient_of_the_log_probability_by_hand():
    logits = np.array([[0.0, 0.7], [-0.4, 0.0]])
    p, q = 1 / (1 + np.exp(-0.7)), 1 / (1 + np.exp(0.4))

    for one in draws(logits, FULL2, 30):
        if one.edges[0, 1]:
            assert one.gradient.tolist() == [[0, pytest.approx(1 - p)], [0, 0]]
        else:
            taken = float(one.edges[1, 0])
            assert one.gradient[0, 1] == pytest.approx(-p)
            assert one.gradient[1, 0] == pytest.approx(taken - q)


def test_reinforce_estimates_the_gradient_of_the_expected_reward():
    # reward 1 if 1 reads 0, else 0.2 if 0 reads 1; E = p + (1 - p) q 0.2
    logits = np.array([[0.0, 0.3], [-0.2, 0.0]])
    p, q = sigmoid(np.array([0.3, -0.2]))

    found = draws(logits, FULL2, 40_000)
    rewards = np.array([1.0 if one.edges[0, 1] else 0.2 * one.edges[1, 0] for one in found])
    estimate = np.mean([reward * one.gradient for reward, one in zip(rewards, found, strict=True)], axis=0)

    assert estimate[0, 1] == pytest.approx(p * (1 - p) * (1 - 0.2 * q), abs=0.01)
    assert estimate[1, 0] == pytest.approx((1 - p) * 0.2 * q * (1 - q), abs=0.01)


def test_the_probabilities_of_all_graphs_of_three_sum_to_one():
    logits = np.random.default_rng(1).normal(size=(3, 3))
    seen = {one.edges.tobytes(): np.exp(one.log_probability) for one in draws(logits, FULL3, 20_000)}

    acyclic = sum(
        not find_cycle(np.array(flags).reshape(3, 3))
        for flags in itertools.product([False, True], repeat=9)
        if not np.array(flags).reshape(3, 3).diagonal().any()
    )
    assert len(seen) <= acyclic == 25
    assert sum(seen.values()) == pytest.approx(1, abs=0.01)


@given(st.integers(0, 10_000))
def test_a_drawn_graph_has_no_cycle_and_stays_in_its_mask(seed):
    mask = make_edges("full", 5)
    mask[:, 2] = False
    [one] = draws(np.zeros((5, 5)), mask, 1, seed)

    assert find_cycle(one.edges) == []
    assert not (one.edges & ~mask).any()
    assert not one.gradient[~mask].any()


def test_row_by_row_the_last_agent_seldom_gets_a_word_in_and_in_any_order_everybody_alike():
    mask = make_edges("full", 3)
    rng = np.random.default_rng(0)

    def drawn(shuffled):
        found = [sample_dag(np.zeros((3, 3)), mask, rng, shuffled=shuffled).edges for _ in range(4000)]
        return np.mean(found, axis=0).sum(axis=1)

    # The first agent's two edges are never closed; the others' are the less often open, the later they stand.
    in_rows = drawn(shuffled=False)
    assert in_rows[0] == pytest.approx(1, abs=0.05)
    assert in_rows[0] > in_rows[1] + 0.1 > in_rows[2] + 0.2
    assert np.ptp(drawn(shuffled=True)) < 0.06


@pytest.mark.parametrize("seed", range(20))
def test_in_any_order_a_graph_still_has_no_cycle(seed):
    found = sample_dag(np.full((5, 5), 2.0), make_edges("full", 5), np.random.default_rng(seed), shuffled=True)

    assert find_cycle(found.edges) == []
    assert (found.gradient[found.edges] > 0).all()


def test_edges_between_rounds_are_independent():
    found = draws(np.zeros((2, 2)), np.ones((2, 2), dtype=bool), acyclic=False)

    assert np.mean([one.edges for one in found], axis=0) == pytest.approx(0.5, abs=0.03)


def test_temperature_scales_the_gradient():
    [one] = draws(np.array([[0.0, 2.0], [0.0, 0.0]]), FULL2, 1, temperature=2.0)
    p = 1 / (1 + np.exp(-1))

    assert one.gradient[0, 1] == pytest.approx((float(one.edges[0, 1]) - p) / 2)


def test_the_nuclear_norm_by_hand():
    value, slope = nuclear_norm(np.array([[0.0, 3.0], [4.0, 0.0]]))

    assert value == pytest.approx(7)
    assert slope == pytest.approx(np.array([[0.0, 1.0], [1.0, 0.0]]))
    assert nuclear_norm(np.zeros((3, 3)))[1].tolist() == np.zeros((3, 3)).tolist()


def test_gradients_of_the_penalties_against_differences():
    rng = np.random.default_rng(3)
    matrix, start = rng.random((4, 4)), np.ones((4, 4))
    for function in (nuclear_norm, lambda m: anchor_penalty(m, start, 0.1)):
        _, slope = function(matrix)
        for place in [(0, 1), (2, 3)]:
            step = np.zeros((4, 4))
            step[place] = 1e-6
            change = (function(matrix + step)[0] - function(matrix - step)[0]) / 2e-6
            assert slope[place] == pytest.approx(change, abs=1e-5)


def test_within_its_slack_the_anchor_is_silent():
    value, slope = anchor_penalty(np.full((2, 2), 0.99), np.ones((2, 2)), 0.1)

    assert value == 0
    assert not slope.any()


def test_the_weighted_degree_counts_both_directions():
    assert weighted_degree(np.array([[0.0, 1.0, 0.5], [0.25, 0.0, 0.0], [0.0, 0.0, 0.0]])).tolist() == [1.75, 1.25, 0.5]


def test_adams_first_step_is_the_rate():
    adam = Adam((2,), 0.1)

    assert adam.step(np.zeros(2), np.array([3.0, -0.001])) == pytest.approx(np.array([-0.1, 0.1]), abs=1e-4)
