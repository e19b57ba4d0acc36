from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from tumorlens.datasets import Dataset, import_scans, residual_neighbours, split_like_study
from tumorlens.errors import InputError
from tumorlens.workspace import Workspace


def test_is_sklearns_split_with_keras_validation(dataset: Dataset) -> None:
    from sklearn.model_selection import train_test_split

    training, test = train_test_split(range(72), test_size=0.2, random_state=42)
    split = split_like_study(dataset)
    assert split.rows("test").tolist() == sorted(test)
    assert split.rows("validation").tolist() == sorted(training[45:])  # floor(57 * 0.8) = 45
    assert split.rows("train").tolist() == sorted(training[:45])
    assert split.rows("calibration").size == 0
    assert split.leaky
    assert (split.protocol, split.groups_are, split.seed) == ("study", "none", 42)


def test_its_leak_is_counted(dataset: Dataset) -> None:
    split = split_like_study(dataset)
    left = residual_neighbours(dataset, split)
    groups_in_training = set(dataset.groups[split.rows("train")].tolist())
    leaked = sum(group in groups_in_training for group in dataset.groups[split.rows("test")])
    assert left.test_scans == 15
    assert left.above_095 == left.above_098 == leaked > 0
    assert left.sentence().startswith(f"{leaked} of 15 test scans keep a training neighbour")


def test_too_few_scans_are_refused(tmp_path: Path, workspace: Workspace, write_scan) -> None:
    for name, seed in (("a", 1), ("b", 2)):
        write_scan(tmp_path / "s" / name / "x.png", seed)
    dataset = import_scans(tmp_path / "s", workspace=workspace, name="two").dataset
    with pytest.raises(InputError, match="holds no scan of class"):
        split_like_study(dataset)


@pytest.mark.realdata
def test_support_equals_the_published_reports(bohaju: Dataset) -> None:
    split = split_like_study(bohaju)
    support = Counter(bohaju.manifest["label"].to_numpy()[split.rows("test")])
    assert support == {"0": 419, "1": 334}
    assert split.sizes() == {"train": 2407, "validation": 602, "calibration": 0, "test": 753}
    assert np.array_equal(np.unique(split.parts), ["test", "train", "validation"])
