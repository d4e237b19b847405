"""How good a router of two models is: the better model's gain that it keeps, by the share of calls that it sends there.

PGR, APGR and CPT as RouteLLM defines them (Ong et al. 2024): its ten thresholds, its trapezoids, so that figures can
be set beside those that others publish.
"""

from typing import NamedTuple

import numpy as np

from modicum.routing.sparse_rows import Floats

THRESHOLDS = 10


class CurveFigures(NamedTuple):
    apgr: float
    """Mean share of the gain that is kept, over all shares of calls to the better model; by chance 0.5."""
    cpt50: float
    """Per cent of calls that must go to the better model to keep half of its gain; by chance 50."""
    cpt80: float


def curve_figures(scores: Floats, weak: Floats, strong: Floats) -> CurveFigures | None:
    """The figures of a router.

    Args:
        scores: of each task, how much is expected to be gained by the better model.
        weak: outcomes of the one model.
        strong: outcomes of the other.

    Returns:
        None where the second model is no better than the first: there is no gain of which to keep a share.
    """
    gain = strong - weak
    if not len(gain) or gain.mean() <= 0:
        return None
    edges = np.unique(np.quantile(scores, np.linspace(0, 1, THRESHOLDS + 1)))
    shares = np.array([0.0, *(float((scores >= edge).mean()) for edge in edges), 1.0])
    kept = np.array([0.0, *(float(gain[scores >= edge].sum()) for edge in edges), float(gain.sum())]) / gain.sum()
    order = np.argsort(shares, kind="stable")
    apgr = float(np.trapezoid(kept[order], shares[order]))
    sums = np.cumsum(gain[np.argsort(-scores, kind="stable")]) / gain.sum()
    return CurveFigures(apgr, _share_for(sums, 0.5), _share_for(sums, 0.8))


def _share_for(kept: Floats, least: float) -> float:
    return 100.0 * float(np.argmax(kept >= least - 1e-12) + 1) / len(kept)


def oracle_scores(weak: Floats, strong: Floats) -> Floats:
    """Scores of who knows every outcome beforehand."""
    return strong - weak
