"""Fine-tuning in its child process: it learns, says how, and goes on after a kill as if nothing had happened."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tumorlens.backbones import find_backbone, resolve_weights
from tumorlens.errors import InputError
from tumorlens.features import BoundaryKind, FeatureStore
from tumorlens.training import BoundarySource, Recipe, ViewSource, fit_fine_tuned
from tumorlens.training.fitted import EpochRecord, FittedNetwork

LAYER, SHAPE, SIZE = "block6d_add", (2, 2, 192), 64
COUNT = 60
RECIPE = Recipe(epochs=3, batch_size=8, learning_rate=1e-3, cutout=0.3, average=0.8, head_rate=20.0)


def labels() -> np.ndarray:
    return np.random.default_rng(0).permutation(np.tile([0, 1], COUNT // 2))


def activations(view: int) -> np.ndarray:
    """Noise about two centres."""
    random = np.random.default_rng(view + 1)
    values = random.normal(0, 0.5, (COUNT, *SHAPE))
    direction = np.random.default_rng(0).normal(0, 1, SHAPE[-1])
    values += (labels() - 0.5)[:, None, None, None] * direction
    return values.reshape(COUNT, -1).astype(np.float16)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> BoundarySource:
    folder = tmp_path_factory.mktemp("boundary") / "features"
    digests = [f"{row:064x}" for row in range(COUNT)]
    kinds = [
        BoundaryKind("efficientnet-lite0", "g" * 64, LAYER, SIZE, view, "v" if view else "", (), int(np.prod(SHAPE)))
        for view in range(2)
    ]
    with FeatureStore(folder) as store:
        for kind in kinds:
            store.put_many(kind, list(zip(digests, activations(kind.variant), strict=True)))
        stored = store.read(kinds[1], digests[:3])
    assert stored.dtype == np.float16 and np.array_equal(stored, activations(1)[:3])
    return BoundarySource(folder, [kind.prefix for kind in kinds], [SHAPE], digests)


def fit(source: BoundarySource | ViewSource, folder: Path, **others: object) -> FittedNetwork:
    arguments = {
        "backbone": "efficientnet-lite0",
        "weights": resolve_weights(find_backbone("efficientnet-lite0")).path,
        "size": SIZE,
        "layer": LAYER,
        "first_head": None,
        "labels": labels(),
        "train_rows": np.arange(0, 40),
        "val_rows": np.arange(40, COUNT),
        "val_groups": np.arange(COUNT - 40) // 2,
        "n_classes": 2,
        "recipe": RECIPE,
        "folder": folder,
        "threads": 1,
    }
    return fit_fine_tuned(source, **{**arguments, **others})  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory, source: BoundarySource) -> FittedNetwork:
    return fit(source, tmp_path_factory.mktemp("whole"))


@pytest.mark.slow
def test_it_learns_and_tells_every_epoch(fitted: FittedNetwork) -> None:
    history = [record for record in fitted.history if isinstance(record, EpochRecord)]
    assert [record.epoch for record in history] == [1, 2, 3]
    assert history[-1].val_loss < history[0].val_loss and history[-1].val_accuracy > 0.8
    assert fitted.settings["layer"] == LAYER and fitted.settings["epochs"] == 3
    assert (fitted.head.input, fitted.head.inputs, fitted.head.classes) == ("pooled", 1280, 2)


@pytest.mark.slow
def test_only_what_lies_above_the_boundary_has_changed(fitted: FittedNetwork, tmp_path: Path, source) -> None:
    import keras

    before = fit(source, tmp_path, recipe=RECIPE.changed({"epochs": 1, "learning_rate": 1e-8}))
    new, old = (keras.saving.load_model(each.body, compile=False) for each in (fitted, before))
    networks = [next(layer for layer in model.layers if isinstance(layer, keras.Model)) for model in (new, old)]
    moved = {
        layer.name: max((np.abs(a - b).max() for a, b in zip(layer.get_weights(), twin.get_weights(), strict=True)))
        for layer, twin in zip(networks[0].layers, networks[1].layers, strict=True)
        if layer.get_weights()
    }
    assert moved["block6d_project_conv"] == moved["stem_conv"] == 0.0
    assert min(moved["block7a_expand_conv"], moved["top_conv"]) > 1e-4
    means, others = (network.get_layer("top_bn").moving_mean for network in networks)
    assert np.array_equal(means, others)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_killed_training_ends_like_one_that_was_not(
    fitted: FittedNetwork, source: BoundarySource, tmp_path: Path, kill_training, assert_same_training
) -> None:
    kill_training("test_fine_tune", {**source.describe(), "folder": str(tmp_path / "run")})
    assert (tmp_path / "run" / "state.npz").is_file()
    resumed = fit(source, tmp_path / "run")
    assert_same_training(resumed, fitted)


def be_killed(facts: dict[str, Any]) -> None:
    """Train as described and be killed in the middle of the second epoch."""
    from killing import Killer

    source = BoundarySource(
        Path(facts["path"]), [bytes.fromhex(prefix) for prefix in facts["prefixes"]], facts["shapes"], facts["digests"]
    )
    fit(source, Path(facts["folder"]), state_seconds=0.0, progress=Killer(8))


@pytest.mark.slow
def test_the_whole_network_is_trained_on_scans_seen_anew(
    store_scans: Callable[..., ViewSource], tmp_path: Path
) -> None:
    random = np.random.default_rng(0)
    scans = random.integers(0, 60, (COUNT, 40, 40, 3), dtype=np.uint8)
    scans[labels() == 1, 10:30, 10:30] += 150
    source = store_scans(tmp_path, scans, size=32)
    result = fit(
        source, tmp_path / "run", size=32, layer=None, recipe=RECIPE.changed({"epochs": 2, "batch_norm": "train"})
    )
    assert len(result.history) == 2 and result.body.is_file()
    assert result.history[1].val_loss < 0.6 and result.history[1].val_accuracy > 0.8  # type: ignore[union-attr]


def test_rows_are_checked_before_anything_starts(source: BoundarySource, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="validation part has no scan"):
        fit(source, tmp_path, val_rows=np.empty(0, np.int64))
