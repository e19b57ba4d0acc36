"""A graph as plain data: what is computed, from what, and in which shapes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openvino as ov
import openvino.opset13 as op
import pytest

from tumorlens.errors import IntegrityError
from tumorlens.runtime.graphs import named_result
from tumorlens.runtime.operations import Value, operations_of, read_operations


def test_feature_graph_is_read_whole(feature_ir: Path) -> None:
    graph = read_operations(feature_ir)
    places = {operation.name: place for place, operation in enumerate(graph.operations)}
    assert len(places) == len(graph.operations)  # every name is another one
    for place, operation in enumerate(graph.operations):
        assert all(value.operation < place for value in operation.inputs)
        assert (operation.constant is not None) == (operation.kind == "Constant")
    pixels = graph.operations[places["pixels"]]
    assert (pixels.kind, pixels.shapes, pixels.types) == ("Parameter", ((None, None, None, 3),), ("uint8",))
    assert [output.name for output in graph.outputs] == ["map", "features"]
    assert graph.shape(graph.outputs[1].value) == (None, 5) and graph.type(graph.outputs[1].value) == "float32"


def test_attributes_constants_and_several_outputs() -> None:
    x = op.parameter(ov.PartialShape([-1, 4, 9, 9]), ov.Type.f32, name="x")
    kernel = np.arange(4 * 4 * 9, dtype=np.float32).reshape(4, 4, 3, 3)
    filtered = op.convolution(x, op.constant(kernel), [2, 2], [0, 0], [0, 0], [1, 1], "same_upper")
    parts = op.split(filtered, op.constant(np.int64(1)), 2).outputs()
    named = [named_result(part, name) for part, name in zip(parts, ("left", "right"), strict=True)]
    graph = operations_of(ov.Model(named, [x], "small"))
    by_kind = {operation.kind: operation for operation in graph.operations}
    filtering, splitting = by_kind["Convolution"], by_kind["Split"]
    assert list(filtering.attributes["pads_begin"]) == [1, 1] == list(filtering.attributes["pads_end"])
    np.testing.assert_array_equal(graph.source(filtering.inputs[1]).constant, kernel)
    assert splitting.shapes == ((None, 2, 5, 5), (None, 2, 5, 5))
    place = graph.operations.index(splitting)
    assert [(output.name, output.value) for output in graph.outputs] == [
        ("left", Value(place, 0)),
        ("right", Value(place, 1)),
    ]


def test_same_names_are_told_apart() -> None:
    x = op.parameter(ov.PartialShape([-1, 3]), ov.Type.f32, name="x")
    once, twice = op.relu(x), op.relu(op.negative(x))
    for node in (once, twice):
        node.set_friendly_name("activation")
    graph = operations_of(ov.Model([named_result(op.add(once, twice), "sum")], [x], "small"))
    names = [operation.name for operation in graph.operations]
    assert len(set(names)) == len(names) and sum(name.startswith("activation") for name in names) == 2


def test_damaged_graph_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.xml").write_text("<net", "utf-8")
    with pytest.raises(IntegrityError, match="missing or damaged"):
        read_operations(tmp_path / "model.xml")
