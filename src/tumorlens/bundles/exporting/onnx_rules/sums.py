"""Operations that sum over axes: products of matrices, means, normalisations."""

from __future__ import annotations

from tumorlens.bundles.exporting.onnx_call import OnnxCall, OnnxRule

__all__ = ["SUMS"]


def _matmul(call: OnnxCall) -> str:
    left, right = (
        _turned(call, place) if call.setting(flag) else call.inputs[place]
        for place, flag in enumerate(("transpose_a", "transpose_b"))
    )
    return call.builder.emit("MatMul", [left, right], name=call.name)


def _turned(call: OnnxCall, place: int) -> str:
    """A matrix (or a stack of them) transposed; a vector stays as it is."""
    rank = call.rank(place)
    if rank < 2:
        return call.inputs[place]
    order = [*range(rank - 2), rank - 1, rank - 2]
    return call.builder.emit("Transpose", [call.inputs[place]], name=f"{call.name}/turned", perm=order)


def _reduce(kind: str) -> OnnxRule:
    def rule(call: OnnxCall) -> str:
        axes = call.builder.ints(*call.axes(1, rank=call.rank()))
        keep = int(call.setting("keep_dims"))
        return call.builder.emit(kind, [call.inputs[0], axes], name=call.name, keepdims=keep)

    return rule


def _softmax(kind: str) -> OnnxRule:
    def rule(call: OnnxCall) -> str:
        return call.builder.emit(kind, call.inputs, name=call.name, axis=int(call.setting("axis")))

    return rule


def _normalise_length(call: OnnxCall) -> str:
    """Divided by the root of the sum of squares, which ``eps`` is added to or keeps from being smaller."""
    axes = call.builder.ints(*call.axes(1, rank=call.rank()))
    squares = call.builder.emit("ReduceSumSquare", [call.inputs[0], axes], name=f"{call.name}/squares", keepdims=1)
    kind = "Max" if str(call.setting("eps_mode")).lower() == "max" else "Add"
    smallest = call.builder.number(call.setting("eps"), like=call.type())
    length = call.builder.emit(
        "Sqrt",
        [call.builder.emit(kind, [squares, smallest], name=f"{call.name}/guarded")],
        name=f"{call.name}/length",
    )
    return call.builder.emit("Div", [call.inputs[0], length], name=call.name)


def _mean_variance(call: OnnxCall) -> str:
    """The mean taken away, and where asked for divided by the deviation."""
    builder, x = call.builder, call.inputs[0]
    axes = builder.ints(*call.axes(1, rank=call.rank()))
    mean = builder.emit("ReduceMean", [x, axes], name=f"{call.name}/mean", keepdims=1)
    if not call.setting("normalize_variance"):
        return builder.emit("Sub", [x, mean], name=call.name)
    centred = builder.emit("Sub", [x, mean], name=f"{call.name}/centred")
    square = builder.emit("Mul", [centred, centred], name=f"{call.name}/square")
    variance = builder.emit("ReduceMean", [square, axes], name=f"{call.name}/variance", keepdims=1)
    smallest = builder.number(call.setting("eps"), like=call.type())
    if str(call.setting("eps_mode")).lower() == "inside_sqrt":
        guarded = builder.emit("Add", [variance, smallest], name=f"{call.name}/guarded")
        deviation = builder.emit("Sqrt", [guarded], name=f"{call.name}/deviation")
    else:
        root = builder.emit("Sqrt", [variance], name=f"{call.name}/root")
        deviation = builder.emit("Add", [root, smallest], name=f"{call.name}/deviation")
    return builder.emit("Div", [centred, deviation], name=call.name)


SUMS: dict[str, OnnxRule] = {
    "MatMul": _matmul,
    "Softmax": _softmax("Softmax"),
    "LogSoftmax": _softmax("LogSoftmax"),
    "NormalizeL2": _normalise_length,
    "MVN": _mean_variance,
    **{kind: _reduce(kind) for kind in ("ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL2")},
}
"""OpenVINO's name of the operation, and what writes it."""
