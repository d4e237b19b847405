"""When a stored answer may stand for a new one: learned for each stored answer, within a bound on wrong ones.

How likely the answer is right is taken to be a logistic curve of how alike the two questions are. Each time that a
question was asked all the same, its own answer shows whether the stored one would have been right. All curves that are
not much less likely than the best one are believed possible, and the worst of them is what counts: the way of vCache
(Schroeder et al., https://arxiv.org/abs/2502.03771, section 4), with two differences. No answer is given on hope alone
(`LEAST_SURE`), and one that was seen to be wrong is closed to everything that is no more alike than that.
"""

from collections.abc import Sequence
from functools import cache
from math import exp, log

import numpy as np
from numpy.typing import NDArray

LEAST_SURE = 0.7
"""An answer that is right less often than this, at worst, is never given."""
ALWAYS_ASKED = 0.05
"""Share of questions that are asked however sure the answer is: what changes meanwhile is seen."""
MARGIN = 0.02
"""How much more alike than a question that it was wrong for a question must be."""
MOST_SEEN = 200
"""Checks that are remembered of one answer; the oldest go first."""
_DOUBTS = (0.0001, 0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2)
"""How improbable may be that the true curve is none of those believed possible; the best of them is taken."""
_REACH = np.array([-log(doubt) for doubt in _DOUBTS])
"""How far below the best curve a possible one lies in log likelihood (chi square of two parameters, halved)."""

Curves = NDArray[np.float64]


class AnswerTrust:
    """What was seen of one stored answer."""

    __slots__ = ("_closed_below", "_seen")

    def __init__(self) -> None:
        self._seen: list[tuple[float, bool]] = []
        self._closed_below = -1.0

    @property
    def checks(self) -> int:
        """How often it was compared."""
        return len(self._seen)

    def record(self, similarity: float, *, is_right: bool) -> None:
        """A question so alike was asked, and the stored answer would have been right for it or not."""
        self._seen.append((similarity, is_right))
        if len(self._seen) > MOST_SEEN:
            del self._seen[0]
        if not is_right:
            self._closed_below = max(self._closed_below, similarity + MARGIN)

    def chance_to_answer(self, similarity: float, most_wrong: float) -> float:
        """How likely the stored answer may be given to a question so alike (0..1), so that no more than `most_wrong` of
        such questions get a wrong one.
        """
        if similarity < self._closed_below or not self._seen:
            return 0.0
        wrong = 1.0 - least_right(self._seen, similarity)
        if wrong > 1.0 - LEAST_SURE:
            return 0.0
        return min(most_wrong / wrong if wrong > 0 else 1.0, 1.0 - ALWAYS_ASKED)


def least_right(seen: Sequence[tuple[float, bool]], similarity: float) -> float:
    """How likely an answer is right at least, for a question so alike, by what was seen (similarity, right)."""
    inside, outside = _curves()
    at = np.array([round(min(max(one, 0.0), 1.0) * _STEPS) for one, _ in seen])
    is_right = np.array([right for _, right in seen])
    likelihood = inside[at[is_right]].sum(axis=0) + outside[at[~is_right]].sum(axis=0)
    place = int(min(max(similarity, 0.0), 1.0) * _STEPS)
    right = np.exp(inside[place])
    below = likelihood.max() - likelihood
    least = [float(right[below <= reach].min()) for reach in _REACH]
    return max((1.0 - doubt) * one for doubt, one in zip(_DOUBTS, least, strict=True))


_STEPS = 200


@cache
def _curves() -> tuple[Curves, Curves]:
    """Of every curve, at every similarity: the logarithms of the chances that the answer is right, and that it is not.

    A curve is where it passes one half, and how steep it is there.
    """
    middles, steepness = np.linspace(-0.2, 1.2, 57), np.array([exp(step / 3) for step in range(2, 15)])
    middle, steep = (grid.ravel() for grid in np.meshgrid(middles, steepness))
    similarity = np.arange(_STEPS + 1)[:, None] / _STEPS
    odds = steep * (similarity - middle)
    return -np.logaddexp(0, -odds), -np.logaddexp(0, odds)
