"""A graph in OpenVINO's operations becomes an ONNX model. Needs the extra ``export``."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version

import onnx
from onnx import helper

from tumorlens.bundles.exporting.onnx_builder import OnnxBuilder, element_type
from tumorlens.bundles.exporting.onnx_rules import ONNX_RULES
from tumorlens.errors import InputError
from tumorlens.runtime.operations import OperationGraph, Shape

__all__ = ["OPSET", "onnx_model"]

OPSET = 18
"""Version of the operators; every onnxruntime since 1.14 has it."""

_IR_VERSION = 8
_FREE = ("batch", "height", "width")
_MOST_BYTES = 2**31 - 1


def onnx_model(graph: OperationGraph, *, metadata: Mapping[str, str], doc: str) -> onnx.ModelProto:
    """Translate ``graph``.

    Args:
        graph: The graph; its inputs and outputs keep their names, its free axes stay free.
        metadata: What is held in the file beside it.
        doc: What the model is, in words.

    Raises:
        InputError: It holds an operation that has no translation, or is larger than an ONNX file can be.
    """
    builder = OnnxBuilder()
    inputs = [each for each in graph.operations if each.kind == "Parameter"]
    given = {each.name: builder.name(each.name) for each in inputs}
    reserved = {output.name: builder.name(output.name) for output in graph.outputs}
    found = ONNX_RULES.translate(graph, builder, given=given)
    for name, value in found.items():
        builder.nodes.append(helper.make_node("Identity", [value], [reserved[name]], name=f"output/{name}"))
    made = helper.make_graph(
        builder.nodes,
        "tumorlens",
        [_described(each.name, each.types[0], each.shapes[0]) for each in inputs],
        [_described(each.name, graph.type(each.value), graph.shape(each.value)) for each in graph.outputs],
        initializer=_used(builder),
    )
    model = helper.make_model(
        made,
        producer_name="tumorlens",
        producer_version=version("tumorlens"),
        doc_string=doc,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=_IR_VERSION,
    )
    helper.set_model_props(model, dict(metadata))
    if model.ByteSize() > _MOST_BYTES:
        raise InputError(
            f"The model takes {model.ByteSize() / 1e9:.1f} GB, but one ONNX file holds at most 2.1: "
            "choose --format openvino."
        )
    return model


def _used(builder: OnnxBuilder) -> list[onnx.TensorProto]:
    """The constants that a node takes; others, such as axes, went into attributes."""
    taken = {name for node in builder.nodes for name in node.input}
    return [each for each in builder.constants if each.name in taken]


def _described(name: str, kind: str, shape: Shape) -> onnx.ValueInfoProto:
    axes = [_FREE[place] if length is None and place < len(_FREE) else length for place, length in enumerate(shape)]
    return helper.make_tensor_value_info(name, element_type(kind), axes)
