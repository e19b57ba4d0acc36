"""EfficientNet-Lite0 against the original implementation, and what holds for every converted network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tumorlens.backbones import find_backbone, read_checkpoint, resolve_weights
from tumorlens.errors import InputError
from tumorlens.runtime import CompiledGraph, FeatureGraph, compile_graph, feature_graph, graph_cache

GOLDEN = Path(__file__).parents[1] / "backbones" / "golden" / "efficientnet-lite0.npz"
SPEC = find_backbone("efficientnet-lite0")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("graphs")


@pytest.fixture(scope="module")
def graph(cache: Path) -> FeatureGraph:
    return feature_graph(SPEC, resolve_weights(SPEC), size=224, cache=cache)


@pytest.fixture(scope="module")
def compiled(graph: FeatureGraph) -> CompiledGraph:
    return compile_graph(graph)


def synthetic_picture(size: int = 224) -> np.ndarray:
    """Ramps, rings and checks, a different one in each channel."""
    y, x = np.mgrid[0:size, 0:size].astype(np.int64)
    channels = ((x * 5 + y * 3) % 256, (x * x // 97 + y * 7) % 256, (x * y // 53 + (x // 16 + y // 16) % 2 * 90) % 256)
    return np.stack(channels, axis=-1).astype(np.uint8)


def classifier(features: np.ndarray) -> np.ndarray:
    """The checkpoint's own classification layer."""
    path = resolve_weights(SPEC).path
    assert path is not None
    tensors = read_checkpoint(path)
    return features @ tensors["_fc.weight"].T + tensors["_fc.bias"]


def test_features_are_those_of_the_original_implementation(compiled: CompiledGraph) -> None:
    ours = compiled.run(synthetic_picture())["features"]
    golden = np.load(GOLDEN)
    assert np.linalg.norm(ours[0] - golden["features"]) < 1e-4 * np.linalg.norm(golden["features"])
    assert np.linalg.norm(classifier(ours)[0] - golden["logits"]) < 1e-4 * np.linalg.norm(golden["logits"])


def test_the_summer_palace_is_recognised(compiled: CompiledGraph) -> None:
    datasets = pytest.importorskip("sklearn.datasets")
    logits = classifier(compiled.run(datasets.load_sample_image("china.jpg"))["features"])[0]
    bell_cote, church, dome, palace = 442, 497, 538, 698
    assert {bell_cote, church, dome, palace} <= set(np.argsort(logits)[-6:].tolist())


def test_map_means_to_features_for_any_batch(graph: FeatureGraph, compiled: CompiledGraph) -> None:
    scans = np.random.default_rng(0).integers(0, 256, (3, 200, 180, 3), dtype=np.uint8)
    outputs = compiled.run(scans)
    assert outputs["map"].shape == (3, *graph.map_shape)
    assert outputs["features"].shape == (3, graph.width) == (3, SPEC.width)
    np.testing.assert_allclose(outputs["map"].mean((1, 2)), outputs["features"], atol=1e-5)


def test_the_file_itself_takes_batches(graph: FeatureGraph, compiled: CompiledGraph) -> None:
    import openvino as ov

    scans = np.random.default_rng(1).integers(0, 256, (2, 224, 224, 3), dtype=np.uint8)
    model = ov.Core().compile_model(graph.path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    np.testing.assert_allclose(model(scans)["features"], compiled.run(scans)["features"], atol=1e-4)


def test_second_call_starts_no_child(graph: FeatureGraph, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph_cache, "run_job", None)
    assert feature_graph(SPEC, resolve_weights(SPEC), size=224, cache=cache) == graph
    assert sorted(path.name for path in graph.path.parent.iterdir()) == ["graph.bin", "graph.json", "graph.xml"]


def test_a_damaged_or_half_written_graph_is_made_again(
    graph: FeatureGraph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def convert(task: str, request: dict, *, folder: Path, purpose: str) -> dict:
        for suffix in (".xml", ".bin"):
            (folder / "graph").with_suffix(suffix).write_bytes(graph.path.with_suffix(suffix).read_bytes())
        return {"weights_digest": graph.weights_digest, "map_shape": list(graph.map_shape), "notes": []}

    monkeypatch.setattr(graph_cache, "run_job", convert)
    first = feature_graph(SPEC, resolve_weights(SPEC), size=224, cache=tmp_path)
    for damage in ("graph.bin", "graph.xml", "graph.json"):
        (first.path.parent / damage).write_bytes(b"{}")
        assert feature_graph(SPEC, resolve_weights(SPEC), size=224, cache=tmp_path) == first
    assert first.digest == graph.digest
    assert len(list(tmp_path.iterdir())) == 1


def test_a_failed_conversion_leaves_nothing(tmp_path: Path) -> None:
    wrong = tmp_path / "weights.h5"
    wrong.write_bytes(b"not HDF5")
    spec, cache = find_backbone("mobilenetv3small"), tmp_path / "cache"
    with pytest.raises(InputError, match="weights file that Keras wrote") as caught:
        feature_graph(spec, resolve_weights(spec, weights=wrong), size=32, cache=cache)
    assert "\n" not in str(caught.value)
    assert list(cache.iterdir()) == []


def test_a_size_too_small_is_refused_at_once(tmp_path: Path) -> None:
    spec = find_backbone("inceptionv3")
    with pytest.raises(InputError, match="at least 75 pixels"):
        feature_graph(spec, resolve_weights(spec, weights="random"), size=74, cache=tmp_path)
