"""Tiny scans: noise that is nearly the same for one seed, so that near-twins can be made."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tumorlens.datasets import Dataset, import_scans, load_dataset
from tumorlens.types import Pixels
from tumorlens.workspace import Workspace


def make_pixels(seed: int, *, jitter: int = 0, size: int = 24) -> Pixels:
    """``(size, size, 3)`` noise, the same for one seed but for small noise from ``jitter``."""
    base = np.random.default_rng(seed).integers(0, 200, (size, size), np.uint8)
    noise = np.random.default_rng([seed, jitter]).integers(0, 8, (size, size), np.uint8)
    return np.repeat((base + noise)[:, :, None], 3, axis=2)


def save_scan(path: Path, seed: int, *, jitter: int = 0) -> Path:
    """Write the PNG of a seed, making its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(make_pixels(seed, jitter=jitter)).save(path)
    return path


@pytest.fixture
def write_scan() -> Callable[..., Path]:
    """:func:`save_scan`."""
    return save_scan


@pytest.fixture(scope="session")
def original_folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two classes, 12 patients each with 3 near-twin slices: ``no/p3_s1.png``."""
    source = tmp_path_factory.mktemp("original") / "source"
    for index, name in enumerate(("no", "yes")):
        for patient in range(12):
            for piece in range(3):
                file = source / name / f"p{patient + 12 * index}_s{piece}.png"
                save_scan(file, 100 * index + patient, jitter=piece)
    return source


@pytest.fixture(scope="session")
def original_dataset(original_folders: Path) -> Dataset:
    """The class folders, imported once with inferred clusters."""
    space = Workspace(original_folders.parent / "workspace")
    return import_scans(original_folders, workspace=space, name="tiny").dataset


@pytest.fixture
def class_folders(tmp_path: Path, original_folders: Path) -> Path:
    """A copy of the class folders, to be changed at will."""
    return shutil.copytree(original_folders, tmp_path / "source")


@pytest.fixture
def dataset(workspace: Workspace, original_dataset: Dataset) -> Dataset:
    """A copy of the imported class folders, in the test's own workspace."""
    shutil.copytree(original_dataset.path, workspace.datasets / "tiny")
    return load_dataset(workspace, "tiny")


@pytest.fixture(scope="session")
def bohaju(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """The study's 3,762 scans, imported once."""
    space = Workspace.locate(tmp_path_factory.mktemp("bohaju")).create()
    started = time.perf_counter()
    result = import_scans(real_data / "bohaju3762", workspace=space, name="bohaju")
    print(f"\nimported 3,762 scans in {time.perf_counter() - started:.1f} s")
    return result.dataset
