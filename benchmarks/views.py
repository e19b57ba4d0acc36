"""What test-time views bring and cost: accuracy and log loss with 1, 2, 4 and 8 views of each scan against seconds.

    views.py RUN_OR_BUNDLE DATASET --workspace DIR [--views 1,2,4,8]

On the model's own data set its test part is scored, on another one every scan that the model was not made with. All
numbers of views see the same scans, so the differences to one view are paired; groups are drawn whole. Opens the test
part without counting it in the ledger: for a copy of a workspace. For models of two classes.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from measuring import report
from scoring import Scans, differences, figures
from tumorlens.datasets import Dataset, load_dataset
from tumorlens.progress import SILENT
from tumorlens.workflows.evaluation_labels import map_classes
from tumorlens.workflows.evaluation_model import EvaluatedModel, find_model
from tumorlens.workflows.evaluation_scans import JudgedScans, own_test_part, unseen_scans
from tumorlens.workspace import Workspace


def main() -> None:
    """Print one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("dataset")
    parser.add_argument("--workspace", type=Path, required=True)
    parser.add_argument("--views", default="1,2,4,8", type=lambda text: [int(word) for word in text.split(",")])
    words = parser.parse_args()
    workspace = Workspace.locate(words.workspace)
    model, dataset = find_model(words.model, workspace=workspace), load_dataset(workspace, words.dataset)
    judged = {n: _judge(model, dataset, workspace, views=n) for n in dict.fromkeys([1, *words.views])}
    scans = _scans(model, dataset, judged[1])
    one = judged[1].probabilities
    report(
        {
            "model": model.card.title,
            "scans": len(scans.labels),
            "groups": len(np.unique(scans.groups)),
            "rows": [
                {
                    "views": n,
                    "figures": figures(scans, found.probabilities),
                    "against_one_view": differences(scans, found.probabilities, one) if n > 1 else None,
                    "cost": None if found.cost is None else _cost(found.cost.to_json()),
                }
                for n, found in judged.items()
            ],
        }
    )


def _judge(model: EvaluatedModel, dataset: Dataset, workspace: Workspace, *, views: int) -> JudgedScans:
    ask = own_test_part if model.trained_on(dataset) else unseen_scans
    return ask(model, dataset, workspace=workspace, views=views, threads=None, progress=SILENT)


def _scans(model: EvaluatedModel, dataset: Dataset, judged: JudgedScans) -> Scans:
    classes = map_classes(model.card.labels, dataset.classes, label_map={})
    codes = np.array([model.card.labels.index(classes[name]) for name in dataset.classes], np.int64)
    point = model.card.operating_point
    assert point is not None, "for models of two classes"
    positive = model.card.labels.index(point.positive_class)
    return Scans(codes[dataset.labels[judged.rows]], dataset.groups[judged.rows], positive)


def _cost(cost: dict[str, float]) -> dict[str, float]:
    return {name: round(cost[name], 4) for name in ("seconds", "one_view_seconds", "factor")}


if __name__ == "__main__":
    main()
