"""Our feature pass against bare OpenVINO, and against Keras' ``predict``, on the same scans in one run.

Bare OpenVINO gets the pixels in memory, already decoded, through the same graph with the same settings, and throws
its answers away; ours reads the pixel store, decodes, and writes every vector to a new feature store. Both compile the
graph first. The passes alternate; the ratio of the medians is reported, with every single one.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from measuring import report
from tumorlens.backbones import BackboneSpec, Weights, find_backbone, resolve_weights
from tumorlens.datasets import Dataset, import_scans
from tumorlens.features import FeatureStore, extract_features
from tumorlens.runtime import FeatureGraph, feature_graph
from tumorlens.workspace import Workspace

_KERAS = """
import json, os, sys, time
os.environ["KERAS_BACKEND"] = "tensorflow"; os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras, numpy as np
model = keras.models.load_model(sys.argv[1]); pixels = np.load(sys.argv[2]).astype("float32")
model.predict(pixels[:32], batch_size=32, verbose=0)
times = []
for _ in range(int(sys.argv[3])):
    started = time.perf_counter()
    model.predict(pixels, batch_size=32, verbose=0)
    times.append(time.perf_counter() - started)
print(json.dumps(times))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scans", type=Path, help="folder with images/ and BrainTumor.csv")
    parser.add_argument("--backbone", default="efficientnet-lite0")
    parser.add_argument("--weights", default=None, help="imagenet, random or a file")
    parser.add_argument("--images", type=int, default=384)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report(
            measure(
                arguments.scans,
                arguments.backbone,
                arguments.weights,
                arguments.images,
                arguments.repeats,
                Path(folder),
            )
        )


def measure(
    scans: Path, backbone: str, weights: str | None, images: int, repeats: int, folder: Path
) -> dict[str, object]:
    """Alternate the passes and compare their medians."""
    workspace = Workspace.locate(folder / "workspace").create()
    dataset = import_scans(
        subset(scans, folder / "subset", images),
        workspace=workspace,
        name="scans",
        labels=folder / "subset" / "labels.csv",
    ).dataset
    spec = find_backbone(backbone)
    resolved = resolve_weights(spec, weights=weights, weights_dir=None)
    graph = feature_graph(spec, resolved, size=240, cache=workspace.graphs)
    pixels = stack(dataset)
    ours, bare = [], []
    for repeat in range(repeats + 1):
        bare.append(bare_openvino(graph, pixels))
        ours.append(our_pass(dataset, graph, folder / f"store-{repeat}"))
    ours, bare = ours[1:], bare[1:]
    keras = keras_passes(spec, resolved, pixels, folder)
    return {
        "backbone": backbone,
        "scans": len(pixels),
        "ours_seconds": ours,
        "bare_openvino_seconds": bare,
        "keras_predict_seconds": keras,
        "ours_to_bare": statistics.median(bare) / statistics.median(ours),
        "ours_to_keras": statistics.median(keras) / statistics.median(ours),
        "scans_per_second": len(pixels) / statistics.median(ours),
    }


def subset(scans: Path, folder: Path, images: int) -> Path:
    """Link the first ``images`` distinct-looking scans with their labels."""
    folder.mkdir()
    lines = (scans / "BrainTumor.csv").read_text().splitlines()
    chosen = lines[1 : images + 1]
    (folder / "labels.csv").write_text(
        "\n".join(["Image,Class", *(",".join(line.split(",")[:2]) for line in chosen)]) + "\n"
    )
    (folder / "images").mkdir()
    for line in chosen:
        name = f"{line.split(',')[0]}.jpg"
        (folder / "images" / name).write_bytes((scans / "images" / name).read_bytes())
    return folder / "images"


def stack(dataset: Dataset) -> np.ndarray:
    """All distinct scans in memory, ``(n, h, w, 3)`` uint8."""
    with dataset.open_pixels() as store:
        return np.stack([store.get(digest) for digest in dataset.manifest["pixel_digest"].drop_duplicates()])


def bare_openvino(graph: FeatureGraph, pixels: np.ndarray) -> float:
    """Seconds of OpenVINO's asynchronous queue alone."""
    import openvino as ov

    started = time.perf_counter()
    model = ov.Core().read_model(graph.path)
    model = ov.Model([model.output("features").get_node()], model.get_parameters())
    model.reshape({0: [1, *pixels.shape[1:]]})
    settings = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "THROUGHPUT"}
    queue = ov.AsyncInferQueue(ov.Core().compile_model(model, "CPU", settings))
    for scan in pixels:
        queue.start_async({0: scan[None]}, share_inputs=True)
    queue.wait_all()
    return time.perf_counter() - started


def our_pass(dataset: Dataset, graph: FeatureGraph, folder: Path) -> float:
    """Seconds from the pixel store to the feature store, compiling included."""
    with FeatureStore(folder) as store:
        started = time.perf_counter()
        extract_features(dataset, graph, store)
        return time.perf_counter() - started


def keras_passes(spec: BackboneSpec, weights: Weights, pixels: np.ndarray, folder: Path) -> list[float]:
    """Seconds of Keras' ``predict`` with TensorFlow on the same network."""
    from tumorlens.runtime import DenseLayer, Head, build_keras_bundle_model

    width = spec.width
    head = Head(
        "linear",
        "pooled",
        (DenseLayer(np.zeros((width, 2), np.float32), np.zeros(2, np.float32), "linear"),),
    )
    build_keras_bundle_model(spec, weights, size=240, head=head, out=folder / "model.keras")
    np.save(folder / "pixels.npy", pixels)
    answer = subprocess.run(
        [
            sys.executable,
            "-c",
            _KERAS,
            str(folder / "model.keras"),
            str(folder / "pixels.npy"),
            "3",
        ],
        check=True,
        capture_output=True,
        text=True,
        env=dict(os.environ),
    )
    return list(json.loads(answer.stdout.strip().splitlines()[-1]))


if __name__ == "__main__":
    main()
