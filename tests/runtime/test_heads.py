from __future__ import annotations

import numpy as np
import pytest

from tumorlens.errors import InputError
from tumorlens.runtime import DenseLayer, Head, head_logits


def dense(weight: list[list[float]], bias: list[float], activation: str = "linear") -> DenseLayer:
    return DenseLayer(np.array(weight, np.float32), np.array(bias, np.float32), activation)  # type: ignore[arg-type]


def test_logits_by_hand() -> None:
    head = Head("mlp", "pooled", (dense([[1, -1], [2, 0]], [0, -1], "relu"), dense([[1, 0], [5, -5]], [0.5, 0])))
    logits = head_logits(head, np.array([[1, 1], [-3, 0]], np.float32))
    # scan 1: hidden (3, max(-2, 0)); scan 2: hidden (max(-3, 0), 2)
    np.testing.assert_array_equal(logits, [[3.5, 0], [10.5, -10]])
    assert logits.dtype == np.float64
    assert (head.inputs, head.classes) == (2, 2)


@pytest.mark.parametrize(
    ("weight", "bias", "activation"),
    [
        (np.zeros((2, 3), np.float32), np.zeros(2, np.float32), "linear"),
        (np.zeros(3, np.float32), np.zeros(3, np.float32), "linear"),
        (np.zeros((2, 3)), np.zeros(3), "linear"),
        (np.zeros((2, 3), np.float32), np.zeros(3, np.float32), "swish"),
    ],
)
def test_refuses_layers_that_do_not_fit(weight: np.ndarray, bias: np.ndarray, activation: str) -> None:
    with pytest.raises(InputError):
        DenseLayer(weight, bias, activation)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "layers",
    [(), (dense([[1.0]], [0], "relu"),), (dense([[1.0, 1.0]], [0, 0], "relu"), dense([[1.0]], [0]))],
)
def test_refuses_heads_that_do_not_fit(layers: tuple[DenseLayer, ...]) -> None:
    with pytest.raises(InputError):
        Head("mlp", "pooled", layers)


@pytest.mark.parametrize("shape", [(2,), (2, 3), (1, 2, 2)])
def test_refuses_features_of_another_width(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="features"):
        head_logits(Head("linear", "pooled", (dense([[1.0], [1.0]], [0]),)), np.zeros(shape))
