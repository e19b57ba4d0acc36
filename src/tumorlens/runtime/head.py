"""A classifier on features: one or more dense layers. Plain arrays; knows nothing about training or graphs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tumorlens.types import Features

__all__ = ["DenseLayer", "Head", "head_logits"]


@dataclass(frozen=True)
class DenseLayer:
    """``activation(x @ weight + bias)``.

    Attributes:
        weight: ``(in, out)`` float32.
        bias: ``(out,)`` float32.
        activation: ``linear`` or ``relu``.
    """

    weight: NDArray[np.float32]
    bias: NDArray[np.float32]
    activation: Literal["linear", "relu"]


@dataclass(frozen=True)
class Head:
    """Dense layers that turn features into logits.

    Attributes:
        kind: How it was made: ``linear``, ``mlp``, ``study`` or ``scratch``.
        input: ``pooled`` (the mean over positions) or ``flat`` (the whole map, channels last).
        layers: In order; the last is linear and gives one logit a class.
    """

    kind: str
    input: Literal["pooled", "flat"]
    layers: tuple[DenseLayer, ...]


def head_logits(head: Head, features: Features) -> NDArray[np.float64]:
    """Logits ``(n, k)`` float64 of ``features`` ``(n, d)``, computed in float64."""
    values = np.asarray(features, dtype=np.float64)
    for layer in head.layers:
        values = values @ layer.weight + layer.bias
        if layer.activation == "relu":
            values = np.maximum(values, 0.0)
    return values
