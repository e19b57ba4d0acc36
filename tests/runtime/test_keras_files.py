"""``.keras`` files written and read: slow, each starts Keras in child processes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tumorlens.backbones import find_backbone, resolve_weights
from tumorlens.errors import InputError
from tumorlens.extras import has_extra
from tumorlens.runtime import (
    Calibration,
    DenseLayer,
    Head,
    attach_head,
    build_keras_bundle_model,
    build_keras_scratch_model,
    compile_graph,
    convert_keras_file,
    feature_graph,
    head_logits,
)

PREDICT = """
import sys, numpy as np, keras
assert "tumorlens" not in sys.modules
model = keras.saving.load_model(sys.argv[1], safe_mode=True)
pixels = np.load(sys.argv[2])
np.save(sys.argv[3], np.asarray(model(pixels.astype("float32"), training=False)))
"""

SCRATCH = """
import sys, keras
from keras import layers
keras.utils.set_random_seed(1)
model = keras.Sequential([
    keras.Input((20, 20, 3)), layers.Rescaling(1 / 255), layers.Conv2D(4, 3, activation="relu"),
    layers.MaxPooling2D(name="last_pool"), layers.Flatten(), layers.Dense(2, activation="softmax"),
])
model.save(sys.argv[1])
"""


def run_keras(code: str, *arguments: Path, backend: str) -> None:
    import os

    environment = {**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-W", "ignore", "-c", code, *map(str, arguments)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


def random_head(inputs: int, *, flat: bool) -> Head:
    rng = np.random.default_rng(inputs)
    layers = tuple(
        DenseLayer(
            (rng.normal(size=(a, b)) / np.sqrt(a)).astype(np.float32), rng.normal(size=b).astype(np.float32), name
        )
        for a, b, name in ((inputs, 8, "relu"), (8, 2, "linear"))
    )
    return Head("mlp", "flat" if flat else "pooled", layers)  # type: ignore[arg-type]


@pytest.mark.slow
@pytest.mark.skipif(not has_extra("train"), reason="loads the file under TensorFlow (extra 'train')")
@pytest.mark.parametrize(
    ("name", "flat"),
    [("efficientnet-lite0", False), ("efficientnetb0", False), ("convnexttiny", True)],
)
def test_keras_model_and_graph_agree(tmp_path: Path, name: str, flat: bool) -> None:
    spec = find_backbone(name)
    weights = resolve_weights(spec, weights=None if spec.source == "package" else "random")
    graph = feature_graph(spec, weights, size=64, cache=tmp_path / "cache")
    head = random_head(int(np.prod(graph.map_shape)) if flat else graph.width, flat=flat)
    calibration = Calibration(1.3, (0.2, -0.4))
    attach_head(graph.path, head, calibration=calibration, out=tmp_path / "model.xml")
    out = tmp_path / "model.keras"
    build_keras_bundle_model(spec, weights, size=64, head=head, calibration=calibration, out=out)

    pixels = np.random.default_rng(2).integers(0, 256, (3, 64, 64, 3), dtype=np.uint8)
    np.save(tmp_path / "pixels.npy", pixels)
    arguments = [tmp_path / entry for entry in ("model.keras", "pixels.npy", "out.npy")]
    run_keras(PREDICT, *arguments, backend="tensorflow")
    ours = compile_graph(tmp_path / "model.xml", outputs=["probabilities"]).run(pixels)["probabilities"]
    np.testing.assert_allclose(np.load(tmp_path / "out.npy"), ours, atol=1e-4)
    assert {path.name for path in tmp_path.iterdir()} >= {"model.keras", "model.xml", "model.bin"}
    assert not list(tmp_path.glob(".tmp*"))


@pytest.mark.slow
@pytest.mark.skipif(not has_extra("train"), reason="the model is written by TensorFlow (extra 'train')")
def test_a_model_from_scratch_becomes_a_graph_and_a_keras_file(tmp_path: Path) -> None:
    source = tmp_path / "scratch.keras"
    run_keras(SCRATCH, source, backend="tensorflow")
    shape = convert_keras_file(source, out=tmp_path / "body.xml", output_layer="last_pool")
    assert shape == (9, 9, 4)
    head = random_head(9 * 9 * 4, flat=True)
    attach_head(tmp_path / "body.xml", head, calibration=Calibration(2.0), out=tmp_path / "model.xml")
    build_keras_scratch_model(
        source, output_layer="last_pool", head=head, calibration=Calibration(2.0), out=tmp_path / "final.keras"
    )

    pixels = np.random.default_rng(2).integers(0, 256, (3, 20, 20, 3), dtype=np.uint8)
    body = compile_graph(tmp_path / "body.xml").run(pixels)
    ours = compile_graph(tmp_path / "model.xml").run(pixels)["probabilities"]
    logits = head_logits(head, body["map"].reshape(3, -1)) / 2.0
    expected = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    np.testing.assert_allclose(ours, expected, atol=1e-5)
    np.save(tmp_path / "pixels.npy", pixels)
    run_keras(PREDICT, *(tmp_path / entry for entry in ("final.keras", "pixels.npy", "out.npy")), backend="tensorflow")
    np.testing.assert_allclose(np.load(tmp_path / "out.npy"), ours, atol=1e-4)
    with pytest.raises(InputError, match="no_such_layer"):
        convert_keras_file(source, out=tmp_path / "other.xml", output_layer="no_such_layer")
    with pytest.raises(InputError, match="name a convolution"):
        convert_keras_file(source, out=tmp_path / "other.xml", output_layer="dense")


@pytest.mark.parametrize(("function", "suffix"), [(convert_keras_file, ".xml"), (build_keras_bundle_model, ".keras")])
def test_other_endings_are_refused(tmp_path: Path, function: object, suffix: str) -> None:
    head = random_head(4, flat=False)
    spec = find_backbone("vgg16")
    weights = resolve_weights(spec, weights="random")
    with pytest.raises(InputError, match=suffix):
        if function is convert_keras_file:
            convert_keras_file(tmp_path / "a.keras", out=tmp_path / "a.txt", output_layer="x")
        else:
            build_keras_bundle_model(spec, weights, size=64, head=head, out=tmp_path / "a.txt")
