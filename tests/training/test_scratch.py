from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tumorlens.errors import InputError, MissingExtraError
from tumorlens.runtime.heads import head_logits
from tumorlens.training.fitted import FittedNetwork
from tumorlens.training.jobs import _environment
from tumorlens.training.scratch import fit_from_scratch
from tumorlens.training.softmax import cross_entropy
from tumorlens.training.sources import DatasetSource

SIZE = 24


def make_data() -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Dark noise; class 1 has a bright square somewhere."""
    random = np.random.default_rng(0)
    scans = random.integers(0, 60, (80, 30, 36, 1), dtype=np.uint8)
    labels = random.permutation(np.tile([0, 1], 40))
    for row in np.flatnonzero(labels):
        top, left = random.integers(2, 18, 2)
        scans[row, top : top + 9, left : left + 9] = 220
    return np.repeat(scans, 3, axis=3), labels


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory, store_scans) -> DatasetSource:
    scans, _ = make_data()
    return store_scans(tmp_path_factory.mktemp("store"), scans)


def fit(source: DatasetSource, folder: Path, **others: object) -> FittedNetwork:
    _, labels = make_data()
    arguments = {
        "labels": labels,
        "train_rows": np.arange(0, 60),
        "val_rows": np.arange(60, 80),
        "n_classes": 2,
        "folder": folder / "run",
        "size": SIZE,
        "threads": 1,
    }
    return fit_from_scratch(source, **{**arguments, **others})  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory, source: DatasetSource) -> tuple[FittedNetwork, Path]:
    folder = tmp_path_factory.mktemp("scratch")
    return fit(source, folder), folder


@pytest.mark.slow
def test_the_network_is_the_earlier_one(fitted: tuple[FittedNetwork, Path]) -> None:
    result = fitted[0]
    side = ((SIZE - 2) // 2 - 2) // 2
    shapes = [layer.weight.shape for layer in result.head.layers]
    assert shapes == [(side * side * 64, 128), (128, 64), (64, 2)]
    assert [layer.activation for layer in result.head.layers] == ["relu", "relu", "linear"]
    assert (result.head.kind, result.head.input, result.size) == ("scratch", "flat", SIZE)
    settings = result.settings
    assert (settings["epochs"], settings["patience"], settings["l2"]) == (20, 3, 0.01)


@pytest.mark.slow
def test_it_learns_and_stops_by_the_rule(fitted: tuple[FittedNetwork, Path]) -> None:
    history = fitted[0].history
    losses = [record.val_loss for record in history]  # type: ignore[union-attr]
    best = int(np.argmin(losses))
    assert len(losses) == 20 or len(losses) - 1 - best == 3
    assert history[best].val_accuracy > 0.8  # type: ignore[union-attr]


@pytest.mark.slow
def test_body_and_head_together_give_the_best_epoch(fitted: tuple[FittedNetwork, Path], source: DatasetSource) -> None:
    result, folder = fitted
    _, labels = make_data()
    script = f"""
import numpy as np, keras
from tumorlens.training.readers import PixelReader
body = keras.saving.load_model({str(result.body)!r})
reader = PixelReader({source.describe()!r})
maps = body.predict(reader.read(np.arange(60, 80), size={SIZE}), verbose=0)
assert body.layers[-1].name == "map" and body.inputs[0].name == "pixels"
np.save({str(folder / "maps.npy")!r}, maps)
"""
    subprocess.run([sys.executable, "-c", script], check=True, env=_environment(1))
    maps = np.load(folder / "maps.npy")
    logits = head_logits(result.head, maps.reshape(len(maps), -1))
    best = min(result.history, key=lambda record: record.val_loss)  # type: ignore[union-attr]
    expected = best.val_cross_entropy  # type: ignore[union-attr]
    assert cross_entropy(logits, labels[60:]) == pytest.approx(expected, rel=1e-3)
    *hidden, _ = result.head.layers
    penalty = 0.01 * sum(float(np.square(layer.weight).sum()) for layer in hidden)
    assert result.penalty == pytest.approx(penalty, rel=1e-4)


@pytest.mark.slow
def test_the_child_ends_when_its_parent_is_gone(tmp_path: Path, store_features) -> None:
    _, labels = make_data()
    features = store_features(tmp_path, np.ones((len(labels), 10), np.float32))
    rows = {"train_rows": np.arange(60), "val_rows": np.arange(60, 80)}
    np.savez(
        tmp_path / "rows.npz",
        train_labels=labels[:60],
        val_labels=labels[60:],
        **rows,
    )
    job = {
        "task": "study",
        "folder": str(tmp_path),
        "source": features.describe(),
        "n_classes": 2,
        "hidden": [8],
        "l2": 0.01,
        "learning_rate": 1e-4,
        "epochs": 1_000_000,
        "batch_size": 32,
        "seed": 0,
        "threads": 1,
    }
    (tmp_path / "job.json").write_text(json.dumps(job), encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, "-m", "tumorlens.training.child", str(tmp_path / "job.json")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=_environment(1),
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["event"] == "steps"
    process.stdin.close()
    assert process.wait(10) == 3
    process.stdout.close()


def test_a_size_too_small_is_refused(tmp_path: Path, source: DatasetSource) -> None:
    with pytest.raises(InputError, match="at least 16 pixels"):
        fit(source, tmp_path, size=8)


def test_without_tensorflow_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: DatasetSource
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r'pip install "tumorlens\[train\]"'):
        fit(source, tmp_path)
