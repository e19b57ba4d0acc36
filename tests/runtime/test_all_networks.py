"""Every network of the registry against Keras under TensorFlow: slow, one test a family."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tumorlens.backbones import BACKBONES, BackboneSpec
from tumorlens.extras import has_extra
from tumorlens.runtime import Calibration, DenseLayer, Head, attach_head, compile_graph, head_logits

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
STRUCTURE_ONLY = ("convnextlarge", "convnextxlarge")
"""Too large to run (0.8 and 1.4 GB of weights, three copies of them); built and counted."""

FAMILIES: dict[str, list[BackboneSpec]] = defaultdict(list)
for entry in BACKBONES.values():
    if entry.source == "keras":
        FAMILIES[entry.family].append(entry)


def run(script: str, *arguments: str) -> str:
    command = [sys.executable, "-W", "ignore", str(HERE / script), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def check_structure(spec: BackboneSpec, facts: dict[str, Any]) -> None:
    assert facts["parameters"] == spec.parameters
    assert facts["width"] == spec.width
    assert facts["last"] == spec.feature_layer
    assert not facts["inner_preprocessing"]
    places = [facts["layers"].index(layer) for _, layer in spec.stages]
    assert places == sorted(places)


def check_features(spec: BackboneSpec, folder: Path) -> None:
    outputs = compile_graph(folder / spec.name / "graph.xml", goal="latency").run(
        np.load(folder / f"{spec.builder}.npz")["pixels"]
    )
    ours, keras = outputs["features"], np.load(folder / f"{spec.builder}.npz")["features"]
    error = np.linalg.norm(ours - keras)
    assert error < 1e-3 * np.linalg.norm(keras)
    assert error < 1e-2 * np.linalg.norm(keras[0] - keras[1])  # the features do depend on the pixels
    scale = np.abs(ours).max()
    np.testing.assert_allclose(outputs["map"].mean((1, 2)), ours, atol=1e-5 * scale)
    check_class_map(spec, folder, ours)


def check_class_map(spec: BackboneSpec, folder: Path, features: np.ndarray) -> None:
    """The mean of the class map of a linear head plus its bias is the uncalibrated logit."""
    rng = np.random.default_rng(0)
    weight = (rng.normal(size=(spec.width, 2)) / np.sqrt(spec.width)).astype(np.float32)
    head = Head("linear", "pooled", (DenseLayer(weight, rng.normal(size=2).astype(np.float32), "linear"),))
    bundle = folder / spec.name / "bundle.xml"
    attach_head(folder / spec.name / "graph.xml", head, calibration=Calibration(1.7, (0.2, -0.1)), out=bundle)
    pixels = np.load(folder / f"{spec.builder}.npz")["pixels"]
    maps = compile_graph(bundle, goal="latency", outputs=["map"]).run(pixels)["map"].astype(np.float64)
    logits = head_logits(head, features)
    collected = maps.mean((1, 2)) + head.layers[0].bias
    np.testing.assert_allclose(collected, logits, rtol=1e-4, atol=1e-4 * np.abs(logits).max())


@pytest.mark.skipif(not has_extra("train"), reason="the reference is computed by TensorFlow (extra 'train')")
@pytest.mark.parametrize("family", FAMILIES)
def test_smallest_network_of_each_family_is_that_of_keras(family: str, tmp_path: Path) -> None:
    compare_with_keras(family, [min(FAMILIES[family], key=lambda spec: spec.parameters)], tmp_path)


@pytest.mark.registry
@pytest.mark.skipif(not has_extra("train"), reason="the reference is computed by TensorFlow (extra 'train')")
@pytest.mark.parametrize("family", FAMILIES)
def test_every_network_is_that_of_keras(family: str, tmp_path: Path) -> None:
    compare_with_keras(family, FAMILIES[family], tmp_path)


def compare_with_keras(family: str, specs: list[BackboneSpec], tmp_path: Path) -> None:
    size = str(max(spec.minimum_size for spec in specs))
    layout, suffix = ("legacy", "h5") if len(family) % 2 else ("weights", "weights.h5")
    to_run = [spec for spec in specs if spec.name not in STRUCTURE_ONLY]
    run("keras_reference.py", str(tmp_path), size, layout, *(spec.builder for spec in to_run))
    facts = json.loads(
        run("convert_many.py", str(tmp_path), size, suffix, *(spec.name for spec in specs)).splitlines()[-1]
    )
    for spec in specs:
        check_structure(spec, facts[spec.name])
    for spec in to_run:
        check_features(spec, tmp_path)
    shutil.rmtree(tmp_path)
