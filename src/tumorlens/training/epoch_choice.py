r"""Which epoch's weights are kept: the latest one that is not shown to be worse than the best.

The validation loss of single epochs varies by chance, most where the validation part is small or easy, and the last
epochs are those in which the learning rate comes to its end. So an early epoch that is best by a hair is not enough to
stop by: an epoch is kept as long as its loss is above the lowest one by at most one standard error of this difference,
paired by scan and over groups. (The rule of one standard error of Breiman, Friedman, Olshen and Stone, "Classification
and Regression Trees", 1984, chapter 3.4.3, where the latest takes the place of the simplest.)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["EpochChoice", "Losses"]

Losses = NDArray[np.float64]


class EpochChoice:
    """Told the validation losses of every epoch in turn.

    Args:
        groups: ``(n,)`` group of each validation scan.

    Attributes:
        kept: Number of the epoch whose weights are to be kept, from 1; 0 before the first.
        lowest: ``(n,)`` losses of the epoch with the lowest mean; empty before the first.
    """

    def __init__(self, groups: NDArray[np.int64]) -> None:
        self._codes = np.unique(groups, return_inverse=True)[1]
        self.kept = 0
        self.lowest: Losses = np.empty(0)

    def take_up(self, kept: int, lowest: Losses) -> None:
        """Go on from what was noted before."""
        self.kept, self.lowest = kept, lowest

    def keeps(self, epoch: int, losses: Losses) -> bool:
        """Note an epoch; whether its weights are to be kept in place of all earlier ones.

        Args:
            epoch: Its number, from 1.
            losses: ``(n,)`` loss of each validation scan, nats.
        """
        if not self.lowest.size or losses.mean() < self.lowest.mean():
            self.kept, self.lowest = epoch, losses
        elif self._is_close(losses - self.lowest):
            self.kept = epoch
        return self.kept == epoch

    def _is_close(self, above: Losses) -> bool:
        sums = np.bincount(self._codes, weights=above - above.mean())
        groups = len(sums)
        if groups < 2:
            return False
        error = np.sqrt((sums**2).sum() * groups / (groups - 1)) / len(above)
        return bool(above.mean() <= error)
