"""What all tests share: where the real scans lie, and a workspace of their own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from tumorlens.datasets import Dataset
from tumorlens.datasets.synthesis import SynthesisSettings, synthesize
from tumorlens.workflows.compare import CompareSettings, ComparisonResult, compare_networks
from tumorlens.workflows.synthesis import import_synthetic
from tumorlens.workspace import Workspace

_SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder with the real data sets; skips where it is absent."""
    folder = _SHARED / "data"
    if not folder.is_dir():
        pytest.skip(f"real scans are not at {folder}")
    return folder


@pytest.fixture(scope="session")
def real_weights() -> Path:
    """Folder with real pretrained weights; skips where it is absent."""
    folder = _SHARED / "weights"
    if not folder.is_dir():
        pytest.skip(f"real weights are not at {folder}")
    return folder


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """An empty workspace."""
    return Workspace.locate(tmp_path / "workspace").create()


@dataclass(frozen=True)
class TinyStudy:
    """A small synthetic data set in a workspace of its own, with the folder it was imported from."""

    workspace: Workspace
    dataset: Dataset
    folder: Path


TINY_SIZE = 64
"""Side of the networks' input in tests, pixels."""


@pytest.fixture(scope="session")
def tiny_study(tmp_path_factory: pytest.TempPathFactory) -> TinyStudy:
    """Sixteen virtual patients with four slices each, imported by patient; a planted mark makes it an easy task."""
    root = tmp_path_factory.mktemp("tiny")
    workspace = Workspace.locate(root / "workspace").create()
    settings = SynthesisSettings(patients=16, slices_each=4, size=TINY_SIZE, seed=1, shortcut=True)
    folder = synthesize(root / "scans", settings)
    return TinyStudy(workspace, import_synthetic(folder, "tiny", workspace=workspace), folder)


@pytest.fixture(scope="session")
def tiny_comparison(tiny_study: TinyStudy) -> ComparisonResult:
    """EfficientNet-Lite0 with a linear head on the small data set."""
    settings = CompareSettings(backbones=("efficientnet-lite0",), size=TINY_SIZE)
    return compare_networks(tiny_study.dataset, settings, workspace=tiny_study.workspace)
