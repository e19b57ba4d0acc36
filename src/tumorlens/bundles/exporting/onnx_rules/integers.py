"""Networks in 8-bit integers: what OpenVINO computes at a quantised place, spelt out in floating point."""

from __future__ import annotations

from tumorlens.bundles.exporting.onnx_call import OnnxCall, OnnxRule

__all__ = ["INTEGERS"]


def _fake_quantise(call: OnnxCall) -> str:
    """Clipped to the input range, rounded to one of the levels, and laid on the output range."""
    builder, name = call.builder, call.name
    x, low, high, out_low, out_high = call.inputs
    steps = builder.number(call.setting("levels") - 1, like=call.type())
    above = builder.emit("Max", [x, low], name=f"{name}/above")
    clipped = builder.emit("Min", [above, high], name=f"{name}/clipped")
    rounded = builder.emit("Round", [_scaled(call, clipped, low, (low, high), steps, "level")], name=f"{name}/rounded")
    share = builder.emit("Div", [rounded, steps], name=f"{name}/share")
    width = builder.emit("Sub", [out_high, out_low], name=f"{name}/width")
    return builder.emit("Add", [builder.emit("Mul", [share, width], name=f"{name}/laid"), out_low], name=name)


def _scaled(call: OnnxCall, x: str, start: str, ends: tuple[str, str], steps: str, what: str) -> str:
    """How many steps ``x`` lies above ``start``."""
    builder, name = call.builder, f"{call.name}/{what}"
    step = builder.emit(
        "Div", [builder.emit("Sub", [ends[1], ends[0]], name=f"{name}.range"), steps], name=f"{name}.step"
    )
    return builder.emit("Div", [builder.emit("Sub", [x, start], name=f"{name}.above"), step], name=name)


INTEGERS: dict[str, OnnxRule] = {"FakeQuantize": _fake_quantise}
"""OpenVINO's name of the operation, and what writes it."""
