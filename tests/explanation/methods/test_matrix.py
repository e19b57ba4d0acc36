"""Every method on several networks, and Grad-CAM against the graph's own map."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tumorlens.backbones import find_backbone, resolve_weights
from tumorlens.errors import InputError
from tumorlens.explanation.methods import METHODS, Cam, GradCam, ModelFiles
from tumorlens.extras import has_extra
from tumorlens.runtime import Calibration, attach_head, build_keras_bundle_model, feature_graph

needs_tensorflow = pytest.mark.skipif(not has_extra("train"), reason="Grad-CAM needs the extra 'train'")
SIZE = 96
NETWORKS = ("efficientnet-lite0", "mobilenetv2")
HEADS = {"linear": ((2,), False), "one ReLU": ((8, 3), False), "flat": ((8, 2), True)}
SCANS = list(np.random.default_rng(0).integers(0, 256, (3, 80, 64, 3), dtype=np.uint8))


@pytest.fixture(scope="module")
def models(tmp_path_factory, make_head):
    """Makes the bundle files of a network and a head, each once."""
    made: dict[tuple[str, str], ModelFiles] = {}
    cache = tmp_path_factory.mktemp("networks")

    def model(network: str, kind: str) -> ModelFiles:
        if (network, kind) not in made:
            spec, folder = find_backbone(network), cache / f"{network}-{kind}"
            weights = resolve_weights(spec, weights="random" if spec.source == "keras" else None)
            graph = feature_graph(spec, weights, size=SIZE, cache=cache)
            widths, flat = HEADS[kind]
            height, width, channels = graph.map_shape
            head = make_head(channels * (height * width if flat else 1), *widths, flat=flat)
            attach_head(graph.path, head, calibration=Calibration(2.0), out=folder / "model.xml")
            keras: Path = folder / "model.keras"
            build_keras_bundle_model(spec, weights, size=SIZE, head=head, calibration=Calibration(2.0), out=keras)
            made[network, kind] = ModelFiles(folder / "model.xml", keras)
        return made[network, kind]

    return model


@needs_tensorflow
@pytest.mark.slow
@pytest.mark.parametrize("kind", HEADS)
@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("method", METHODS)
def test_every_method_maps_every_network_and_head(models, method: str, network: str, kind: str) -> None:
    model = models(network, kind)
    first, second = (METHODS[method](model).evidence(SCANS, targets=[target] * 3) for target in (0, 1))
    for one, other in zip(first, second, strict=True):
        assert one.shape == other.shape and one.ndim == 2 and one.dtype == np.float32
        assert np.isfinite(one).all()
        assert np.ptp(one) > 0 or (method, network) == ("occlusion", "mobilenetv2")  # untrained: it may not move
        if kind != "one ReLU":  # two classes are opposites
            np.testing.assert_allclose(one, -other, atol=1e-5 * np.abs(one).max())


@needs_tensorflow
@pytest.mark.slow
@pytest.mark.parametrize("kind", [kind for kind, (_, flat) in HEADS.items() if not flat])
@pytest.mark.parametrize("network", NETWORKS)
def test_gradcam_of_pooled_features_is_the_graphs_map_over_the_positions(models, network: str, kind: str) -> None:
    model = models(network, kind)
    for ours, keras in zip(
        Cam(model).evidence(SCANS, targets=[0, 1, 1]), GradCam(model).evidence(SCANS, targets=[0, 1, 1]), strict=True
    ):
        np.testing.assert_allclose(keras * ours.size, ours, rtol=0, atol=2e-4 * np.abs(ours).max())


@needs_tensorflow
@pytest.mark.slow
def test_gradcam_of_a_flat_head_is_another_map(models) -> None:
    model = models("efficientnet-lite0", "flat")
    ours, keras = (method(model).evidence(SCANS[:1], targets=[1])[0] for method in (Cam, GradCam))
    assert abs(np.corrcoef(ours.ravel(), keras.ravel())[0, 1]) < 0.999


@needs_tensorflow
def test_gradcam_of_a_run_is_its_map_up_to_a_positive_factor(tiny_comparison) -> None:
    bundle = tiny_comparison.best_run.bundle
    model = ModelFiles(bundle / "model.xml", bundle / "model.keras")
    (ours,), (keras,) = (method(model).evidence(SCANS[:1], targets=[1]) for method in (Cam, GradCam))
    np.testing.assert_allclose(keras * ours.size, ours, rtol=0, atol=2e-4 * np.abs(ours).max())


@needs_tensorflow
def test_gradcam_without_keras_model_or_with_a_strange_one_is_refused(tiny_comparison, tmp_path) -> None:
    graph = tiny_comparison.best_run.bundle / "model.xml"
    with pytest.raises(InputError, match=r"needs a bundle with its \.keras"):
        GradCam(ModelFiles(graph)).evidence(SCANS, targets=[0, 0, 0])


@pytest.mark.skipif(has_extra("train"), reason="the extra 'train' is installed")
def test_gradcam_names_the_extra(tiny_comparison) -> None:
    from tumorlens.errors import MissingExtraError

    with pytest.raises(MissingExtraError, match=r"tumorlens\[train\]"):
        GradCam(ModelFiles(tiny_comparison.best_run.bundle / "model.xml")).evidence(SCANS, targets=[0, 0, 0])
