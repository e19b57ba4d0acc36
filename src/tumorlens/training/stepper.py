"""One step of training and one of scoring: loss, gradients, a learning rate for each stage, averaged weights.

Child process only. Knows nothing about files or epochs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from tumorlens.training.folded_forward import FoldedForward
from tumorlens.training.recipe import Recipe
from tumorlens.types import Labels

__all__ = ["Stepper"]

_CUT_SHARE = 3


class Stepper:
    """A model with its optimisers.

    Args:
        model: From one or more inputs to logits ``(n, k)``.
        groups: Trainable variables by distance from the top: the classifier's, the last stage's, the one below, …
        recipe: How it is trained.
        steps: Steps of the whole training.
        class_weights: ``(k,)`` weight of each class in the loss.
    """

    def __init__(
        self,
        model: Any,
        groups: Sequence[Sequence[Any]],
        *,
        recipe: Recipe,
        steps: int,
        class_weights: NDArray[np.float32],
    ) -> None:
        self._model = model
        self._fast = FoldedForward(model)
        self._recipe = recipe
        self._weights = tf.constant(class_weights, tf.float32)
        self._groups = [list(group) for group in groups if group]
        self._optimizers = [
            _optimizer(recipe, factor, steps, group)
            for group, factor in zip(self._groups, _factors(recipe, groups), strict=True)
        ]
        self._trained = [variable for group in self._groups for variable in group]
        statistics = _batch_statistics(model) if recipe.batch_norm == "train" else []
        self._changing = [*self._trained, *statistics]
        self._average = [tf.Variable(variable.numpy(), trainable=False) for variable in self._changing]
        self._kept = [tf.Variable(variable.numpy(), trainable=False) for variable in self._changing]
        self._rate = _rate(recipe, 1.0, steps)
        self._count = tf.Variable(0.0, trainable=False)
        self._train = tf.function(self._train_step, reduce_retracing=True)
        self._score = tf.function(self._score_step, reduce_retracing=True)

    @property
    def learning_rate(self) -> float:
        """That of the last stage, at the next step."""
        return float(self._rate(self._count))

    def train(self, inputs: list[Any], labels: Labels, random: np.random.Generator) -> dict[str, float]:
        """Do one step; ``loss`` is what was minimised, the other figures take each mixture for its larger part."""
        count = len(labels)
        drawn = random.beta(self._recipe.mixup, self._recipe.mixup) if self._recipe.mixup else 1.0
        share = max(drawn, 1.0 - drawn)  # of each mixture the first scan is the larger part
        partner = random.permutation(count)
        masks = [_cutout_mask(values.shape, random, self._recipe.cutout) for values in inputs]
        values = self._train(
            inputs,
            tf.constant(labels, tf.int32),
            tf.constant(partner, tf.int32),
            tf.constant(share, tf.float32),
            [None if mask is None else tf.constant(mask) for mask in masks],
        )
        return {name: float(value) for name, value in values.items()}

    def score(self, inputs: list[Any], labels: Labels) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Cross-entropy of each scan, nats, and whether it was right."""
        losses, right = self._score(inputs, tf.constant(labels, tf.int32))
        return losses.numpy().astype(np.float64), right.numpy()

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Let the model have the averaged weights for a while."""
        own = [variable.numpy() for variable in self._changing]
        self._set(self._scored_weights())
        try:
            yield
        finally:
            self._set(own)

    def keep(self) -> None:
        """Remember the weights that are scored."""
        for kept, variable in zip(self._kept, self._scored_weights(), strict=True):
            kept.assign(variable)

    def restore_kept(self) -> None:
        """Set the weights that were remembered last."""
        self._set(self._kept)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything that changes, by name."""
        return {name: np.asarray(variable) for name, variable in self._variables()}

    def load(self, arrays: dict[str, NDArray[Any]]) -> None:
        """Set everything as :meth:`arrays` gave it."""
        for name, variable in self._variables():
            variable.assign(arrays[name])

    def _scored_weights(self) -> list[Any]:
        return self._average if self._recipe.average else [variable.value for variable in self._changing]

    def _variables(self) -> Iterator[tuple[str, Any]]:
        for kind, variables in (
            ("model", self._model.variables),
            ("average", self._average),
            ("kept", self._kept),
            ("count", [self._count]),
            *((f"optimizer{i}", optimizer.variables) for i, optimizer in enumerate(self._optimizers)),
        ):
            yield from ((f"{kind}_{place}", variable) for place, variable in enumerate(variables))

    def _set(self, values: Sequence[Any]) -> None:
        for variable, value in zip(self._changing, values, strict=True):
            variable.assign(value)

    def _train_step(self, inputs: list[Any], labels: Any, partner: Any, share: Any, masks: list[Any]) -> dict[str, Any]:
        recipe = self._recipe
        inputs = [tf.cast(values, tf.float32) for values in inputs]
        inputs = [values if mask is None else values * mask for values, mask in zip(inputs, masks, strict=True)]
        if recipe.mixup:
            inputs = [share * values + (1.0 - share) * tf.gather(values, partner) for values in inputs]
        targets = self._targets(labels, partner, share)
        weights = tf.gather(self._weights, labels)
        with tf.GradientTape() as tape:
            logits = self._logits(inputs)
            loss = tf.reduce_mean(weights * tf.nn.softmax_cross_entropy_with_logits(targets, logits))
        gradients = tape.gradient(loss, self._trained_values())
        if recipe.clip:
            gradients, _ = tf.clip_by_global_norm(gradients, recipe.clip)
        self._apply(gradients)
        losses, right = _losses(labels, logits)
        accuracy = tf.reduce_mean(tf.cast(right, tf.float32))
        return {"loss": loss, "cross_entropy": tf.reduce_mean(losses), "accuracy": accuracy}

    def _logits(self, inputs: list[Any]) -> Any:
        """In training: batch statistics where the recipe says so."""
        if self._recipe.batch_norm == "train":
            return self._model(inputs[0] if len(inputs) == 1 else inputs, training=True)
        return self._fast(*inputs)

    def _trained_values(self) -> list[Any]:
        return [variable.value for variable in self._trained]

    def _apply(self, gradients: list[Any]) -> None:
        start = 0
        for group, optimizer in zip(self._groups, self._optimizers, strict=True):
            optimizer.apply(gradients[start : start + len(group)], group)
            start += len(group)
        self._count.assign_add(1.0)
        decay = tf.minimum(self._recipe.average, (1.0 + self._count) / (10.0 + self._count))
        for average, variable in zip(self._average, self._changing, strict=True):
            average.assign(decay * average + (1.0 - decay) * variable.value)

    def _targets(self, labels: Any, partner: Any, share: Any) -> Any:
        classes = self._weights.shape[0]
        targets = tf.one_hot(labels, classes)
        if self._recipe.mixup:
            targets = share * targets + (1.0 - share) * tf.gather(targets, partner)
        smoothing = self._recipe.label_smoothing
        return (1.0 - smoothing) * targets + smoothing / classes

    def _score_step(self, inputs: list[Any], labels: Any) -> tuple[Any, Any]:
        inputs = [tf.cast(values, tf.float32) for values in inputs]
        return _losses(labels, self._fast(*inputs))


