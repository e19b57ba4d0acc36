from __future__ import annotations

import numpy as np
import openvino as ov
import openvino.opset13 as op
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tumorlens.backbones import BACKBONES
from tumorlens.backbones.preprocessing import CAFFE, HALF_RANGE, TF, TORCH, Preprocessing
from tumorlens.runtime.graphs import PooledNormalisation, build_feature_graph, preprocess_pixels


def preprocess(pixels: np.ndarray, size: int | tuple[int, int], steps: Preprocessing | None) -> np.ndarray:
    """What the preprocessing operations alone compute."""
    parameter = op.parameter(ov.PartialShape([-1, -1, -1, 3]), ov.Type.u8)
    model = ov.Model([op.result(preprocess_pixels(parameter, size=size, preprocessing=steps))], [parameter], "p")
    compiled = ov.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return np.array(compiled(pixels)[0])


def resize_by_hand(pixels: np.ndarray, height: int, width: int) -> np.ndarray:
    """Bilinear with half-pixel centres, edges repeated, no antialiasing."""

    def weights(source: int, target: int) -> np.ndarray:
        matrix = np.zeros((target, source))
        for i in range(target):
            centre = (i + 0.5) * source / target - 0.5
            low = int(np.floor(centre))
            for j, weight in ((low, 1 - (centre - low)), (low + 1, centre - low)):
                matrix[i, min(max(j, 0), source - 1)] += weight
        return matrix

    rows, columns = weights(pixels.shape[1], height), weights(pixels.shape[2], width)
    return np.einsum("ij,njkc,lk->nilc", rows, pixels.astype(float), columns)


BY_HAND = {
    CAFFE: lambda x: x[..., ::-1] - np.array([103.939, 116.779, 123.68]),
    TF: lambda x: x / 127.5 - 1,
    TORCH: lambda x: (x / 255 - np.array([0.485, 0.456, 0.406])) / np.array([0.229, 0.224, 0.225]),
    HALF_RANGE: lambda x: x / 128 - 1,
}


def coloured_noise(height: int, width: int) -> np.ndarray:
    noise = np.random.default_rng(height).integers(0, 256, (2, height, width, 3))
    return (noise // np.array([1, 2, 3])).astype(np.uint8)


def test_the_table_has_every_convention_in_use() -> None:
    assert {spec.preprocessing for spec in BACKBONES.values()} == set(BY_HAND)


@pytest.mark.parametrize("steps", BY_HAND, ids=lambda steps: steps.name)
def test_preprocessed_tensor_is_the_documented_one(steps: Preprocessing) -> None:
    pixels = coloured_noise(9, 7)
    ours = preprocess(pixels, (9, 7), steps)
    np.testing.assert_allclose(ours, BY_HAND[steps](pixels.astype(float)), rtol=1e-5, atol=2e-5)
    assert ours.dtype == np.float32


def test_same_size_is_the_exact_identity() -> None:
    pixels = coloured_noise(31, 31)
    np.testing.assert_array_equal(preprocess(pixels, 31, None), pixels.astype(np.float32))


@settings(max_examples=15, deadline=None)
@given(st.integers(2, 20), st.integers(2, 20), st.integers(2, 20))
def test_resize_is_half_pixel_bilinear(height: int, width: int, size: int) -> None:
    pixels = coloured_noise(height, width)
    np.testing.assert_allclose(preprocess(pixels, size, None), resize_by_hand(pixels, size, size), atol=2e-3)


def test_normalisation_after_pooling_is_linear_in_the_map() -> None:
    rng = np.random.default_rng(5)
    images = op.parameter([-1, 4, 4, 3], ov.Type.f32)
    body = ov.Model([op.result(op.multiply(images, op.constant(np.float32(0.5))))], [images], "body")
    norm = PooledNormalisation(
        gamma=rng.normal(size=3).astype(np.float32), beta=rng.normal(size=3).astype(np.float32), epsilon=1e-6
    )
    graph = build_feature_graph(body, size=4, preprocessing=None, pooled_normalisation=norm)
    pixels = coloured_noise(4, 4)
    compiled = ov.Core().compile_model(graph, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    outputs = compiled(pixels)
    pooled = (pixels * 0.5).mean((1, 2))
    deviation = np.sqrt(pooled.var(1, keepdims=True) + 1e-6)
    expected = (pooled - pooled.mean(1, keepdims=True)) / deviation * norm.gamma + norm.beta
    np.testing.assert_allclose(outputs["features"], expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(outputs["map"].mean((1, 2)), expected, rtol=1e-4, atol=1e-5)
