"""Sampling a team's graph from edge logits, and the gradient of a reward through it (REINFORCE).

Equations of AgentDropout (arXiv 2503.18891) and AgentPrune (arXiv 2410.02506), sections on optimising the
communication graph: p = sigmoid(x / temperature); edges are drawn in row-major order, and one that would close a cycle
is left out and has no part in the probability of the graph.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modicum.agents.graph import Mask

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Sampled:
    """A drawn matrix of edges, and how its log-probability changes with the logits."""

    edges: Mask
    log_probability: float
    gradient: Floats
    """d log p / d x, same shape as the logits; 0 where no choice was made."""


def sigmoid(x: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-x)), dtype=np.float64)


def sample_dag(
    logits: Floats,
    mask: Mask,
    rng: np.random.Generator,
    *,
    temperature: float = 1.0,
    acyclic: bool = True,
    shuffled: bool = False,
) -> Sampled:
    """One round's edges.

    Args:
        logits: [agents, agents], source first.
        mask: edges that may be; others are never drawn.
        rng: source of chance.
        temperature: above 1 evens the probabilities out.
        acyclic: off for edges between rounds, which cannot form a cycle.
        shuffled: try the edges in an order drawn by lot. Row by row, edges of agents listed last find cycles closed:
            their logits are seldom drawn, so that a steady pull moves them furthest. Not in the papers.
    """
    probability = sigmoid(logits / temperature)
    size = len(logits)
    edges: Mask = np.zeros((size, size), dtype=bool)
    reaches: Mask = np.eye(size, dtype=bool)
    gradient = np.zeros_like(logits)
    log_probability = 0.0
    pairs = np.argwhere(mask)
    for source, reader in rng.permutation(pairs) if shuffled else pairs:
        if acyclic and reaches[reader, source]:
            continue
        p = float(probability[source, reader])
        taken = rng.random() < p
        log_probability += float(np.log(p if taken else 1 - p))
        gradient[source, reader] = (float(taken) - p) / temperature
        if taken:
            edges[source, reader] = True
            reaches |= np.outer(reaches[:, source], reaches[reader])
    return Sampled(edges, log_probability, gradient)


def nuclear_norm(matrix: Floats) -> tuple[float, Floats]:
    """Sum of the singular values, and its (sub)gradient U V^T over those that are not zero."""
    u, values, v = np.linalg.svd(matrix)
    rank = int((values > 1e-12).sum())
    return float(values.sum()), np.asarray(u[:, :rank] @ v[:rank])


def anchor_penalty(matrix: Floats, start: Floats, slack: float) -> tuple[float, Floats]:
    """relu(||start - matrix||_F - slack) and its gradient: edges may drift only so far from where they began."""
    away = matrix - start
    distance = float(np.linalg.norm(away))
    if distance <= slack:
        return 0.0, np.zeros_like(matrix)
    return distance - slack, away / distance


def weighted_degree(matrix: Floats) -> Floats:
    """Sum of an agent's outgoing and incoming edge weights."""
    return np.asarray(matrix.sum(axis=1) + matrix.sum(axis=0))


class Adam:
    """Kingma and Ba 2015, with the usual constants."""

    def __init__(self, shape: tuple[int, ...], rate: float) -> None:
        self.rate = rate
        self._mean = np.zeros(shape)
        self._square = np.zeros(shape)
        self._steps = 0

    def step(self, x: Floats, gradient: Floats) -> Floats:
        """The parameters after one step down the gradient of a loss."""
        self._steps += 1
        self._mean = 0.9 * self._mean + 0.1 * gradient
        self._square = 0.999 * self._square + 0.001 * gradient**2
        mean = self._mean / (1 - 0.9**self._steps)
        square = self._square / (1 - 0.999**self._steps)
        return x - self.rate * mean / (np.sqrt(square) + 1e-8)
