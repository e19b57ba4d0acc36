"""A classifier as plain matrices: what training gives and bundles keep. Knows nothing about how it was fitted."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt

from tumorlens.errors import InputError

__all__ = ["Activation", "DenseLayer", "Head", "head_arrays", "head_logits"]

Activation = Literal["linear", "relu"]


@dataclass(frozen=True, eq=False)
class DenseLayer:
    """One dense layer: ``activation(x @ weight + bias)``.

    Attributes:
        weight: ``(inputs, outputs)`` float32.
        bias: ``(outputs,)`` float32.
        activation: "linear" or "relu".
    """

    weight: npt.NDArray[np.float32]
    bias: npt.NDArray[np.float32]
    activation: Activation

    def __post_init__(self) -> None:
        """Check shapes and types.

        Raises:
            InputError: They do not fit.
        """
        if self.weight.ndim != 2 or self.bias.shape != self.weight.shape[1:]:
            raise InputError(
                "A dense layer needs a weight (inputs, outputs) and a bias (outputs,), "
                f"got {self.weight.shape} and {self.bias.shape}."
            )
        if self.weight.dtype != np.float32 or self.bias.dtype != np.float32:
            raise InputError(f"A dense layer needs float32, got {self.weight.dtype} and {self.bias.dtype}.")
        if self.activation not in ("linear", "relu"):
            raise InputError(f"A dense layer's activation must be 'linear' or 'relu', got {self.activation!r}.")


@dataclass(frozen=True, eq=False)
class Head:
    """A classifier on the features of a network.

    Attributes:
        kind: How it came about ("linear", "mlp", "study", "scratch").
        input: "pooled": the feature vector; "flat": the whole map, flattened in the order (h, w, c).
        layers: Dense layers from features to logits; the last is linear with one output a class.
    """

    kind: str
    input: Literal["pooled", "flat"]
    layers: tuple[DenseLayer, ...]

    def __post_init__(self) -> None:
        """Check that the layers fit together.

        Raises:
            InputError: They do not.
        """
        if self.input not in ("pooled", "flat"):
            raise InputError(f"A head's input must be 'pooled' or 'flat', got {self.input!r}.")
        if not self.layers or self.layers[-1].activation != "linear":
            raise InputError("A head needs at least one layer, and the last must be linear: it gives logits.")
        for before, after in pairwise(self.layers):
            if before.weight.shape[1] != after.weight.shape[0]:
                raise InputError(
                    f"A head's layers must fit together, got {before.weight.shape} before {after.weight.shape}."
                )

    @property
    def inputs(self) -> int:
        """Length of the feature vector it takes."""
        return int(self.layers[0].weight.shape[0])

    @property
    def classes(self) -> int:
        """Number of classes."""
        return int(self.layers[-1].weight.shape[1])


def head_arrays(head: Head) -> dict[str, npt.NDArray[np.float32]]:
    """Its arrays as child processes take them: "weight0", "bias0", "weight1" and so on."""
    return {
        f"{name}{place}": array
        for place, layer in enumerate(head.layers)
        for name, array in (("weight", layer.weight), ("bias", layer.bias))
    }


def head_logits(head: Head, features: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """The logits of ``head``, before any temperature.

    Args:
        head: The classifier.
        features: ``(n, d)``; of a flat head the map flattened in the order (h, w, c).

    Returns:
        ``(n, k)`` float64.

    Raises:
        InputError: The features have another width than the head takes.
    """
    if features.ndim != 2 or features.shape[1] != head.inputs:
        raise InputError(f"The head takes features of the shape (n, {head.inputs}), got {features.shape}.")
    values = features.astype(np.float64)
    for layer in head.layers:
        values = values @ layer.weight.astype(np.float64) + layer.bias
        if layer.activation == "relu":
            values = np.maximum(values, 0.0)
    return values
