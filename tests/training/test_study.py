from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tumorlens.errors import InputError, IntegrityError, MissingExtraError
from tumorlens.runtime.heads import head_logits
from tumorlens.training import keras_job
from tumorlens.training.fitted import FittedHead
from tumorlens.training.softmax import cross_entropy
from tumorlens.training.sources import StoreSource
from tumorlens.training.study import fit_study_head, study_hidden_units

N_FEATURES, N_TRAIN, N_VAL = 300, 90, 37


def make_data() -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    random = np.random.default_rng(0)
    labels = random.permutation(np.tile([0, 1], 64))[: N_TRAIN + N_VAL]
    features = np.maximum(random.normal(size=(len(labels), N_FEATURES)), 0).astype(np.float32)
    features[:, :40] += 2 * labels[:, np.newaxis]
    return features, labels


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory, store_features) -> StoreSource:
    features, _ = make_data()
    return store_features(tmp_path_factory.mktemp("store"), features)


def fit(source: StoreSource, folder: Path, *, backbone: str = "vgg16", **others: object) -> FittedHead:
    _, labels = make_data()
    arguments = {
        "labels": labels,
        "train_rows": np.arange(N_TRAIN),
        "val_rows": np.arange(N_TRAIN, N_TRAIN + N_VAL),
        "n_classes": 2,
        "folder": folder / "run",
        "threads": 1,
    }
    return fit_study_head(source, backbone=backbone, **{**arguments, **others})  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory, source: StoreSource) -> tuple[FittedHead, Path]:
    folder = tmp_path_factory.mktemp("study")
    return fit(source, folder), folder


@pytest.mark.parametrize(
    ("backbone", "hidden"),
    [("vgg16", (128, 64)), ("resnet50", (64,)), ("efficientnetb0", (64,)), ("xception", (64,))],
)
def test_hidden_units_are_those_of_the_study(backbone: str, hidden: tuple[int, ...]) -> None:
    assert study_hidden_units(backbone) == hidden


@pytest.mark.slow
def test_the_head_has_the_published_layers(fitted: tuple[FittedHead, Path]) -> None:
    layers = fitted[0].head.layers
    assert [layer.weight.shape for layer in layers] == [(N_FEATURES, 128), (128, 64), (64, 2)]
    assert [layer.activation for layer in layers] == ["relu", "relu", "linear"]
    assert (fitted[0].head.kind, fitted[0].head.input) == ("study", "flat")


@pytest.mark.slow
def test_the_recipe_is_the_published_one(fitted: tuple[FittedHead, Path]) -> None:
    settings = fitted[0].settings
    assert settings["learning_rate"] == 1e-4
    assert (settings["epochs"], settings["batch_size"], settings["l2"]) == (10, 32, 0.01)
    assert [record.epoch for record in fitted[0].history] == list(range(1, 11))  # type: ignore[union-attr]


@pytest.mark.slow
def test_losses_include_the_l2_term_of_the_hidden_weights(
    fitted: tuple[FittedHead, Path],
) -> None:
    result = fitted[0]
    *hidden, _ = result.head.layers
    expected = 0.01 * sum(float(np.square(layer.weight).sum()) for layer in hidden)
    assert result.penalty == pytest.approx(expected, rel=1e-4)
    last = result.history[-1]
    assert last.val_loss - last.val_cross_entropy == pytest.approx(expected, rel=1e-4)  # type: ignore[union-attr]
    assert last.train_loss > last.train_cross_entropy + expected  # type: ignore[union-attr]


@pytest.mark.slow
def test_the_head_reproduces_the_last_validation_figures(
    fitted: tuple[FittedHead, Path],
) -> None:
    result, _ = fitted
    features, labels = make_data()
    logits = head_logits(result.head, features[N_TRAIN:])
    last = result.history[-1]
    loss, accuracy = last.val_cross_entropy, last.val_accuracy  # type: ignore[union-attr]
    assert cross_entropy(logits, labels[N_TRAIN:]) == pytest.approx(loss, rel=1e-4)
    assert (logits.argmax(axis=1) == labels[N_TRAIN:]).mean() == pytest.approx(accuracy)


@pytest.mark.slow
def test_it_learns(fitted: tuple[FittedHead, Path]) -> None:
    first, last = fitted[0].history[0], fitted[0].history[-1]
    assert last.train_cross_entropy < 0.7 * first.train_cross_entropy  # type: ignore[union-attr]
    assert last.val_accuracy > 0.8  # type: ignore[union-attr]


@pytest.mark.slow
def test_only_the_log_is_left_behind(fitted: tuple[FittedHead, Path]) -> None:
    assert [path.name for path in (fitted[1] / "run").iterdir()] == ["training.log"]


@pytest.mark.slow
def test_other_networks_have_one_hidden_layer_and_the_seed_decides(tmp_path: Path, source: StoreSource) -> None:
    heads = [fit(source, tmp_path, backbone="resnet50", epochs=1, seed=3).head for _ in range(2)]
    shapes = [layer.weight.shape for layer in heads[0].layers]
    assert shapes == [(N_FEATURES, 64), (64, 2)]
    np.testing.assert_array_equal(heads[0].layers[0].weight, heads[1].layers[0].weight)


@pytest.mark.slow
def test_a_source_that_cannot_be_read_is_one_sentence(tmp_path: Path, store_features) -> None:
    features, _ = make_data()
    damaged = store_features(tmp_path, features)
    (damaged.path / "data.mdb").write_bytes(b"x" * 9000)
    with pytest.raises(IntegrityError, match="is damaged") as caught:
        fit(damaged, tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"train_rows": np.array([], dtype=np.int64)}, "training part has no scan"),
        ({"val_rows": np.array([500])}, r"validation part must lie in 0\.\.126"),
        ({"train_rows": np.zeros(4, dtype=np.int64)}, "distinct"),
        ({"n_classes": 3}, "class 2 has no scan"),
    ],
)
def test_bad_rows_are_refused_before_anything_starts(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    source: StoreSource,
    change: dict[str, object],
    message: str,
) -> None:
    monkeypatch.setattr(keras_job, "run_job", None)
    with pytest.raises(InputError, match=message):
        fit(source, tmp_path, **change)


def test_without_tensorflow_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: StoreSource
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r'pip install "tumorlens\[train\]"'):
        fit(source, tmp_path)
