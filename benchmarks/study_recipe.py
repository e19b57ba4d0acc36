"""The original recipe against ``tumorlens compare`` on the same network, scans and machine, in one run.

The recipe is timed for one epoch after a warm-up, over all scans or a first part of them (``--images``), and scaled to
all scans, 10 epochs and one pass over the test images. ``compare`` is the whole command, from process start to report:
once with empty caches (the data set is imported), once with ``--refit`` (cached features, everything else made again),
and once more as it stands.

The ceiling is what no overhead at all would give: passes over the pixels that are saved, times the engines' ratio.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from measuring import report, run, tumorlens
from throughput import bare_openvino, subset
from tumorlens.backbones import find_backbone, resolve_weights
from tumorlens.datasets import load_dataset
from tumorlens.runtime import feature_graph
from tumorlens.workspace import Workspace

_NETWORKS = {"resnet50": "ResNet50", "vgg16": "VGG16", "efficientnetb0": "EfficientNetB0"}
_EPOCHS = 10
_RATE_SCANS = 256


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="folder with images/ and BrainTumor.csv")
    parser.add_argument("--backbone", choices=sorted(_NETWORKS), default="resnet50")
    parser.add_argument("--weights", type=Path, help="weights file; random ones saved by Keras by default")
    parser.add_argument("--images", type=int, default=3762, help="scans the recipe's epoch is timed on")
    parser.add_argument("--scans", type=int, default=3762, help="scans compare works on, the first ones")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report(
            measure(
                arguments.backbone,
                arguments.data,
                arguments.weights,
                arguments.images,
                arguments.scans,
                Path(folder),
            )
        )


def measure(
    backbone: str, data: Path, weights: Path | None, images: int, scans: int, folder: Path
) -> dict[str, object]:
    """All timings and their ratios."""
    weights = weights or save_random_weights(_NETWORKS[backbone], folder)
    workspace = ("--workspace", str(folder / "workspace"))
    first = subset(data, folder / "subset", scans)
    imported = json.loads(
        tumorlens(
            "data",
            "import",
            str(first),
            "--labels",
            str(first.parent / "labels.csv"),
            "--name",
            "scans",
            "--json",
            "--quiet",
            *workspace,
        ).output
    )
    child = [
        sys.executable,
        str(Path(__file__).with_name("recipe_child.py")),
        _NETWORKS[backbone],
        str(data),
        str(weights),
        "--images",
        str(images),
    ]
    recipe = json.loads(run(child).output.strip().splitlines()[-1])
    words = (
        "compare",
        "scans",
        "--backbones",
        backbone,
        "--weights",
        f"{backbone}={weights}",
        "--protocol",
        "study",
        "--json",
        "--quiet",
        *workspace,
    )
    cold, refit, repeated = tumorlens(*words), tumorlens(*words, "--refit"), tumorlens(*words)
    scale = imported["scans"] / recipe["images"]
    recipe_seconds = scale * (_EPOCHS * recipe["epoch_seconds"] + recipe["test_seconds"])
    passes = (_EPOCHS * recipe["fit_images"] + recipe["test_images"]) * scale / imported["distinct"]
    keras_rate = recipe["test_images"] / recipe["test_seconds"]
    engine_rate = bare_rate(backbone, weights, Workspace.locate(folder / "workspace"))
    return {
        "backbone": backbone,
        "recipe": recipe,
        "recipe_seconds_scaled": recipe_seconds,
        "cold_seconds": cold.seconds,
        "refit_seconds": refit.seconds,
        "repeated_seconds": repeated.seconds,
        "cold_ratio": recipe_seconds / cold.seconds,
        "refit_ratio": recipe_seconds / refit.seconds,
        "repeated_ratio": recipe_seconds / repeated.seconds,
        "passes_saved": passes,
        "keras_scans_per_second": keras_rate,
        "openvino_scans_per_second": engine_rate,
        "ceiling_ratio": passes * engine_rate / keras_rate,
        "cold_peak_memory_mb": cold.peak_memory_mb,
    }


def bare_rate(backbone: str, weights: Path, workspace: Workspace) -> float:
    """Scans a second of bare OpenVINO on the graph that ``compare`` used."""
    spec = find_backbone(backbone)
    graph = feature_graph(spec, resolve_weights(spec, weights=weights), size=240, cache=workspace.graphs)
    dataset = load_dataset(workspace, "scans")
    with dataset.open_pixels() as store:
        digests = dataset.manifest["pixel_digest"].drop_duplicates()[:_RATE_SCANS]
        pixels = np.stack([store.get(digest) for digest in digests])
    return len(pixels) / bare_openvino(graph, pixels)


def save_random_weights(network: str, folder: Path) -> Path:
    """A weights file as Keras saves it, with random values: the arithmetic costs the same."""
    path = folder / f"{network}.weights.h5"
    code = (
        f"import keras; keras.utils.set_random_seed(0); "
        f"keras.applications.{network}(include_top=False, weights=None).save_weights({str(path)!r})"
    )
    environment = {**os.environ, "KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
    return path


if __name__ == "__main__":
    main()
