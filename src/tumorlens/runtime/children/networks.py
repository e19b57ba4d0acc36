"""Builds a backbone in Keras, loads its weights, and cuts it to what comes after the preprocessing.

The network is built with whatever preprocessing Keras puts inside, so that every weights file fits, and then cut:
preprocessing is done once, by our own graph. A normalisation after pooling (ConvNeXt) is cut off too.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import layers

from tumorlens.backbones import RANDOM_SEED, BackboneSpec
from tumorlens.runtime.children.lite0 import build_lite0, load_lite0_checkpoint
from tumorlens.runtime.children.weights_files import load_weights_file

__all__ = ["POOLED_NORMALISATION", "Network", "load_network", "weights_digest"]

POOLED_NORMALISATION = "pooled_normalisation"
"""Name of the layer that normalises pooled features in models that are written."""


@dataclass(frozen=True)
class Network:
    """A backbone with weights.

    Attributes:
        model: The network as built, weights and preprocessing included.
        body: From preprocessed pixels ``(n, size, size, 3)`` to the last map ``(n, h, w, c)``, both float32.
        pooled_normalisation: The layer that normalises the pooled map, where there is one.
        fitted: Mean and variance of the preprocessing as the weights file holds them, where it does.
    """

    model: keras.Model
    body: keras.Model
    pooled_normalisation: layers.LayerNormalization | None
    fitted: tuple[list[float], list[float]] | None


def load_network(spec: BackboneSpec, *, size: int, weights: Path | None) -> Network:
    """Build ``spec`` for ``size`` pixels and load ``weights`` (``None``: seeded random ones).

    Raises:
        InputError: The file's tensors are not those of the network.
    """
    keras.backend.clear_session()
    keras.utils.set_random_seed(RANDOM_SEED)
    model = _build(spec, size)
    if weights is not None and weights.suffix == ".pth":
        load_lite0_checkpoint(model, weights)
    elif weights is not None:
        load_weights_file(model, weights, title=spec.title)
    last = model.layers[-1]
    normalises_pooled = spec.normalised == "after pooling"
    return Network(
        model=model,
        body=keras.Model(_after_preprocessing(model), last.input if normalises_pooled else last.output, name="body"),
        pooled_normalisation=last if normalises_pooled else None,
        fitted=_fitted(model) if spec.fitted_normalisation and weights is not None else None,
    )


def weights_digest(model: keras.Model) -> str:
    """SHA-256 over shape, type and values of every weight in Keras' order; names do not count."""
    digest = hashlib.sha256()
    for weight in model.get_weights():
        values: npt.NDArray[Any] = np.ascontiguousarray(weight)
        digest.update(f"{values.shape} {values.dtype.str};".encode())
        digest.update(values.tobytes())
    return digest.hexdigest()


def _build(spec: BackboneSpec, size: int) -> keras.Model:
    if spec.source == "package":
        return build_lite0(size)
    return getattr(keras.applications, spec.builder)(include_top=False, weights=None, input_shape=(size, size, 3))


def _after_preprocessing(model: keras.Model) -> Any:
    tensor = model.input
    for layer in model.layers[1:]:
        if not isinstance(layer, (layers.Rescaling, layers.Normalization)):
            break
        tensor = layer.output
    return tensor


def _fitted(model: keras.Model) -> tuple[list[float], list[float]]:
    layer = next(layer for layer in model.layers if isinstance(layer, layers.Normalization))
    mean, variance = (weight.ravel().tolist() for weight in layer.get_weights()[:2])
    return mean, variance
