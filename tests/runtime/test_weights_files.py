"""Weights files in every form Keras gives them, and files of other networks: slow, Keras runs in child processes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tumorlens.backbones import find_backbone, resolve_weights
from tumorlens.errors import InputError
from tumorlens.extras import has_extra
from tumorlens.runtime import compile_graph, feature_graph

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not has_extra("train"), reason="the files are written by TensorFlow (extra 'train')"),
]

REFERENCE = Path(__file__).parent / "keras_reference.py"
SIZE = 40


def write(folder: Path, layout: str, *builders: str) -> None:
    folder.mkdir()
    command = [sys.executable, "-W", "ignore", str(REFERENCE), str(folder), str(SIZE), layout, *builders]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    for layout in ("weights", "legacy", "model"):
        write(folder / layout, layout, "EfficientNetB0", "MobileNetV3Small", "MobileNetV3Large")
    return folder


@pytest.mark.parametrize("layout", ["weights", "legacy", "model"])
@pytest.mark.parametrize("name", ["efficientnetb0", "mobilenetv3small"])
def test_every_form_gives_what_imagenet_would(files: Path, tmp_path: Path, name: str, layout: str) -> None:
    spec = find_backbone(name)
    (source,) = (path for path in (files / layout).glob(f"{spec.builder}.*") if path.suffix != ".npz")
    path = tmp_path / spec.weights.file_name  # the name says nothing about the form
    path.symlink_to(source)
    graph = feature_graph(spec, resolve_weights(spec, weights_dir=tmp_path), size=SIZE, cache=tmp_path / "cache")
    reference = np.load(files / layout / f"{spec.builder}.npz")
    ours = compile_graph(graph).run(reference["pixels"])["features"]
    assert np.linalg.norm(ours - reference["features"]) < 1e-4 * np.linalg.norm(reference["features"])
    assert bool(graph.notes) == (name == "efficientnetb0")  # its own normalisation is 10 % off the published one


@pytest.mark.parametrize(("layout", "suffix"), [("weights", "weights.h5"), ("legacy", "h5"), ("model", "keras")])
def test_the_file_of_another_network_is_refused(files: Path, tmp_path: Path, layout: str, suffix: str) -> None:
    spec = find_backbone("mobilenetv3small")
    for builder in ("MobileNetV3Large", "EfficientNetB0"):
        wrong = resolve_weights(spec, weights=files / layout / f"{builder}.{suffix}")
        with pytest.raises(InputError, match="must hold the weights of MobileNetV3Small") as caught:
            feature_graph(spec, wrong, size=SIZE, cache=tmp_path / "cache")
        assert "\n" not in str(caught.value)
        assert list((tmp_path / "cache").iterdir()) == []


def test_same_tensors_have_the_same_digest_whatever_the_form(files: Path, tmp_path: Path) -> None:
    spec = find_backbone("mobilenetv3small")
    digests = {
        feature_graph(spec, resolve_weights(spec, weights=path), size=SIZE, cache=tmp_path).digest
        for path in files.rglob(f"{spec.builder}.*")
        if path.suffix != ".npz"
    }
    assert len(digests) == 1


def test_random_weights_are_the_same_each_time(tmp_path: Path) -> None:
    spec = find_backbone("mobilenetv3small")
    weights = resolve_weights(spec, weights="random")
    first, second = (feature_graph(spec, weights, size=SIZE, cache=tmp_path / str(i)) for i in range(2))
    assert first.digest == second.digest
    pixels = np.full((SIZE, SIZE, 3), 90, np.uint8)
    np.testing.assert_array_equal(*(compile_graph(graph).run(pixels)["features"] for graph in (first, second)))
