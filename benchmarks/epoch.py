"""An epoch of fine-tuning against ``fit`` with the frozen layers in the loop: same network, scans, batch and layers.

    epoch.py DATASET [--backbone B] [--weights W] [--fine-tune half] [--scans 512] [--rounds 3]

One after the other in one process, in turn: ``fit`` over pixels in memory with the layers below the boundary frozen and
normalisation in inference mode, and the product's own loop over the cached outputs, read from disk. Neither sees
views, so ``fit`` pays nothing for making them. A first round, in which graphs are traced, is thrown away. What filling
the cache takes a scan and view stands beside: it is paid once.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

from measuring import report
from tumorlens.backbones import find_backbone, resolve_weights
from tumorlens.datasets import Dataset, load_dataset
from tumorlens.features import FeatureStore, cache_boundary
from tumorlens.runtime import BoundaryGraph, boundary_graph
from tumorlens.runtime.children.boundary import cut_network
from tumorlens.runtime.children.convert_backbone import effective_preprocessing
from tumorlens.runtime.children.networks import load_network
from tumorlens.runtime.children.save_model import preprocess
from tumorlens.training import BoundarySource, Recipe
from tumorlens.training.read_ahead import read_ahead
from tumorlens.training.stepper import Stepper
from tumorlens.training.view_readers import BoundaryReader
from tumorlens.workspace import Workspace


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset")
    parser.add_argument("--workspace", type=Path)
    parser.add_argument("--backbone", default="efficientnet-lite0")
    parser.add_argument("--weights", default="imagenet")
    parser.add_argument("--fine-tune", default="half")
    parser.add_argument("--size", type=int, default=240)
    parser.add_argument("--scans", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    workspace = Workspace.locate(arguments.workspace)
    dataset = load_dataset(workspace, arguments.dataset)
    rows = np.random.default_rng(0).choice(len(dataset), arguments.scans, replace=False)
    spec = find_backbone(arguments.backbone)
    weights = resolve_weights(spec, weights=arguments.weights, weights_dir=None)
    graph = boundary_graph(spec, weights, size=arguments.size, fine_tune=arguments.fine_tune, cache=workspace.graphs)
    with tempfile.TemporaryDirectory(prefix="tumorlens-epoch-") as folder:
        source, filling = _fill(dataset, graph, rows, Path(folder))
        ours = _ours(source, rows, dataset.labels, graph.layer, spec, weights.path, arguments.size)
        theirs = _fit(_pixels(dataset, rows, arguments.size), dataset.labels[rows], graph.layer, spec, weights.path)
        seconds = [(_timed(ours), _timed(theirs)) for _ in range(arguments.rounds + 1)][1:]
    report(
        {
            "dataset": dataset.name,
            "backbone": spec.name,
            "trained_from": graph.stage,
            "scans": arguments.scans,
            "batch": Recipe().batch_size,
            "seconds_an_epoch": statistics.median(own for own, _ in seconds),
            "seconds_an_epoch_fit": statistics.median(fit for _, fit in seconds),
            "ratios": [fit / own for own, fit in seconds],
            "filling_ms_a_scan": 1000.0 * filling / arguments.scans,
        }
    )


def _timed(epoch: Any) -> float:
    started = time.perf_counter()
    epoch()
    return time.perf_counter() - started


def _fill(dataset: Dataset, graph: BoundaryGraph, rows: np.ndarray, folder: Path) -> tuple[BoundarySource, float]:
    with FeatureStore(folder) as store:
        started = time.perf_counter()
        cached = cache_boundary(dataset, graph, store, rows=rows.tolist(), folder=folder)
        filling = time.perf_counter() - started
    return BoundarySource(folder, [kind.prefix for kind in cached.kinds], graph.shapes, cached.digests), filling


def _classified(tensor: Any, n_classes: int) -> Any:
    return keras.layers.Dense(n_classes)(keras.layers.GlobalAveragePooling2D()(tensor))


def _ours(
    source: BoundarySource,
    rows: np.ndarray,
    labels: np.ndarray,
    layer: str,
    spec: Any,
    weights: Path | None,
    size: int,
) -> Any:
    network = load_network(spec, size=size, weights=weights)
    upper = cut_network(network.body, layer).upper
    n_classes = int(labels.max()) + 1
    model = keras.Model(upper.input, _classified(upper.output, n_classes))
    recipe = Recipe()
    stepper = Stepper(
        model,
        [list(model.trainable_variables)],
        recipe=recipe,
        steps=10_000,
        class_weights=np.ones(n_classes, np.float32),
    )
    reader = BoundaryReader(source.describe())
    random = np.random.default_rng(0)

    def epoch() -> None:
        order = random.permutation(rows)
        batches = [order[start : start + recipe.batch_size] for start in range(0, len(order), recipe.batch_size)]
        for batch, inputs in read_ahead(lambda batch: reader.read(batch, None), batches):
            stepper.train(inputs, labels[batch], random)

    return epoch


def _fit(pixels: np.ndarray, labels: np.ndarray, layer: str, spec: Any, weights: Path | None) -> Any:
    network = load_network(spec, size=pixels.shape[1], weights=weights)
    above = {id(upper) for upper in cut_network(network.body, layer).upper.layers}
    for part in network.body.layers:
        part.trainable = id(part) in above
    inputs = keras.Input(pixels.shape[1:])
    body = network.body(preprocess(inputs, effective_preprocessing(spec, network)), training=False)
    model = keras.Model(inputs, _classified(body, int(labels.max()) + 1))
    model.compile(
        optimizer=keras.optimizers.AdamW(Recipe().learning_rate),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )

    def epoch() -> None:
        model.fit(pixels, labels, epochs=1, batch_size=Recipe().batch_size, verbose=0)

    return epoch


def _pixels(dataset: Dataset, rows: np.ndarray, size: int) -> np.ndarray:
    from tumorlens.training.resize import resize_bilinear

    digests = dataset.digests[rows]
    with dataset.open_pixels() as pixels:
        return np.stack([resize_bilinear(pixels.get(digest), size=size) for digest in digests])


if __name__ == "__main__":
    main()
