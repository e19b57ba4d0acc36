"""What goes with the weights: moving means and variances, where batch normalisation is trained."""

from __future__ import annotations

import numpy as np
import pytest

from tumorlens.training import Recipe


@pytest.mark.slow
def test_batch_statistics_are_kept_and_averaged_with_the_weights() -> None:
    import keras

    from tumorlens.training.stepper import Stepper

    inner = keras.Sequential([keras.Input((3,)), keras.layers.BatchNormalization(momentum=0.5)])
    inputs = keras.Input((3,))
    model = keras.Model(inputs, keras.layers.Dense(2)(inner(inputs)))
    recipe = Recipe(batch_norm="train", average=0.9, mixup=0.0, warm_up=0.0)
    stepper = Stepper(model, [model.trainable_variables], recipe=recipe, steps=20, class_weights=np.ones(2, np.float32))
    random = np.random.default_rng(0)
    mean = inner.layers[0].moving_mean

    def train(centre: float) -> None:
        for _ in range(3):
            values = random.normal(centre, 1.0, (8, 3)).astype(np.float32)
            stepper.train([values], np.arange(8) % 2, random)

    train(5.0)
    own = mean.numpy()
    with stepper.averaged():
        averaged = mean.numpy()
    assert np.all(averaged < own) and np.all(averaged > 0.0)
    np.testing.assert_array_equal(mean.numpy(), own)
    stepper.keep()
    train(-50.0)
    stepper.restore_kept()
    np.testing.assert_array_equal(mean.numpy(), averaged)
