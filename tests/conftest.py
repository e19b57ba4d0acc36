"""What all tests share: where the real scans lie, and a workspace of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

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
