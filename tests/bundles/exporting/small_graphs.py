"""Graphs of one operation each, with every setting that a translation must get right, on coloured noise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import openvino as ov
import openvino.opset13 as op

from tumorlens.runtime.graphs import named_result

__all__ = ["BATCH", "GRAPHS", "NOISE", "PICTURE", "noise", "reference"]

BATCH, PICTURE = 2, (4, 9, 11)
"""Scans at a time, and ``(c, h, w)`` of the graphs' input; the batch is free in them."""


def _rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    """Coloured noise: neighbours are alike, and no two channels."""
    rough = _rng(seed).normal(size=shape).astype(np.float32)
    return np.cumsum(rough, axis=-1).astype(np.float32) / 2


NOISE = noise(BATCH, *PICTURE, seed=9)


def _ints(*values: int) -> Any:
    return op.constant(np.array(values, np.int64))


def _graph(make: Callable[[Any], Any]) -> Callable[[], ov.Model]:
    def build() -> ov.Model:
        x = op.parameter(ov.PartialShape([-1, *PICTURE]), ov.Type.f32, name="x")
        x.output(0).set_names({"x"})
        made = make(x)
        parts = made if isinstance(made, list) else [made]
        return ov.Model([named_result(part, f"y{place}") for place, part in enumerate(parts)], [x], "small")

    return build


def _convolution(strides: list[int], begin: list[int], end: list[int], dilations: list[int], auto: str = "explicit"):
    kernel = noise(6, 4, 3, 3, seed=1)
    return lambda x: op.convolution(x, op.constant(kernel), strides, begin, end, dilations, auto)


