"""Every translation into ONNX against OpenVINO, operation by operation."""

from __future__ import annotations

import numpy as np
import openvino as ov
import openvino.opset13 as op
import pytest

from tumorlens.errors import InputError
from tumorlens.runtime.graphs import named_result
from tumorlens.runtime.operations import operations_of

onnx = pytest.importorskip("onnx", reason="ONNX is written by the extra 'export'")
onnxruntime = pytest.importorskip("onnxruntime", reason="ONNX is run by the extra 'export'")


def translated(graph: ov.Model):
    from tumorlens.bundles.exporting.onnx_graph import onnx_model

    model = onnx_model(operations_of(graph), metadata={"labels": '["a"]'}, doc="small")
    onnx.checker.check_model(model, full_check=True)
    return model


def run(model, feeds: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, feeds), strict=True))


def test_operation_is_that_of_openvino(small, small_graph, noise_batch) -> None:
    wanted = small.reference(small_graph())
    found = run(translated(small_graph()), {"x": noise_batch})
    assert found.keys() == wanted.keys()
    for name, values in wanted.items():
        assert found[name].dtype == values.dtype and found[name].shape == values.shape
        scale = max(float(np.abs(values).max()), 1e-3)
        np.testing.assert_allclose(found[name], values, atol=2e-6 * scale)


def test_every_rule_is_met_by_a_small_graph(small) -> None:
    from tumorlens.bundles.exporting.onnx_rules import ONNX_RULES

    met = {each.kind for build in small.GRAPHS.values() for each in operations_of(build()).operations}
    assert set(ONNX_RULES.kinds) - met == set()


def test_free_batch_and_metadata(small, noise_batch) -> None:
    model = translated(small.GRAPHS["convolution"]())
    batch = model.graph.input[0].type.tensor_type.shape.dim[0]
    assert batch.dim_param == "batch"
    assert {each.key: each.value for each in model.metadata_props} == {"labels": '["a"]'}
    one, two = (run(model, {"x": noise_batch[:count]})["y0"] for count in (1, 2))
    np.testing.assert_allclose(one[0], two[0], atol=1e-5)


def _one(make) -> ov.Model:
    x = op.parameter(ov.PartialShape([-1, 4, 9, 11]), ov.Type.f32, name="x")
    x.output(0).set_names({"x"})
    return ov.Model([named_result(make(x), "y0")], [x], "small")


def test_unknown_operation_is_named() -> None:
    graph = _one(lambda x: op.cum_sum(x, op.constant(np.int64(1))))
    with pytest.raises(InputError, match="ONNX export knows no translation of the operation CumSum"):
        translated(graph)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda x: op.pad(x, np.array([0, 0, 1, 1]), np.array([0, 0, 1, 1]), "symmetric"), "its padding is symmetric"),
        (
            lambda x: op.interpolate(x, np.array([5, 5]), "nearest", "sizes", axes=np.array([2, 3])),
            "its mode is nearest",
        ),
        (
            lambda x: op.interpolate(
                x,
                np.array([5, 5]),
                "linear_onnx",
                "sizes",
                coordinate_transformation_mode="align_corners",
                axes=np.array([2, 3]),
            ),
            "its coordinate_transformation_mode is align_corners",
        ),
    ],
    ids=["padding", "nearest", "corners"],
)
def test_settings_without_counterpart_are_refused(make, reason) -> None:
    with pytest.raises(InputError, match=reason):
        translated(_one(make))
