"""Operations that compute each element from the elements at the same place."""

from __future__ import annotations

import math

from tumorlens.bundles.exporting.onnx_builder import element_type
from tumorlens.bundles.exporting.onnx_call import OnnxCall, OnnxRule
from tumorlens.bundles.exporting.rule_table import unsupported

__all__ = ["ELEMENTWISE"]


def _same(kind: str) -> OnnxRule:
    """ONNX has the operation under ``kind``, with the same inputs and NumPy's broadcasting."""

    def rule(call: OnnxCall) -> str:
        if call.operation.attributes.get("auto_broadcast", "numpy") not in ("numpy", "none"):
            raise unsupported(call.operation, "its broadcasting is not NumPy's")
        return call.builder.emit(kind, call.inputs, name=call.name)

    return rule


def _constant(call: OnnxCall) -> str:
    assert call.operation.constant is not None
    return call.builder.constant(call.operation.constant, name=call.name)


def _convert(call: OnnxCall) -> str:
    return call.builder.emit("Cast", call.inputs, name=call.name, to=element_type(call.operation.types[0]))


def _clamp(call: OnnxCall) -> str:
    kind = call.type()
    low, high = (call.builder.number(call.setting(name), like=kind) for name in ("min", "max"))
    return call.builder.emit("Clip", [call.inputs[0], low, high], name=call.name)


def _swish(call: OnnxCall) -> str:
    r""":math:`x \sigma(\beta x)`; without a second input :math:`\beta = 1`."""
    x, scaled = call.inputs[0], call.inputs[0]
    if len(call.inputs) == 2:
        scaled = call.builder.emit("Mul", call.inputs, name=f"{call.name}/scaled")
    gate = call.builder.emit("Sigmoid", [scaled], name=f"{call.name}/gate")
    return call.builder.emit("Mul", [x, gate], name=call.name)


def _hard_sigmoid_of_three(call: OnnxCall) -> str:
    """``min(max(x + 3, 0), 6) / 6``."""
    return call.builder.emit("HardSigmoid", call.inputs, name=call.name, alpha=1 / 6, beta=0.5)


def _hard_sigmoid(call: OnnxCall) -> str:
    """``min(max(alpha * x + beta, 0), 1)``; both are inputs."""
    alpha, beta = (float(call.numbers(place).item()) for place in (1, 2))
    return call.builder.emit("HardSigmoid", [call.inputs[0]], name=call.name, alpha=alpha, beta=beta)


def _gelu(call: OnnxCall) -> str:
    r""":math:`x \Phi(x)`; by the error function, or by the hyperbolic tangent where the graph says so."""
    inner = _tanh_of_gelu if call.operation.attributes.get("approximation_mode") == "TANH" else _erf_of_gelu
    one, half = (call.builder.number(value, like=call.type()) for value in (1.0, 0.5))
    risen = call.builder.emit("Add", [inner(call), one], name=f"{call.name}/risen")
    gate = call.builder.emit("Mul", [risen, half], name=f"{call.name}/gate")
    return call.builder.emit("Mul", [call.inputs[0], gate], name=call.name)


def _erf_of_gelu(call: OnnxCall) -> str:
    root = call.builder.number(math.sqrt(0.5), like=call.type())
    scaled = call.builder.emit("Mul", [call.inputs[0], root], name=f"{call.name}/scaled")
    return call.builder.emit("Erf", [scaled], name=f"{call.name}/erf")


def _tanh_of_gelu(call: OnnxCall) -> str:
    x, like = call.inputs[0], call.type()
    square = call.builder.emit("Mul", [x, x], name=f"{call.name}/square")
    bent = call.builder.emit("Mul", [square, call.builder.number(0.044715, like=like)], name=f"{call.name}/bent")
    factor = call.builder.emit("Add", [bent, call.builder.number(1.0, like=like)], name=f"{call.name}/factor")
    product = call.builder.emit("Mul", [x, factor], name=f"{call.name}/product")
    root = call.builder.number(math.sqrt(2 / math.pi), like=like)
    return call.builder.emit(
        "Tanh", [call.builder.emit("Mul", [product, root], name=f"{call.name}/scaled")], name=f"{call.name}/tanh"
    )


def _elu(call: OnnxCall) -> str:
    return call.builder.emit("Elu", call.inputs, name=call.name, alpha=float(call.setting("alpha")))


def _squared_difference(call: OnnxCall) -> str:
    difference = call.builder.emit("Sub", call.inputs, name=f"{call.name}/difference")
    return call.builder.emit("Mul", [difference, difference], name=call.name)


def _not_equal(call: OnnxCall) -> str:
    return call.builder.emit(
        "Not", [call.builder.emit("Equal", call.inputs, name=f"{call.name}/equal")], name=call.name
    )


ELEMENTWISE: dict[str, OnnxRule] = {
    "Constant": _constant,
    "Convert": _convert,
    "Clamp": _clamp,
    "Swish": _swish,
    "HSigmoid": _hard_sigmoid_of_three,
    "HardSigmoid": _hard_sigmoid,
    "Gelu": _gelu,
    "Elu": _elu,
    "SquaredDifference": _squared_difference,
    "NotEqual": _not_equal,
    **{
        kind: _same(kind)
        for kind in (
            *("Relu", "Sigmoid", "Tanh", "Erf", "Exp", "Log", "Sqrt", "Abs", "Floor", "Add"),
            *("Greater", "Less", "Equal"),
        )
    },
    **{
        theirs: _same(ours)
        for theirs, ours in {
            "HSwish": "HardSwish",
            "SoftPlus": "Softplus",
            "Negative": "Neg",
            "Subtract": "Sub",
            "Multiply": "Mul",
            "Divide": "Div",
            "Power": "Pow",
            "Maximum": "Max",
            "Minimum": "Min",
            "Select": "Where",
            "GreaterEqual": "GreaterOrEqual",
            "LessEqual": "LessOrEqual",
            "LogicalNot": "Not",
            "LogicalAnd": "And",
            "LogicalOr": "Or",
        }.items()
    },
}
"""OpenVINO's name of the operation, and what writes it."""
