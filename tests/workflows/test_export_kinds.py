"""Bundles of every kind in every format: slow, since each model is trained and most formats need a child process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import tumorlens as tl
from tumorlens.errors import InputError
from tumorlens.extras import has_extra
from tumorlens.training import Recipe
from tumorlens.workflows.compare import CompareSettings, compare_networks
from tumorlens.workflows.fine_tune import FineTuneSettings
from tumorlens.workflows.runs import RunRecord
from tumorlens.workflows.scratch import ScratchSettings

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not has_extra("train"), reason="most of these models are trained by TensorFlow"),
    pytest.mark.skipif(not has_extra("export"), reason="ONNX is written by the extra 'export'"),
]

_NETWORK = {"backbones": ("efficientnet-lite0",), "size": 64}
_SHORT = Recipe(epochs=2, batch_size=16)
_SETTINGS = {
    "linear": lambda: CompareSettings(**_NETWORK),
    "mlp": lambda: CompareSettings(**_NETWORK, heads=("mlp",)),
    "study": lambda: CompareSettings(**_NETWORK, heads=("study",)),
    "int8": lambda: CompareSettings(**_NETWORK, precision="int8"),
    "normalises after pooling": lambda: CompareSettings(backbones=("convnexttiny",), size=64, weights=("random",)),
    "fine-tuned": lambda: CompareSettings(
        **_NETWORK, heads=(), fine_tune=FineTuneSettings(fine_tune="last", views=1, recipe=_SHORT), crop="brain"
    ),
    "scratch": lambda: CompareSettings(backbones=(), size=64, from_scratch=ScratchSettings(recipe=_SHORT)),
}


@pytest.fixture(scope="module")
def trained(tiny_study) -> Callable[[str], RunRecord]:
    """Trains a model of a kind; the same work is found again."""

    def train(kind: str) -> RunRecord:
        if kind == "ensemble":
            members = [train("linear"), train("study")]
            return tl.ensemble(members, take_all=True, workspace=tiny_study.workspace.root).run
        result = compare_networks(tiny_study.dataset, _SETTINGS[kind](), workspace=tiny_study.workspace)
        return result.runs[-1]

    return train


@pytest.mark.parametrize("name", ["onnx", "openvino", "keras", "tflite"])
@pytest.mark.parametrize("kind", [*_SETTINGS, "ensemble"])
def test_answers_are_the_bundle_s(trained, tmp_path: Path, kind: str, name: str) -> None:
    if kind == "int8" and not has_extra("int8"):
        pytest.skip("networks are quantised by the extra 'int8'")
    run = trained(kind)
    if kind == "int8" and name == "keras":
        with pytest.raises(InputError, match="computes in int8, and a Keras model would answer otherwise"):
            tl.export_bundle(run, name, out=tmp_path)
        assert not list(tmp_path.iterdir())
        return
    result = tl.export_bundle(run, name, out=tmp_path)
    assert [file.parent for file in result.files] == [tmp_path] * len(result.files)
    found = result.parity["differences"]
    limit = 0.25 if kind == "int8" and name != "openvino" else 1e-4
    assert found["probability"]["largest"] < limit and found["probability_spread"] > 1e-3
    if kind == "fine-tuned":
        assert "crop=brain" in result.not_in_graph[0]
    if kind == "int8" and name != "openvino":
        assert "computes in int8" in result.not_in_graph[-1] and result.parity["precision"] == "int8"
