"""A head with one hidden ReLU layer on pooled features, trained without TensorFlow.

Adam with weight decay (an L2 term) by scikit-learn, early stopping on the validation rows, best
weights kept. Standardisation is fitted on the training rows and folded into the first layer.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

from tumorlens.errors import InputError
from tumorlens.runtime.heads import DenseLayer, Head
from tumorlens.training.checks import check_features, check_labels
from tumorlens.training.fitted import EpochRecord, FittedHead, mark_kept
from tumorlens.training.scaling import Scaler, fit_scaler, fold_scaler
from tumorlens.types import Features, Labels, Probabilities

__all__ = ["MlpSettings", "fit_mlp"]

_LEAST_PROBABILITY = float(np.finfo(np.float64).tiny)


@dataclass(frozen=True, kw_only=True)
class MlpSettings:
    """How the head is trained.

    Attributes:
        hidden: Units of the hidden layer.
        weight_decay: Weight of ``0.5 * sum(w**2)`` beside the mean cross-entropy.
        learning_rate: Adam's step.
        batch_size: Scans a step.
        max_epochs: Passes over the training rows at most.
        patience: Epochs without a better validation loss before training stops.
    """

    hidden: int = 128
    weight_decay: float = 1e-3
    learning_rate: float = 1e-3
    batch_size: int = 64
    max_epochs: int = 100
    patience: int = 8


def fit_mlp(
    train_features: Features,
    train_labels: Labels,
    val_features: Features,
    val_labels: Labels,
    *,
    n_classes: int,
    settings: MlpSettings | None = None,
    seed: int = 0,
) -> FittedHead:
    """Train the head; the epoch with the lowest validation cross-entropy is kept.

    Args:
        train_features: ``(n, d)`` float32 pooled features.
        train_labels: ``(n,)`` class indices; every class occurs.
        val_features: ``(m, d)`` float32 pooled features of other groups.
        val_labels: ``(m,)`` class indices.
        n_classes: Number of classes k.
        settings: How it is trained.
        seed: Seed of the first weights and the order of scans.

    Returns:
        The head on raw features, and an :class:`EpochRecord` an epoch.

    Raises:
        InputError: Wrong shapes, values that are not finite or a class missing.
    """
    settings = settings or MlpSettings()
    check_labels(train_labels, n_classes=n_classes, of="training part")
    check_features(train_features, train_labels, of="training part")
    check_labels(val_labels, n_classes=n_classes, of="validation part")
    check_features(val_features, val_labels, of="validation part")
    if train_features.shape[1] != val_features.shape[1]:
        raise InputError(
            f"Training and validation features must be equally wide, got {train_features.shape[1]} "
            f"and {val_features.shape[1]}."
        )
    scaler = fit_scaler(train_features)
    with threadpool_limits(limits=1):
        network, history = _train(
            (scaler.apply(train_features), train_labels),
            (scaler.apply(val_features), val_labels),
            n_classes=n_classes,
            settings=settings,
            seed=seed,
        )
    return FittedHead(
        head=_head(network, scaler),
        history=tuple(history),
        settings={"head": "mlp", **vars(settings), "optimizer": "adam", "seed": seed},
        penalty=_penalty(network, settings),
    )


def _train(
    train: tuple[Features, Labels],
    val: tuple[Features, Labels],
    *,
    n_classes: int,
    settings: MlpSettings,
    seed: int,
) -> tuple[MLPClassifier, list[EpochRecord]]:
    """The network at its best epoch, and all epochs."""
    network = MLPClassifier(
        hidden_layer_sizes=(settings.hidden,),
        alpha=settings.weight_decay * settings.batch_size,  # scikit-learn divides alpha by the batch
        learning_rate_init=settings.learning_rate,
        batch_size=min(settings.batch_size, len(train[1])),
        random_state=seed,
    )
    history: list[EpochRecord] = []
    best, best_epoch = network, 0
    for epoch in range(1, settings.max_epochs + 1):
        network.partial_fit(*train, classes=np.arange(n_classes) if epoch == 1 else None)
        history.append(_record(network, train, val, settings=settings, epoch=epoch))
        if epoch == 1 or history[-1].val_cross_entropy < history[best_epoch - 1].val_cross_entropy:
            best, best_epoch = copy.deepcopy(network), epoch
        elif epoch - best_epoch >= settings.patience:
            break
    return best, mark_kept(history, best_epoch)


def _record(
    network: MLPClassifier,
    train: tuple[Features, Labels],
    val: tuple[Features, Labels],
    *,
    settings: MlpSettings,
    epoch: int,
) -> EpochRecord:
    penalty = _penalty(network, settings)
    train_entropy, train_accuracy = _score(network.predict_proba(train[0]), train[1])
    val_entropy, val_accuracy = _score(network.predict_proba(val[0]), val[1])
    return EpochRecord(
        epoch=epoch,
        train_loss=train_entropy + penalty,
        train_cross_entropy=train_entropy,
        train_accuracy=train_accuracy,
        val_loss=val_entropy + penalty,
        val_cross_entropy=val_entropy,
        val_accuracy=val_accuracy,
    )


def _score(probabilities: Probabilities, labels: Labels) -> tuple[float, float]:
    """Mean cross-entropy and accuracy."""
    of_label = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    entropy = float(-np.log(np.maximum(of_label, _LEAST_PROBABILITY)).mean())
    return entropy, float((probabilities.argmax(axis=1) == labels).mean())


def _penalty(network: MLPClassifier, settings: MlpSettings) -> float:
    squares = sum(float(np.sum(np.square(w, dtype=np.float64))) for w in network.coefs_)
    return 0.5 * settings.weight_decay * squares


def _head(network: MLPClassifier, scaler: Scaler) -> Head:
    hidden, bias = fold_scaler(scaler, network.coefs_[0], network.intercepts_[0])
    out, out_bias = network.coefs_[1], network.intercepts_[1]
    if out.shape[1] == 1:  # two classes: scikit-learn keeps only the difference of the logits
        both = np.array([[-0.5, 0.5]])
        out, out_bias = out @ both, out_bias @ both
    return Head(
        kind="mlp",
        input="pooled",
        layers=(_layer(hidden, bias, "relu"), _layer(out, out_bias, "linear")),
    )


def _layer(weight: NDArray[np.floating], bias: NDArray[np.floating], activation: str) -> DenseLayer:
    return DenseLayer(
        weight=np.asarray(weight, dtype=np.float32),
        bias=np.asarray(bias, dtype=np.float32),
        activation="relu" if activation == "relu" else "linear",
    )
