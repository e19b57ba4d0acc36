from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray

from tumorlens.errors import InputError, MissingExtraError
from tumorlens.features import AUGMENTATIONS
from tumorlens.runtime.heads import head_logits
from tumorlens.training.fitted import EpochRecord, FittedNetwork
from tumorlens.training.jobs import _environment
from tumorlens.training.resize import resize_bilinear
from tumorlens.training.scratch import SCRATCH_RECIPE, fit_from_scratch
from tumorlens.training.softmax import cross_entropy
from tumorlens.training.sources import ViewSource

SIZE = 24
EPOCHS = 5
CHANCE = np.log(2)
RECIPE = SCRATCH_RECIPE.changed({"epochs": EPOCHS, "batch_size": 8, "average": 0.8, "cutout": 0.1})


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
def source(tmp_path_factory: pytest.TempPathFactory, store_scans) -> ViewSource:
    scans, _ = make_data()
    return store_scans(tmp_path_factory.mktemp("store"), scans, size=SIZE, views=AUGMENTATIONS["plain"])


def fit(source: ViewSource, folder: Path, **others: object) -> FittedNetwork:
    _, labels = make_data()
    arguments = {
        "labels": labels,
        "train_rows": np.arange(0, 60),
        "val_rows": np.arange(60, 80),
        "val_groups": np.arange(20) // 2,
        "n_classes": 2,
        "folder": folder / "run",
        "recipe": RECIPE,
        "threads": 1,
    }
    return fit_from_scratch(source, **{**arguments, **others})  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory, source: ViewSource) -> FittedNetwork:
    return fit(source, tmp_path_factory.mktemp("scratch"))


