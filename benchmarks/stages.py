"""Whether pooled outputs of earlier stages help a linear head on a frozen network, on the frozen folds of ``bohaju``.

    stages.py [--protocol strict]

The head is that of ``--head linear``, fitted on the training part of each fold and scored on its test part once for
each set of features: the pooled output as shipped; beside it the mean over positions of what goes into stages 3 to 7;
mean and standard deviation. Nothing is calibrated, which no accuracy depends on much. Figures over all five folds with
intervals over the protocol's groups, and differences to the first on the same scans.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fold_results import interval
from protocols import DATASET, read_protocol, read_units
from tumorlens.backbones import find_backbone, resolve_weights
from tumorlens.datasets import Dataset, load_dataset
from tumorlens.features import FeatureStore, extract_features
from tumorlens.runtime import BoundaryGraph, boundary_graph, compile_graph, feature_graph
from tumorlens.training import fit_linear
from tumorlens.types import Pixels
from tumorlens.workflows.heads import row_probabilities
from tumorlens.workspace import Workspace

_BACKBONE, _SIZE = "efficientnet-lite0", 240
_STAGES = ("block3", "block4", "block5", "block6", "block7")
Values = npt.NDArray[np.float32]


def main() -> None:
    """Compute features, fit and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workspace", type=Path)
    parser.add_argument("--protocol", default="strict")
    arguments = parser.parse_args()
    workspace = Workspace.locate(arguments.workspace)
    dataset = load_dataset(workspace, DATASET)
    final, means, deviations = _features(dataset, workspace)
    base: npt.NDArray[np.float64] | None = None
    for name, features in (
        ("as shipped", final),
        ("and means of stages", np.hstack([final, means])),
        ("and deviations", np.hstack([final, means, deviations])),
        ("means of stages alone", means),
    ):
        right = _right(dataset, arguments.protocol, features)
        groups = read_units(arguments.protocol)
        whole = interval(right, groups, share=True)
        words = f"{right.mean():.3f} ({whole.low:.3f} to {whole.high:.3f})"
        if base is not None:
            gain = interval(right - base, groups, share=False)
            words += f", difference {np.mean(right - base):+.3f} ({gain.low:+.3f} to {gain.high:+.3f})"
        base = right if base is None else base
        print(f"{arguments.protocol} {name:22} {features.shape[1]:5} features: {words}", flush=True)


def _features(dataset: Dataset, workspace: Workspace) -> tuple[Values, Values, Values]:
    spec = find_backbone(_BACKBONE)
    weights = resolve_weights(spec, weights="imagenet", weights_dir=None)
    graph = feature_graph(spec, weights, size=_SIZE, cache=workspace.graphs)
    with FeatureStore(workspace.features) as store:
        final = extract_features(dataset, graph, store)["pooled"].matrix(store)
    means, deviations = [], []
    for stage in _STAGES:
        lower = boundary_graph(spec, weights, size=_SIZE, fine_tune=stage, cache=workspace.graphs)
        mean, deviation = _pooled(dataset, lower)
        means.append(mean)
        deviations.append(deviation)
    return final, np.hstack(means), np.hstack(deviations)


def _pooled(dataset: Dataset, lower: BoundaryGraph) -> tuple[Values, Values]:
    """``(n, c)`` mean and standard deviation over positions of what goes into a stage."""
    distinct, places = np.unique(dataset.digests, return_inverse=True)
    network = compile_graph(lower.path, goal="throughput", threads=None, scan_size=None)
    (shape,) = lower.shapes
    found: dict[str, Values] = {}
    with dataset.open_pixels() as store:

        def scans() -> Iterator[tuple[str, Pixels]]:
            for digest in distinct.tolist():
                yield digest, store.get(digest)

        with closing(network.stream(scans())) as answers:
            for digest, outputs in answers:
                maps = outputs["boundary"].astype(np.float32).reshape(-1, shape[-1])
                found[digest] = np.concatenate([maps.mean(axis=0), maps.std(axis=0)])
    both = np.stack([found[digest] for digest in distinct.tolist()])[places]
    return both[:, : shape[-1]], both[:, shape[-1] :]


def _right(dataset: Dataset, protocol: str, features: Values) -> npt.NDArray[np.float64]:
    """``(n,)`` 1 where a scan's label was right when it was tested."""
    right = np.zeros(len(dataset))
    for split in read_protocol(dataset, protocol):
        train, test = split.rows("train"), split.rows("test")
        head = fit_linear(
            features[train], dataset.labels[train], dataset.groups[train], n_classes=len(dataset.classes)
        ).head
        right[test] = row_probabilities(head, features[test]).argmax(axis=1) == dataset.labels[test]
    return right


if __name__ == "__main__":
    main()
