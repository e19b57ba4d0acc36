"""Child process with TensorFlow: how far the folded forward pass of networks is from Keras' own.

``python fold_many.py NAME…`` prints a JSON line each: name, error of the outputs, largest error of a gradient, both
relative to the largest value, and how many normalisations were left as they are.
"""

from __future__ import annotations

import json
import sys
from functools import partial

import keras
import numpy as np
import tensorflow as tf

from tumorlens.backbones import find_backbone
from tumorlens.runtime.children.networks import load_network
from tumorlens.training.folded_forward import FoldedForward

random = np.random.default_rng(0)


def shake(network: keras.Model) -> list[keras.layers.Layer]:
    """Give every normalisation its own statistics, factors and shifts."""
    found = [layer for layer in network.layers if isinstance(layer, keras.layers.BatchNormalization)]
    for layer in found:
        layer.set_weights([random.uniform(0.5, 1.5, weight.shape) for weight in layer.get_weights()])
    return found


def count(calls: list[int], place: int, values: object, **_: object) -> object:
    """Note a call; change nothing."""
    calls[place] += 1
    return values


for name in sys.argv[1:]:
    inner = load_network(find_backbone(name), size=64, weights=None).body
    normalisations = shake(inner)
    outer = keras.Input(inner.input.shape[1:])
    model = keras.Model(outer, keras.layers.GlobalAveragePooling2D()(inner(outer)))
    pixels = tf.constant(random.normal(size=(2, *inner.input.shape[1:])).astype(np.float32))
    weights = [variable.value for variable in model.trainable_variables]
    outputs, gradients = [], []
    for forward in (lambda values, model=model: model(values, training=False), FoldedForward(model)):
        with tf.GradientTape() as tape:
            values = forward(pixels)
            loss = tf.reduce_mean(values * values)
        outputs.append(np.asarray(values))
        gradients.append([np.asarray(gradient) for gradient in tape.gradient(loss, weights)])
    calls = [0] * len(normalisations)
    for place, layer in enumerate(normalisations):
        layer.call = partial(count, calls, place)
    FoldedForward(model)(pixels)
    error = float(np.abs(outputs[0] - outputs[1]).max() / np.abs(outputs[0]).max())
    worst = max(float(np.abs(a - b).max() / (np.abs(a).max() + 1e-12)) for a, b in zip(*gradients, strict=True))
    print(json.dumps([name, error, worst, sum(calls)]), flush=True)