def _batch_statistics(model: Any) -> list[Any]:
    """Moving means and variances, which training changes without gradients; they go with the weights they belong to."""
    found: list[Any] = []
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            found += [layer.moving_mean, layer.moving_variance]
        elif isinstance(layer, keras.Model):
            found += _batch_statistics(layer)
    return found


def _factors(recipe: Recipe, groups: Sequence[Sequence[Any]]) -> list[float]:
    """Factor of the learning rate for each group that is not empty."""
    stages = [recipe.head_rate, *(recipe.stage_decay**depth for depth in range(len(groups) - 1))]
    return [factor for factor, group in zip(stages, groups, strict=True) if group]


def _rate(recipe: Recipe, factor: float, steps: int) -> Any:
    """The learning rate as a function of the step."""
    rise = int(recipe.warm_up * steps)
    largest = recipe.learning_rate * factor
    return keras.optimizers.schedules.CosineDecay(
        0.0 if rise else largest, max(steps - rise, 1), warmup_target=largest if rise else None, warmup_steps=rise
    )


def _optimizer(recipe: Recipe, factor: float, steps: int, variables: list[Any]) -> Any:
    optimizer = keras.optimizers.AdamW(_rate(recipe, factor, steps), weight_decay=recipe.weight_decay)
    optimizer.exclude_from_weight_decay(var_list=[variable for variable in variables if len(variable.shape) < 2])
    optimizer.build(variables)
    return optimizer


def _losses(labels: Any, logits: Any) -> tuple[Any, Any]:
    """``(n,)`` each: cross-entropies, and which scans were right."""
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
    return losses, tf.equal(tf.argmax(logits, axis=1, output_type=tf.int32), labels)


def _cutout_mask(shape: Any, random: np.random.Generator, probability: float) -> NDArray[np.float32] | None:
    """``(n, h, w, 1)``: 0 in a square of some scans, else 1."""
    if not probability or len(shape) != 4:
        return None
    count, height, width = (int(side) for side in shape[:3])
    mask = np.ones((count, height, width, 1), np.float32)
    side = max(1, min(height, width) // _CUT_SHARE)
    for row in np.flatnonzero(random.random(count) < probability):
        top, left = random.integers(0, height - side + 1), random.integers(0, width - side + 1)
        mask[row, top : top + side, left : left + side] = 0.0
    return mask
