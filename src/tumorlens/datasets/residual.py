"""How much of the test still resembles the training, whatever the split kept apart."""

from __future__ import annotations

from dataclasses import dataclass

from tumorlens.datasets.dataset import Dataset
from tumorlens.datasets.similarity import nearest_similarity
from tumorlens.datasets.split import Split
from tumorlens.datasets.split_check import check_split

__all__ = ["ResidualNeighbours", "residual_neighbours"]


@dataclass(frozen=True)
class ResidualNeighbours:
    """Test scans that keep a close neighbour in training.

    Attributes:
        test_scans: Scans in the test part.
        above_095: Those with a training scan whose thumbnail correlates above 0.95.
        above_098: Likewise above 0.98.
    """

    test_scans: int
    above_095: int
    above_098: int

    def to_json(self) -> dict[str, int]:
        """Keys as in ``docs/json.md``."""
        return {"test_scans": self.test_scans, "above_0.95": self.above_095, "above_0.98": self.above_098}

    def sentence(self) -> str:
        """Say it in one line."""
        return (
            f"{self.above_095} of {self.test_scans} test scans keep a training neighbour above "
            f"0.95 (correlation of thumbnails), {self.above_098} above 0.98."
        )


def residual_neighbours(dataset: Dataset, split: Split) -> ResidualNeighbours:
    """Count the test scans with a close neighbour in the train part; copies count as neighbours.

    Raises:
        InputError: The split is not one of this data set.
    """
    check_split(dataset, split)
    thumbnails = dataset.thumbnails()
    best = nearest_similarity(thumbnails[split.rows("test")], thumbnails[split.rows("train")])
    return ResidualNeighbours(len(best), int((best > 0.95).sum()), int((best > 0.98).sum()))
