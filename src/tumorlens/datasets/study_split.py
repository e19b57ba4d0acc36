"""The original study's split, image by image. Leaky: for comparison with the published table."""

from __future__ import annotations

import numpy as np

from tumorlens.datasets.dataset import Dataset
from tumorlens.datasets.split import Split, make_split
from tumorlens.datasets.split_check import check_split

__all__ = ["split_like_study"]

_TEST_SHARE = 0.2
_VALIDATION_SHARE = 0.2
_SEED = 42


def split_like_study(dataset: Dataset) -> Split:
    """Split every row, copies too, as the study did: neighbouring slices stand on both sides.

    ``train_test_split(range(n), test_size=0.2, random_state=42)`` in row order; of the shuffled
    training rows the last 20 % are validation, cut where Keras' ``validation_split=0.2`` cuts, at
    ``floor(n * 0.8)``. There is no calibration part.

    Raises:
        InputError: There are so few scans that a class is missing from a part.
    """
    from sklearn.model_selection import train_test_split

    parts = np.full(len(dataset), "train", dtype="<U11")
    if len(dataset) > 1:
        rows = np.arange(len(dataset))
        training, test = train_test_split(rows, test_size=_TEST_SHARE, random_state=_SEED)
        parts[test] = "test"
        parts[training[int(len(training) * (1.0 - _VALIDATION_SHARE)) :]] = "validation"
    split = make_split(parts, pixel_digests=dataset.digests, protocol="study", seed=_SEED, groups_are="none")
    check_split(dataset, split)
    return split
