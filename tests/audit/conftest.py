"""Textured heads with known twins, in a published layout; and data sets whose every fact a test decides."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from tumorlens.datasets import Dataset, DatasetRecord, ImportFlow, import_scans, open_pixel_store
from tumorlens.datasets.dataset import PIXEL_FOLDER
from tumorlens.types import Pixels
from tumorlens.workspace import Workspace

_SIDE = 144


def twin_picture(seed: int, *, drift: float = 0.0) -> Image.Image:
    """A head of random texture, 144 x 144; with ``drift``, mostly in the detail, it becomes a neighbouring slice."""
    coarse, fine = _texture(np.random.default_rng(seed))
    other_coarse, other_fine = _texture(np.random.default_rng([seed, 1]))
    field = coarse + drift * other_coarse + 0.4 * (fine + 4 * drift * other_fine)
    down, across = np.mgrid[-1 : 1 : _SIDE * 1j, -1 : 1 : _SIDE * 1j]
    head = (down / 0.85) ** 2 + (across / 0.7) ** 2 < 1
    values = np.clip(110 + 55 * field / field[head].std(), 20, 235)
    return Image.fromarray(np.where(head, values, 0).astype(np.uint8))


def _texture(rng: np.random.Generator) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Coarse and fine texture, each of spread 1."""
    coarse = gaussian_filter(rng.normal(size=(_SIDE, _SIDE)), 9)
    fine = gaussian_filter(rng.normal(size=(_SIDE, _SIDE)), 1.2)
    return coarse / coarse.std(), fine / fine.std()


@pytest.fixture(name="twin_picture", scope="session")
def _twin_picture() -> Callable[..., Image.Image]:
    """:func:`twin_picture`."""
    return twin_picture


def twin_save(picture: Image.Image, path: Path, **options: int) -> None:
    """Write a picture, making its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path, **options)  # type: ignore[arg-type]


@dataclass(frozen=True)
class TwinStudy:
    """A data set with known twins, and where it is."""

    workspace: Workspace
    dataset: Dataset

    def row(self, source: str) -> int:
        """The row of a source."""
        return self.dataset.manifest["source"].tolist().index(source)


@pytest.fixture(scope="session")
def twin_study(tmp_path_factory: pytest.TempPathFactory) -> TwinStudy:
    """Ten training scans; a test part with an exact copy, two copies, a mirrored one, a neighbour and four strangers.

    ``Testing/b/relabelled.jpg`` is a copy of ``Training/a/4.png``: the labels disagree.
    """
    root = tmp_path_factory.mktemp("twins")
    for seed in range(10):
        twin_save(twin_picture(seed), root / "scans" / "Training" / ("a" if seed < 5 else "b") / f"{seed}.png")
    test = root / "scans" / "Testing"
    twin_save(twin_picture(0), test / "a" / "same.png")
    twin_save(twin_picture(1).resize((110, 110)), test / "a" / "smaller.jpg", quality=70)
    twin_save(twin_picture(2).transpose(Image.Transpose.FLIP_LEFT_RIGHT), test / "a" / "mirrored.jpg", quality=80)
    twin_save(twin_picture(3, drift=0.2), test / "a" / "neighbour.png")
    twin_save(twin_picture(4).point([round(255 * (i / 255) ** 0.8) for i in range(256)]), test / "b" / "relabelled.jpg")
    for seed in range(20, 24):
        twin_save(twin_picture(seed), test / ("a" if seed < 22 else "b") / f"{seed}.png")
    workspace = Workspace.locate(root / "workspace").create()
    return TwinStudy(workspace, import_scans(root / "scans", workspace=workspace, name="twins").dataset)


@pytest.fixture(scope="session")
def made_up(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Dataset]:
    """Makes a data set from labels (class indices), groups and, if wanted, thumbnails, pixels and columns."""

    def make(
        labels: Sequence[int],
        groups: Sequence[object],
        *,
        thumbnails: npt.NDArray[np.uint8] | None = None,
        pixels: Sequence[Pixels] | None = None,
        columns: Mapping[str, object] | None = None,
    ) -> Dataset:
        folder = tmp_path_factory.mktemp("made-up")
        manifest = _made_up_manifest(labels, groups, columns or {})
        count, names = len(manifest), sorted(set(manifest["label"]))
        if thumbnails is None:
            thumbnails = np.random.default_rng(0).integers(0, 256, (count, 60, 60)).astype(np.uint8)
        np.save(folder / "thumbnails.npy", thumbnails, allow_pickle=False)
        with open_pixel_store(folder / PIXEL_FOLDER, writable=True) as store:
            blank = [np.zeros((4, 4, 3), np.uint8)] * count
            store.write(zip(manifest["pixel_digest"], pixels or blank, strict=True))
        by_class = {name: int((manifest["label"] == name).sum()) for name in names}
        record = DatasetRecord(
            name="made-up",
            classes=tuple(names),
            positive_class=names[1] if len(names) == 2 else None,
            groups_are="patients",
            digest="0" * 64,
            flow=ImportFlow(files=count, readable=count, dropped=0, distinct=count, by_class=by_class),
            groups=manifest["group"].nunique(),
        )
        return Dataset(folder, record, manifest)

    return make


def _made_up_manifest(labels: Sequence[int], groups: Sequence[object], columns: Mapping[str, object]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "row_id": np.arange(len(labels)),
            "source": [f"{row}.png" for row in range(len(labels))],
            "pixel_digest": [f"{row:064x}" for row in range(len(labels))],
            "label": [f"class{label}" for label in labels],
            "group": [str(group) for group in groups],
            "height": 60,
            "width": 60,
            "format": "PNG",
            "mode": "L",
            "copy_of": -1,
            "area": 0.5,
            "brightness": 0.5,
            **columns,
        }
    )
