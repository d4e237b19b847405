"""Bets on the mean of bounded figures that come one by one: only sums are held, however many come.

`betting.py` has the method. There all figures are at hand, so any claim can be looked at; here the claims are fixed
beforehand, on a grid, so an end of the interval is one of its points, always on the careful side.
"""

import math
from typing import Self

import numpy as np
from numpy.typing import NDArray

from modicum.statistics.betting import STAKES

Floats = NDArray[np.float64]

CLAIMS = np.array([0, 0.005, 0.01, 0.015, 0.02, 0.03, 0.04, 0.05, 0.07, 0.1, 0.13, 0.16, 0.2, 0.25, 0.3, 0.4, 0.5, 0.7])
"""Means that are bet against, on both sides of 0."""


class RunningBets:
    """How far bets against each claim have grown: [side, claim, stake], as natural logarithms.

    Side 0 bets that the mean is above the claim, side 1 that it is below.
    """

    claims: Floats = np.concatenate([-CLAIMS[:0:-1], CLAIMS])

    def __init__(self) -> None:
        self.grown: Floats = np.zeros((2, len(self.claims), len(STAKES)))

    def add(self, figure: float, lowest: float, highest: float) -> None:
        """One more figure, and the least and the most that it could have been: both beyond every claim.

        Raises:
            ValueError: the figure is beyond its bounds.
        """
        if not lowest - 1e-9 <= figure <= highest + 1e-9:
            raise ValueError("a figure is beyond its bounds")
        above = (figure - self.claims) / (self.claims - lowest)
        below = (self.claims - figure) / (highest - self.claims)
        steps = np.stack([above, below]).clip(-1.0, 1e12)
        self.grown += np.log1p(steps[:, :, None] * STAKES)

    @property
    def evidence(self) -> Floats:
        """[side, claim]: how often the stake was multiplied, as natural logarithm."""
        top = self.grown.max(axis=2)
        found: Floats = top + np.log(np.exp(self.grown - top[:, :, None]).mean(axis=2))
        return found

    def evidence_below(self, claim: float) -> float:
        """Evidence that the mean is below a claim of the grid."""
        return float(self.evidence[1, int(np.argmin(np.abs(self.claims - claim)))])

    def interval(self, error: float) -> tuple[float, float]:
        """What the mean lies between, whenever one looks, with a chance of `error` ever to be wrong; -1 and 1 where
        the grid has no such point.
        """
        refused = self.evidence >= -math.log(error / 2)
        low = float(self.claims[refused[0]].max()) if refused[0].any() else -1.0
        high = float(self.claims[refused[1]].min()) if refused[1].any() else 1.0
        return low, high

    def pack(self) -> bytes:
        return self.grown.astype("<f8").tobytes()

    @classmethod
    def unpack(cls, packed: bytes) -> Self:
        """Bets as `pack` left them; new ones from nothing.

        Raises:
            ValueError: these are others' bytes.
        """
        bets = cls()
        if packed:
            bets.grown = np.frombuffer(packed, dtype="<f8").reshape(bets.grown.shape).copy()
        return bets
