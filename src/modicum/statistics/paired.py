"""The same tasks under two conditions: how much worse may the second one be?

Pairing removes what makes tasks easy or hard, so that a small difference needs few tasks. A verdict of "not worse" is
a statement about the lower end of an interval, never about a difference that did not reach significance.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import takewhile
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from modicum.statistics.jackknife import FEW_CLUSTERS, few_clusters
from modicum.statistics.student import t_quantile

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PairedDifference:
    """Mean of (after - before) over pairs, with a two-sided interval."""

    pairs_count: int
    mean: float
    low: float
    high: float
    confidence: float
    discordant_share: float
    """Pairs whose two values differ."""
    design_effect: float = 1.0
    """How many times as many pairs are needed because those of one cluster resemble each other; 1 without clusters."""
    caution: str = ""
    """Why the interval may be too narrow; empty where the data give no reason."""

    def not_worse_than(self, margin: float) -> bool:
        """Whether a loss of more than `margin` is ruled out (non-inferiority)."""
        return self.pairs_count > 0 and self.low >= -margin


def paired_difference(
    before: ArrayLike,
    after: ArrayLike,
    *,
    confidence: float = 0.95,
    span: float = 1.0,
    clusters: ArrayLike | None = None,
) -> PairedDifference:
    """Interval for the mean of (after - before).

    One made-up pair of +span and one of -span are added, which for 0/1 scores is the interval of Bonett and Price
    (2012, "Adjusted Wald confidence interval for a difference of binomial proportions based on paired data"): it keeps
    its coverage in small samples, and data without a single difference does not get an interval of width zero.

    Args:
        before: scores, one a task.
        after: scores of the same tasks in the same order.
        confidence: two-sided; the lower end alone holds with (1 + confidence) / 2.
        span: largest difference that one pair can have (1 for scores in 0..1).
        clusters: group of each task (subject, customer), where tasks of one group resemble each other. The wider of the
            plain and the cluster-robust interval is returned.

    Raises:
        ValueError: lengths differ, or a score is not finite.
    """
    first, second = np.asarray(before, dtype=float), np.asarray(after, dtype=float)
    if first.shape != second.shape or first.ndim != 1:
        raise ValueError(f"pairs need two equally long lists, not {first.shape} and {second.shape}")
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise ValueError("a score is not finite")
    change = second - first
    count = len(change)
    if count == 0:
        return PairedDifference(0, 0.0, -span, span, confidence, 0.0)
    padded = np.append(change, [span, -span])
    centre = float(padded.mean())
    plain = half = _normal(confidence) * float(padded.std()) / len(padded) ** 0.5
    groups, what = count, "tasks"
    if clusters is not None:
        half = max(half, _clustered_half_width(change, np.asarray(clusters), confidence))
        groups, what = len(np.unique(np.asarray(clusters))), "groups"
    return PairedDifference(
        pairs_count=count,
        mean=float(change.mean()),
        low=max(-span, centre - half),
        high=min(span, centre + half),
        confidence=confidence,
        discordant_share=float(np.mean(change != 0)),
        design_effect=(half / plain) ** 2,
        caution=few_clusters(groups, what) if groups < FEW_CLUSTERS else "",
    )


def simultaneous_confidence(
    changes: ArrayLike, *, confidence: float = 0.95, clusters: ArrayLike | None = None, seed: int = 0
) -> float:
    """The confidence at which each of several intervals must be taken so that all hold at once.

    The best of many looks better than it is. Bonferroni would treat candidates that share most of their tasks as
    strangers; a multiplier bootstrap (Chernozhukov, Chetverikov and Kato 2013) keeps how they vary together: the
    quantile of the largest standardised deviation when whole clusters (or tasks) change sign by lot.

    Args:
        changes: [candidates, tasks] (after - before).
        confidence: wanted for all intervals together.
        clusters: as in `paired_difference`.
        seed: of the 2,000 draws.
    """
    table = np.atleast_2d(np.asarray(changes, dtype=float))
    rest = table - table.mean(axis=1, keepdims=True)
    if clusters is not None:
        names = np.asarray(clusters)
        rest = np.stack([rest[:, names == name].sum(axis=1) for name in np.unique(names)], axis=1)
    scale = np.sqrt((rest**2).sum(axis=1))
    rest = rest[scale > 0] / scale[scale > 0, None]
    if len(rest) == 0:
        return confidence
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], size=(rest.shape[1], 2000))
    largest = np.abs(rest @ signs).max(axis=0)
    return max(confidence, 2 * NormalDist().cdf(float(np.quantile(largest, confidence))) - 1)


def passed_in_sequence(changes: Iterable[PairedDifference], margin: float) -> int:
    """How many of the first changes are not worse than the margin: testing ends at the first that is not.

    Fixed-sequence testing (Maurer, Hothorn and Lehmacher 1995; Westfall and Krishen 2001): in an order that was settled
    without these data each test may be made at the full level, and the chance that any change beyond the margin passes
    stays below the level of one test, since the first such change has to pass before any other can.
    """
    return sum(1 for _ in takewhile(lambda one: one.not_worse_than(margin), changes))


def pairs_needed(
    margin: float,
    discordant_share: float,
    *,
    true_difference: float = 0.0,
    power: float = 0.8,
    one_sided_error: float = 0.025,
    design_effect: float = 1.0,
) -> int | None:
    """How many pairs of 0/1 scores rule out a loss of `margin`; None where no number would (the truth is beyond it).

    Normal approximation: (z_error + z_power)^2 (discordant - d^2) / (margin + d)^2, times the design effect. The error
    is that of the lower end of a two-sided 95 % interval, which verdicts read: one level for planning and verdict.
    """
    room = margin + true_difference
    if room <= 0:
        return None
    z = NormalDist().inv_cdf(1 - one_sided_error) + NormalDist().inv_cdf(power)
    variance = max(discordant_share - true_difference**2, 0.0)
    return max(1, int(np.ceil(design_effect * z**2 * variance / room**2)))


def _normal(confidence: float) -> float:
    return NormalDist().inv_cdf((1 + confidence) / 2)


def _clustered_half_width(change: Floats, clusters: NDArray[np.generic], confidence: float) -> float:
    names = np.unique(clusters)
    groups = len(names)
    if groups < 2:
        return 0.0
    rest = change - change.mean()
    sums = np.array([rest[clusters == name].sum() for name in names])
    error = float(np.sqrt((sums**2).sum() * groups / (groups - 1))) / len(change)
    return t_quantile((1 + confidence) / 2, groups - 1) * error