def _grouped(groups: int, out: int, strides: list[int], auto: str) -> Callable[[Any], Any]:
    kernel = noise(groups, out, 4 // groups, 3, 3, seed=2)
    return lambda x: op.group_convolution(x, op.constant(kernel), strides, [1, 1], [1, 1], [1, 1], auto)


def _max_pool(rounding: str, auto: str = "explicit", begin: int = 0, end: int = 0, dilation: int = 1):
    return lambda x: op.max_pool(
        x, [2, 2], [dilation] * 2, [begin] * 2, [end] * 2, [3, 3], rounding, auto, "i64", 0
    ).output(0)


def _avg_pool(rounding: str, *, exclude: bool, auto: str = "explicit", begin: int = 1, end: int = 1):
    return lambda x: op.avg_pool(x, [2, 2], [begin] * 2, [end] * 2, [3, 3], exclude, rounding, auto)


def _strided(begin, end, steps, **masks: list[int]) -> Callable[[Any], Any]:
    known = {"begin_mask": [0] * 4, "end_mask": [0] * 4, **masks}
    return lambda x: op.strided_slice(x, _ints(*begin), _ints(*end), _ints(*steps), **known)


def _quantised(x: Any) -> Any:
    low, high = (op.constant(np.float32(each).reshape(1, 4, 1, 1)) for each in ([-2, -1, 0, -3], [2, 1.5, 3, 1]))
    out_low, out_high = (op.constant(np.float32(each)) for each in (-1.5, 2.5))
    return op.fake_quantize(x, low, high, out_low, out_high, 255)


def _integer_weights(x: Any) -> Any:
    """As NNCF writes them: int8, converted, and scaled by channel."""
    weights = op.constant(_rng(3).integers(-127, 128, (5, 4, 1, 1)).astype(np.int8))
    scaled = op.multiply(op.convert(weights, ov.Type.f32), op.constant(noise(5, 1, 1, 1, seed=4)))
    return op.convolution(x, scaled, [1, 1], [0, 0], [0, 0], [1, 1])


def _interpolate(height: int, width: int) -> Callable[[Any], Any]:
    return lambda x: op.interpolate(
        x,
        _ints(height, width),
        "linear_onnx",
        "sizes",
        coordinate_transformation_mode="half_pixel",
        axes=_ints(2, 3),
    )


def _turned_product(a: bool, b: bool) -> Callable[[Any], Any]:
    right = noise(4, *((6, 11) if b else (11, 6)), seed=5) if not a else noise(4, *((6, 9) if b else (9, 6)), seed=5)
    return lambda x: op.matmul(x, op.constant(right), a, b)


def _channels_last_and_back(x: Any) -> Any:
    """A picture that lies channels last in between: filters, sums and joints must follow."""
    last = op.transpose(x, _ints(0, 2, 3, 1))
    scaled = op.multiply(last, op.constant(noise(4, seed=6)))
    pooled = op.reduce_mean(scaled, _ints(1, 2), keep_dims=True)
    risen = op.add(scaled, pooled)
    back = op.transpose(op.concat([risen, op.relu(last)], -1), _ints(0, 3, 1, 2))
    filtered = op.convolution(back, op.constant(noise(3, 8, 3, 3, seed=7)), [1, 1], [1, 1], [1, 1], [1, 1])
    return [op.reshape(filtered, _ints(0, -1), True), op.softmax(filtered, 1), op.reduce_max(filtered, _ints(2), False)]


def _by_name(name: str, *more: Any) -> Callable[[Any], Any]:
    return lambda x: getattr(op, name)(x, *more)


def _positive(x: Any) -> Any:
    return op.add(op.abs(x), op.constant(np.float32(0.1)))


_ROW = op.constant(noise(11, seed=8))

GRAPHS: dict[str, Callable[[], ov.Model]] = {
    name: _graph(make)
    for name, make in {
        "convolution": _convolution([1, 1], [1, 2], [0, 1], [1, 1]),
        "convolution, strides": _convolution([2, 3], [0, 1], [2, 0], [1, 1]),
        "convolution, dilations": _convolution([1, 1], [2, 2], [2, 2], [2, 3]),
        "convolution, same upper": _convolution([2, 2], [0, 0], [0, 0], [1, 1], "same_upper"),
        "convolution, same lower": _convolution([2, 2], [0, 0], [0, 0], [1, 1], "same_lower"),
        "convolution, valid": _convolution([2, 1], [0, 0], [0, 0], [1, 1], "valid"),
        "convolution, integer weights": _integer_weights,
        "depthwise": _grouped(4, 1, [1, 1], "same_upper"),
        "depthwise, strides, twice as many channels": _grouped(4, 2, [2, 2], "explicit"),
        "depthwise, uneven strides": _grouped(4, 1, [2, 1], "explicit"),
        "groups": _grouped(2, 3, [2, 2], "same_upper"),
        "max pool, floor": _max_pool("floor"),
        "max pool, ceil": _max_pool("ceil"),
        "max pool, ceil, padding": _max_pool("ceil", begin=1, end=1),
        "max pool, same upper": _max_pool("floor", "same_upper"),
        "max pool, same lower": _max_pool("floor", "same_lower"),
        "average pool, padding counts": _avg_pool("floor", exclude=False),
        "average pool, padding does not count": _avg_pool("floor", exclude=True),
        "average pool, ceil": _avg_pool("ceil", exclude=True, begin=0, end=0),
        "average pool, ceil, padding does not count": _avg_pool("ceil", exclude=True, begin=1, end=0),
        "average pool, same upper": _avg_pool("floor", exclude=True, auto="same_upper"),
        "interpolate, larger": _interpolate(17, 12),
        "interpolate, smaller": _interpolate(4, 5),
        "pad, constant": lambda x: op.pad(
            x, _ints(0, 1, 2, 0), _ints(0, 0, 1, 3), "constant", op.constant(np.float32(0.7))
        ),
        "pad, reflect": lambda x: op.pad(x, _ints(0, 0, 2, 1), _ints(0, 1, 0, 3), "reflect"),
        "fake quantize": _quantised,
        "matmul": _turned_product(False, False),
        "matmul, first turned": _turned_product(True, False),
        "matmul, second turned": _turned_product(False, True),
        "matmul, both turned": _turned_product(True, True),
        "matmul, vector": lambda x: op.matmul(x, _ROW, False, False),
        "softmax": lambda x: op.softmax(x, 1),
        "softmax, last axis": lambda x: op.softmax(x, -1),
        "log softmax": lambda x: op.log_softmax(x, 2),
        "normalize, largest": lambda x: op.normalize_l2(x, _ints(1, 3), 1.0, "max"),
        "normalize, tiny values": lambda x: op.normalize_l2(
            op.multiply(x, op.constant(np.float32(1e-9))), _ints(1), 1e-38, "max"
        ),
        "normalize, sum": lambda x: op.normalize_l2(x, _ints(1), 0.5, "add"),
        "mvn, inside": lambda x: op.mvn(x, _ints(1, 2), True, 0.1, "inside_sqrt"),
        "mvn, outside": lambda x: op.mvn(x, _ints(-1), True, 0.1, "outside_sqrt"),
        "mvn, mean alone": lambda x: op.mvn(x, _ints(2, 3), False, 0.1, "inside_sqrt"),
        **{
            f"{name}, {'kept' if keep else 'dropped'}": (lambda x, f=function, k=keep: f(x, _ints(-1, 1), k))
            for name, function in {
                "mean": op.reduce_mean,
                "sum": op.reduce_sum,
                "max": op.reduce_max,
                "min": op.reduce_min,
                "product": op.reduce_prod,
                "length": op.reduce_l2,
            }.items()
            for keep in (True, False)
        },
        "reshape, zero keeps": lambda x: op.reshape(x, _ints(0, -1, 11), True),
        "reshape, free batch": lambda x: op.reshape(x, _ints(-1, 99, 4), False),
        "transpose": lambda x: op.transpose(x, _ints(3, 0, 2, 1)),
        "transpose twice": lambda x: op.transpose(op.transpose(x, _ints(1, 2, 3, 0)), _ints(2, 3, 0, 1)),
        "squeeze": lambda x: op.squeeze(op.reduce_mean(x, _ints(1, 2), True), _ints(1, -2)),
        "unsqueeze": lambda x: op.unsqueeze(x, _ints(1, -1)),
        "concat": lambda x: op.concat([x, op.constant(NOISE[:1, :2]), op.relu(x)][::2], 1),
        "concat, last axis": lambda x: op.concat([x, op.relu(x)], -1),
        "split": lambda x: list(op.split(x, op.constant(np.int64(1)), 2).outputs()),
        "variadic split": lambda x: list(op.variadic_split(x, op.constant(np.int64(2)), _ints(2, -1, 3)).outputs()),
        "slice": lambda x: op.slice(x, _ints(1, -2), _ints(8, -9), _ints(3, -2), _ints(2, 3)),
        "strided slice": _strided([0, 1, 2, 0], [2, 3, 9, 11], [1, 1, 3, 2], begin_mask=[1, 0, 0, 1]),
        "strided slice, ends free": _strided([0, 1, 0, 0], [0, 0, 0, 0], [1, 1, 1, 1], end_mask=[1] * 4),
        "strided slice, shrinks": _strided(
            [0, -1, 2, 0],
            [2, 0, 3, 9],
            [1, 1, 1, 1],
            begin_mask=[1, 0, 0, 0],
            end_mask=[1, 0, 0, 0],
            shrink_axis_mask=[0, 1, 1, 0],
        ),
        "gather": lambda x: op.gather(x, _ints(2, 0, -1), op.constant(np.int64(1))),
        "gather, last axis": lambda x: op.gather(x, _ints(5, 5), op.constant(np.int64(-1))),
        "shape of": lambda x: op.convert(op.shape_of(op.reshape(x, _ints(0, 4, 99), True), "i64"), ov.Type.f32),
        "broadcast": lambda x: op.broadcast(op.reduce_mean(x, _ints(0, 1, 2), True), _ints(2, 4, 9, 11)),
        "broadcast, both ways": lambda x: op.broadcast(x, _ints(3, 1, 1, 1, 1), broadcast_spec="BIDIRECTIONAL"),
        "tile": lambda x: op.tile(x, _ints(2, 1, 3)),
        "select": lambda x: op.select(op.greater(x, op.constant(np.float32(0.2))), x, op.negative(x)),
        "logic": lambda x: op.convert(
            op.logical_or(
                op.logical_and(op.greater_equal(x, _ROW), op.logical_not(op.less(x, op.constant(np.float32(1))))),
                op.less_equal(x, op.constant(np.float32(-1))),
            ),
            ov.Type.f32,
        ),
        "equal": lambda x: [
            op.convert(f(op.floor(x), op.constant(np.float32(0))), ov.Type.f32) for f in (op.equal, op.not_equal)
        ],
        "clamp": lambda x: op.clamp(x, -0.5, 0.75),
        "clamp, 0 to 6": lambda x: op.clamp(op.multiply(x, op.constant(np.float32(5))), 0.0, 6.0),
        "swish": lambda x: op.swish(x),
        "swish, beta": lambda x: op.swish(x, op.constant(np.float32(0.7))),
        "hard sigmoid": lambda x: op.hard_sigmoid(x, op.constant(np.float32(0.3)), op.constant(np.float32(0.4))),
        "gelu": lambda x: op.gelu(x, "erf"),
        "gelu, tanh": lambda x: op.gelu(x, "tanh"),
        "elu": lambda x: op.elu(x, 0.8),
        **{
            name: _by_name(name)
            for name in ("relu", "sigmoid", "tanh", "erf", "exp", "abs", "floor", "negative", "hswish", "hsigmoid")
        },
        "softplus": lambda x: op.softplus(x),
        "logarithm and root": lambda x: [op.log(_positive(x)), op.sqrt(_positive(x))],
        "power": lambda x: op.power(_positive(x), op.constant(np.float32(1.7))),
        **{
            f"{name}, row": _by_name(name, _ROW)
            for name in ("add", "subtract", "multiply", "divide", "maximum", "minimum", "squared_difference")
        },
        "subtract, picture from row": lambda x: op.subtract(_ROW, x),
        "channels last and back": _channels_last_and_back,
    }.items()
}
"""Graphs by what they test."""


def reference(graph: ov.Model) -> dict[str, np.ndarray]:
    """What OpenVINO computes from the noise, in full precision."""
    compiled = ov.Core().compile_model(graph, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    results = compiled({"x": NOISE})
    return {output.get_any_name(): np.array(results[output]) for output in compiled.outputs}
