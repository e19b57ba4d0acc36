"""On real scans, where they lie beside the project: a fixed subset where a network is involved."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tumorlens.datasets import import_scans
from tumorlens.workflows.compare import CompareSettings, compare_networks
from tumorlens.workspace import Workspace

pytestmark = pytest.mark.realdata

_SUBSET = 300


@pytest.fixture(scope="module")
def subset(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, Path]:
    """Every twelfth scan, 300 in all, imported with inferred clusters."""
    folder = tmp_path_factory.mktemp("subset")
    source = real_data / "bohaju3762"
    with (source / "BrainTumor.csv").open() as file:
        rows = [(row["Image"], row["Class"]) for row in csv.DictReader(file)][::12][:_SUBSET]
    images = folder / "images"
    images.mkdir()
    for name, _ in rows:
        (images / f"{name}.jpg").write_bytes((source / "images" / f"{name}.jpg").read_bytes())
    with (folder / "labels.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("Image", "Class"), *rows])
    workspace = Workspace.locate(folder / "workspace").create()
    names = {"0": "no_tumor", "1": "tumor"}
    import_scans(images, workspace=workspace, name="subset", labels=folder / "labels.csv", class_names=names)
    return workspace, folder


@pytest.mark.slow
def test_pretrained_network_beats_both_baselines(subset) -> None:
    workspace, _ = subset
    result = compare_networks("subset", CompareSettings(backbones=("efficientnet-lite0",)), workspace=workspace)
    majority, trivial, network = result.comparison.rows
    assert majority.test_accuracy < 0.75
    assert network.test_roc_auc > trivial.test_roc_auc > 0.7
    assert not network.collapsed


@pytest.mark.slow
def test_vgg16_with_weights_from_a_file(subset, real_weights: Path) -> None:
    workspace, _ = subset
    settings = CompareSettings(backbones=("vgg16",), weights_dir=real_weights, size=96)
    result = compare_networks("subset", settings, workspace=workspace)
    (row,) = [row for row in result.comparison.rows if row.kind == "backbone"]
    assert row.weights == "file" and "not the published file" in row.note
    assert row.test_roc_auc > 0.75