@pytest.mark.slow
def test_the_network_is_the_earlier_one(fitted: FittedNetwork) -> None:
    side = ((SIZE - 2) // 2 - 2) // 2
    shapes = [layer.weight.shape for layer in fitted.head.layers]
    assert shapes == [(side * side * 64, 128), (128, 64), (64, 2)]
    assert [layer.activation for layer in fitted.head.layers] == ["relu", "relu", "linear"]
    assert (fitted.head.kind, fitted.head.input, fitted.size) == ("scratch", "flat", SIZE)
    settings = fitted.settings
    assert (settings["optimizer"], settings["epochs"], settings["hidden"]) == ("adamw", EPOCHS, [128, 64])


@pytest.mark.slow
def test_it_learns_from_scans_augmented_anew(fitted: FittedNetwork) -> None:
    history = [record for record in fitted.history if isinstance(record, EpochRecord)]
    assert [record.epoch for record in history] == list(range(1, EPOCHS + 1))
    assert history[-1].val_accuracy > 0.8
    assert history[-1].val_loss < 0.5 * CHANCE
    assert history[-1].train_cross_entropy < 0.5 * history[0].train_cross_entropy


def make_heads() -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Grey heads of any place and brightness on black, as scans are; class 1 has a small bright spot in its head."""
    random = np.random.default_rng(1)
    down, across = np.mgrid[:32, :32]

    def disc(centre: NDArray[np.float64], radius: float) -> NDArray[np.bool_]:
        return (down - centre[0]) ** 2 + (across - centre[1]) ** 2 < radius**2

    labels = random.permutation(np.tile([0, 1], 80))
    scans = np.zeros((len(labels), 32, 32, 1))
    for scan, label in zip(scans, labels, strict=True):
        centre, grey = random.uniform(13, 18, 2), random.uniform(60, 140)
        scan[disc(centre, 11)] = grey
        if label:
            scan[disc(centre + random.uniform(-6, 6, 2), 3)] = grey + 60
    noisy = np.clip(scans + random.normal(0, 6, scans.shape) * (scans > 0), 0, 255)
    return np.repeat(noisy.astype(np.uint8), 3, axis=3), labels


@pytest.mark.slow
def test_few_scans_are_enough_to_learn_what_is_easy_by_the_default_recipe(tmp_path: Path, store_scans) -> None:
    scans, labels = make_heads()
    fitted = fit(
        store_scans(tmp_path / "store", scans, size=32, views=AUGMENTATIONS["plain"]),
        tmp_path,
        labels=labels,
        train_rows=np.arange(0, 100),
        val_rows=np.arange(100, 160),
        val_groups=np.arange(60),
        recipe=SCRATCH_RECIPE,
    )
    (kept,) = (record for record in fitted.history if record.kept)  # type: ignore[union-attr]
    assert kept.val_loss < 0.3 * CHANCE  # type: ignore[union-attr]


@pytest.mark.slow
def test_input_is_standardised_by_the_training_scans_alone(fitted: FittedNetwork) -> None:
    scans, _ = make_data()
    with zipfile.ZipFile(fitted.body) as archive, h5py.File(io.BytesIO(archive.read("model.weights.h5"))) as weights:
        kernel, bias = (weights[f"layers/conv2d/vars/{place}"][()] for place in (0, 1))
    training = np.stack([resize_bilinear(scan, size=SIZE) for scan in scans[:60]])
    np.testing.assert_allclose(kernel[0, 0], np.eye(3) / training.std(), rtol=1e-4)
    np.testing.assert_allclose(bias, -training.mean() / training.std(), rtol=1e-4)


@pytest.mark.slow
def test_body_and_head_together_give_the_kept_epoch(fitted: FittedNetwork, source: ViewSource, tmp_path: Path) -> None:
    _, labels = make_data()
    script = f"""
import numpy as np, keras
from tumorlens.training.view_readers import ViewReader
body = keras.saving.load_model({str(fitted.body)!r})
(scans,) = ViewReader({source.describe()!r}).read(np.arange(60, 80), None)
maps = body.predict(scans, verbose=0)
assert body.layers[-1].name == "map" and body.inputs[0].name == "pixels"
np.save({str(tmp_path / "maps.npy")!r}, maps)
"""
    subprocess.run([sys.executable, "-c", script], check=True, env=_environment(1))
    maps = np.load(tmp_path / "maps.npy")
    logits = head_logits(fitted.head, maps.reshape(len(maps), -1))
    (kept,) = (record for record in fitted.history if record.kept)  # type: ignore[union-attr]
    assert cross_entropy(logits, labels[60:]) == pytest.approx(kept.val_cross_entropy, rel=1e-3)  # type: ignore[union-attr]


@pytest.mark.slow
def test_tensorboard_finds_the_history_and_the_loss_of_every_tenth_step(fitted: FittedNetwork, read_scalars) -> None:
    history = [record for record in fitted.history if isinstance(record, EpochRecord)]
    train, validation = (read_scalars(fitted.events / part) for part in ("train", "validation"))
    assert sorted(step for tag, step in train if tag == "batch_loss") == list(range(10, 8 * EPOCHS + 1, 10))
    for record in history:
        assert train["epoch_loss", record.epoch] == pytest.approx(record.train_loss)
        assert train["epoch_cross_entropy", record.epoch] == pytest.approx(record.train_cross_entropy)
        assert train["epoch_accuracy", record.epoch] == pytest.approx(record.train_accuracy)
        assert validation["epoch_loss", record.epoch] == pytest.approx(record.val_loss)
        assert validation["epoch_accuracy", record.epoch] == pytest.approx(record.val_accuracy)
    rates = [train["epoch_learning_rate", record.epoch] for record in history]
    assert rates[0] == max(rates) == pytest.approx(RECIPE.learning_rate, rel=0.1)
    assert rates[-1] == pytest.approx(0.0, abs=1e-8)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_killed_training_ends_like_one_that_was_not(
    fitted: FittedNetwork, source: ViewSource, tmp_path: Path, kill_training, assert_same_training
) -> None:
    kill_training("test_scratch", {"path": str(source.path), "digests": list(source.digests), "folder": str(tmp_path)})
    with np.load(tmp_path / "run" / "state.npz", allow_pickle=False) as state:
        facts = json.loads(str(state["facts"]))
    assert 1 <= facts["epoch"] <= EPOCHS and (facts["epoch"], facts["step"]) != (1, 0)
    resumed = fit(source, tmp_path)
    assert_same_training(resumed, fitted)


def be_killed(facts: dict[str, Any]) -> None:
    """Train as described and be killed on the way."""
    from killing import Killer

    source = ViewSource(Path(facts["path"]), facts["digests"], SIZE, AUGMENTATIONS["plain"])
    fit(source, Path(facts["folder"]), state_seconds=0.0, progress=Killer(9))


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


def test_a_size_too_small_is_refused(tmp_path: Path, source: ViewSource) -> None:
    with pytest.raises(InputError, match="at least 16 pixels"):
        fit(replace(source, size=8), tmp_path)


def test_without_tensorflow_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: ViewSource
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r'pip install "tumorlens\[train\]"'):
        fit(source, tmp_path)
