"""Turned axes moved out of the way: the same results from fewer passes over memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import openvino as ov
import openvino.opset13 as op
import pytest

from tumorlens.runtime.children.turns import move_turns

SIZE, CHANNELS = 8, 4
_RNG = np.random.default_rng(0)


def _numbers(*shape: int) -> Any:
    return op.constant(_RNG.normal(size=shape).astype(np.float32))


def _turn(value: Any, *order: int) -> Any:
    return op.transpose(value, op.constant(np.array(order, np.int64)))


def _convolve(value: Any) -> Any:
    """As Keras writes it: channels last outside, first within, and an oddly turned normalisation behind it."""
    first = _turn(value, 0, 3, 1, 2)
    product = op.convolution(first, _numbers(CHANNELS, CHANNELS, 3, 3), [1, 1], [1, 1], [1, 1], [1, 1])
    odd = _turn(_turn(product, 0, 2, 3, 1), 0, 3, 2, 1)
    scaled = op.add(op.multiply(odd, _numbers(1, CHANNELS, 1, 1)), _numbers(1, CHANNELS, 1, 1))
    return op.relu(_turn(scaled, 0, 3, 2, 1))


def _squeeze_and_excite(value: Any) -> Any:
    mean = op.reduce_mean(value, op.constant(np.array([1, 2], np.int64)), keep_dims=True)
    return op.multiply(value, op.sigmoid(_convolve(mean)))


def _pooled(value: Any) -> Any:
    return op.reduce_mean(value, op.constant(np.array([1, 2], np.int64)), keep_dims=False)


def _padded(value: Any) -> Any:
    begin, end = (op.constant(np.array(widths, np.int64)) for widths in ([0, 1, 2, 0], [0, 0, 1, 0]))
    return op.pad(value, begin, end, "constant", op.constant(np.float32(0)))


SHAPES: dict[str, Callable[[Any], Any]] = {
    "sequence": _convolve,
    "sum": lambda x: op.add(x, _convolve(x)),
    "scalar": lambda x: op.multiply(x, op.constant(np.float32(3))),
    "by last axis": lambda x: op.add(x, _numbers(CHANNELS)),
    "joined": lambda x: op.concat([x, _convolve(x)], 3),
    "joined along the height": lambda x: op.concat([x, _convolve(x)], -3),
    "weighed": _squeeze_and_excite,
    "padded": _padded,
    "pooled": _pooled,
}


@pytest.mark.parametrize("name", SHAPES)
def test_results_stay_and_turns_go(name: str) -> None:
    pixels = op.parameter([1, SIZE, SIZE, CHANNELS], ov.Type.f32)
    model = ov.Model([op.result(SHAPES[name](_convolve(_convolve(pixels))))], [pixels], "body")
    scan = _RNG.normal(size=(1, SIZE, SIZE, CHANNELS)).astype(np.float32)
    before = _answer(model, scan)
    assert _turns(model) >= 8
    move_turns(model)
    assert _turns(model) <= 4
    np.testing.assert_allclose(_answer(model, scan), before, rtol=1e-4, atol=1e-4)


def test_what_cannot_be_followed_stays_as_it_was() -> None:
    pixels = op.parameter([1, SIZE, SIZE, CHANNELS], ov.Type.f32)
    chosen = op.gather(_convolve(pixels), op.constant(np.array([2, 0], np.int64)), op.constant(np.int64(3)))
    model = ov.Model([op.result(chosen)], [pixels], "body")
    scan = _RNG.normal(size=(1, SIZE, SIZE, CHANNELS)).astype(np.float32)
    before = _answer(model, scan)
    move_turns(model)
    np.testing.assert_allclose(_answer(model, scan), before, rtol=1e-4, atol=1e-4)


def _answer(model: ov.Model, scan: np.ndarray) -> np.ndarray:
    return np.array(ov.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})(scan)[0])


def _turns(model: ov.Model) -> int:
    return Counter(node.get_type_name() for node in model.get_ops())["Transpose"]
