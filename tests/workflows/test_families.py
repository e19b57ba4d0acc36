"""Networks of several families go the whole way, with random weights and with files that Keras saved."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tumorlens.backbones import BACKBONES, BackboneSpec
from tumorlens.bundles import Predictor
from tumorlens.workflows.compare import CompareSettings, compare_networks

_SIZE = 96
_SOME = ("resnet50", "convnexttiny", "nasnetmobile")
"""A plain network, one that normalises after pooling, and one whose cells have many branches."""

_SAVE = """
import json, sys
import keras
for builder, path in json.loads(sys.argv[1]):
    getattr(keras.applications, builder)(include_top=False, weights=None).save_weights(path)
"""


def _smallest_of_each_family() -> list[BackboneSpec]:
    families: dict[str, BackboneSpec] = {}
    for spec in BACKBONES.values():
        if spec.source == "keras" and spec.minimum_size <= _SIZE:
            best = families.setdefault(spec.family, spec)
            if spec.parameters < best.parameters:
                families[spec.family] = spec
    families["ResNet"] = BACKBONES["resnet50"]
    families["EfficientNet"] = BACKBONES["efficientnetb0"]
    return list(families.values())


@pytest.mark.slow
def test_some_families_with_weights_saved_by_keras(tiny_study, tmp_path: Path) -> None:
    compare([BACKBONES[name] for name in _SOME], tiny_study, tmp_path)


@pytest.mark.registry
def test_every_family_with_weights_saved_by_keras(tiny_study, tmp_path: Path) -> None:
    specs = _smallest_of_each_family()
    assert {spec.family for spec in specs} == {spec.family for spec in BACKBONES.values() if spec.source == "keras"}
    compare(specs, tiny_study, tmp_path)


def compare(specs: list[BackboneSpec], tiny_study, tmp_path: Path) -> None:
    """Save random weights by Keras, compare the networks with them, and let each bundle predict."""
    files = {spec.name: str(tmp_path / f"{spec.name}.weights.h5") for spec in specs}
    wanted = json.dumps([(spec.builder, files[spec.name]) for spec in specs])
    environment = {**os.environ, "KERAS_BACKEND": "openvino"}
    subprocess.run([sys.executable, "-c", _SAVE, wanted], env=environment, check=True, capture_output=True)
    settings = CompareSettings(
        backbones=tuple(files), weights=tuple(f"{name}={path}" for name, path in files.items()), size=_SIZE
    )
    result = compare_networks(tiny_study.dataset, settings, workspace=tiny_study.workspace)
    assert [run.row.backbone for run in result.runs] == list(files)
    scan = tiny_study.folder / "images" / tiny_study.dataset.manifest["source"][3]
    for run in result.runs:
        assert run.row.weights == "file" and "not the published file" in run.row.note
        assert sum(Predictor(run.bundle).predict(scan).probabilities.values()) == pytest.approx(1.0, abs=1e-5)


@pytest.mark.slow
def test_resnet50_and_efficientnetb0_with_random_weights(tiny_study) -> None:
    settings = CompareSettings(backbones=("resnet50", "efficientnetb0"), weights=("random",), size=_SIZE)
    result = compare_networks(tiny_study.dataset, settings, workspace=tiny_study.workspace)
    assert [run.row.weights for run in result.runs] == ["random", "random"]
    assert "random weights" in result.comparison.marks
