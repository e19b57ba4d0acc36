"""Networks in 8-bit integers against the same in full precision: speed side by side, and what it costs.

    quantised.py DATASET --workspace DIR [--weights vgg16=FILE] [--backbones A,B] [--random C,D] [--size N]

Networks with pretrained weights go the way of ``compare``, once with ``--precision fp32`` and once with ``int8``, on
the grouped split with seed 0: accuracy and loss of the validation and test parts, and whether int8 was accepted.
Networks of which no weights are at hand (``--random``) tell nothing about accuracy: of them there are the speed, and
how alike the features of held-out scans are (cosine; also of differences from the mean scan's features, as random
networks give all scans nearly the same).
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from measuring import report
from tumorlens.backbones import find_backbone, resolve_weights
from tumorlens.datasets import Dataset, load_dataset
from tumorlens.runtime import compile_graph, feature_graph
from tumorlens.runtime.quantised_graphs import quantised_graph
from tumorlens.runtime.side_by_side import compare_speed
from tumorlens.workflows.compare import CompareSettings, compare_networks
from tumorlens.workflows.runs import RunRecord
from tumorlens.workspace import Workspace

_FIGURES = ("val_accuracy", "val_loss", "test_accuracy", "test_accuracy_low", "test_accuracy_high", "test_loss")
_HELD_OUT = 64


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset")
    parser.add_argument("--workspace", type=Path, required=True)
    parser.add_argument("--backbones", default="efficientnet-lite0")
    parser.add_argument("--random", default="")
    parser.add_argument("--weights", action="append", default=[])
    parser.add_argument("--size", type=int, default=240)
    parser.add_argument("--calibration", type=int, default=300, help="scans for networks with random weights")
    words = parser.parse_args()
    workspace = Workspace.locate(words.workspace)
    dataset = load_dataset(workspace, words.dataset)
    report(
        {
            "dataset": dataset.name,
            "size": words.size,
            "pretrained": [
                pretrained(dataset, name, tuple(words.weights), words.size, workspace)
                for name in split(words.backbones)
            ],
            "random_weights": [
                untrained(dataset, name, words.size, words.calibration, workspace) for name in split(words.random)
            ],
        }
    )


def split(words: str) -> list[str]:
    return [word for word in words.split(",") if word]


def pretrained(
    dataset: Dataset, backbone: str, weights: tuple[str, ...], size: int, workspace: Workspace
) -> dict[str, Any]:
    """Two runs that differ in precision alone."""
    own = tuple(word for word in weights if word.startswith(f"{backbone}="))
    runs = {precision: _run(dataset, backbone, own, size, precision, workspace) for precision in ("fp32", "int8")}
    return {
        "backbone": backbone,
        **{precision: _figures(run) for precision, run in runs.items()},
        "precision": runs["int8"].config["precision"],
    }


def _run(
    dataset: Dataset, backbone: str, weights: tuple[str, ...], size: int, precision: str, workspace: Workspace
) -> RunRecord:
    settings = CompareSettings(backbones=(backbone,), weights=("imagenet", *weights), size=size, precision=precision)
    return compare_networks(dataset, settings, workspace=workspace).runs[0]


def _figures(run: RunRecord) -> dict[str, Any]:
    return {name: getattr(run.row, name) for name in _FIGURES}


def untrained(dataset: Dataset, backbone: str, size: int, calibration: int, workspace: Workspace) -> dict[str, Any]:
    """Speed and features of a network with random weights."""
    spec = find_backbone(backbone)
    weights = resolve_weights(spec, weights="random", weights_dir=None)
    graph = feature_graph(spec, weights, size=size, cache=workspace.graphs)
    digests = (
        dataset.manifest["pixel_digest"].drop_duplicates().sample(calibration + _HELD_OUT, random_state=0).tolist()
    )
    with dataset.open_pixels() as pixels:
        found = quantised_graph(
            graph.path,
            calibration=digests[:calibration],
            read=pixels.get,
            cache=workspace.graphs,
            title=spec.title,
        )
        scans = [pixels.get(digest) for digest in digests[calibration:]]
    speed = compare_speed(graph.path, found.path, scans)
    full, quantised = (_features(path, scans) for path in (graph.path, found.path))
    return {
        "backbone": backbone,
        "layers": found.layers,
        "quantised_layers": found.quantised_layers,
        "scans_per_second_fp32": speed.first,
        "scans_per_second_int8": speed.second,
        "speed_ratio": speed.ratio,
        "cosine": _cosine(full, quantised),
        "cosine_of_differences": _cosine(full - full.mean(axis=0), quantised - quantised.mean(axis=0)),
    }


def _features(path: Path, scans: list[npt.NDArray[np.uint8]]) -> npt.NDArray[np.float64]:
    graph = compile_graph(path, outputs=["features"])
    answers = dict(graph.stream(enumerate(scans)))
    return np.concatenate([answers[place]["features"] for place in range(len(scans))]).astype(np.float64)


def _cosine(first: npt.NDArray[np.float64], second: npt.NDArray[np.float64]) -> float:
    """Mean over scans."""
    norms = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    return float(((first * second).sum(axis=1) / norms).mean())


if __name__ == "__main__":
    main()
