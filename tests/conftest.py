"""What all tests share: where the real scans lie, and a workspace of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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


@pytest.fixture(scope="session")
def run_with_tensorflow() -> Callable[[Path, Sequence[str]], list[Any]]:
    """Runs a script in a child process with TensorFlow, given words; what it printed, a JSON value a line."""

    def run(script: Path, words: Sequence[str]) -> list[Any]:
        process = subprocess.run(
            [sys.executable, str(script), *words],
            env={
                **os.environ,
                "KERAS_BACKEND": "tensorflow",
                "TF_CPP_MIN_LOG_LEVEL": "2",
                "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert process.returncode == 0, process.stderr[-2000:]
        return [json.loads(line) for line in process.stdout.splitlines()]

    return run


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
