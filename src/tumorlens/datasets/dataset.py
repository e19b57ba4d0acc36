"""A data set in the workspace: its manifest, its pixels, its thumbnails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from tumorlens.datasets.copies import distinct_places
from tumorlens.datasets.pixelstore import PixelStore, open_pixel_store
from tumorlens.datasets.record import DatasetRecord, GroupKind
from tumorlens.errors import IntegrityError, NotFoundError
from tumorlens.types import Labels

__all__ = ["CONTACT_SHEET", "MASK_FOLDER", "PIXEL_FOLDER", "Dataset"]

PIXEL_FOLDER = "pixels"
"""Name of the pixel store inside a data set's folder."""

MASK_FOLDER = "masks"
"""Name of the store of reference masks inside a data set's folder; there is none without masks."""

CONTACT_SHEET = "contact-sheet.png"
"""Name of the contact sheet inside a data set's folder."""


class MaskStore:
    """Reference masks by pixel digest, open for reading."""

    def __init__(self, store: PixelStore) -> None:
        self._store = store

    def get(self, digest: str) -> npt.NDArray[np.bool_] | None:
        """Return the lesion mask of the scan with these pixels, ``(h, w)`` bool; ``None``: it has none."""
        return self._store.get(digest)[:, :, 0] > 0 if digest in self._store else None


@dataclass(frozen=True, eq=False)
class Dataset:
    """Labelled scans; a row of the manifest is a source file, and copies share pixels.

    Attributes:
        path: Its folder.
        record: What it is: names, numbers, notes.
        manifest: One row per scan; see :mod:`tumorlens.datasets.manifest`. Not to be changed.
    """

    path: Path
    record: DatasetRecord
    manifest: pd.DataFrame = field(repr=False)

    def __len__(self) -> int:
        return len(self.manifest)

    @property
    def name(self) -> str:
        """Its name."""
        return self.record.name

    @property
    def classes(self) -> tuple[str, ...]:
        """Class order: the order of probabilities everywhere."""
        return self.record.classes

    @property
    def positive_class(self) -> str | None:
        """The positive one of two classes, else ``None``."""
        return self.record.positive_class

    @property
    def groups_are(self) -> GroupKind:
        """``"patients"`` (known) or ``"clusters"`` (inferred)."""
        return self.record.groups_are

    @property
    def scan_steps(self) -> tuple[str, ...]:
        """Steps applied to every scan before the network."""
        return self.record.scan_steps

    @property
    def synthetic(self) -> bool:
        """Whether the scans are made up."""
        return self.record.synthetic

    @property
    def digest(self) -> str:
        """Digest of the manifest, 64 hexadecimal digits."""
        return self.record.digest

    @property
    def splits(self) -> Path:
        """Folder of its split files."""
        return self.path / "splits"

    @property
    def pixel_folder(self) -> Path:
        """Folder of its pixel store."""
        return self.path / PIXEL_FOLDER

    @property
    def contact_sheet(self) -> Path:
        """Picture of a few scans of each class (.png)."""
        return self.path / CONTACT_SHEET

    @property
    def labels(self) -> Labels:
        """``(n,)`` int64: index into :attr:`classes`."""
        codes = pd.Categorical(self.manifest["label"], categories=list(self.classes)).codes
        return np.asarray(codes, np.int64)

    @property
    def groups(self) -> npt.NDArray[np.str_]:
        """``(n,)`` text: each scan's group."""
        return self.manifest["group"].to_numpy(dtype=np.str_)

    @property
    def digests(self) -> npt.NDArray[np.str_]:
        """``(n,)`` text: each scan's pixel digest."""
        return self.manifest["pixel_digest"].to_numpy(dtype=np.str_)

    def open_pixels(self) -> AbstractContextManager[PixelStore]:
        """Open the pixels for reading; several may be open at once, in threads and processes."""
        return open_pixel_store(self.pixel_folder)

    @property
    def has_masks(self) -> bool:
        """Whether reference masks of lesions are kept."""
        return (self.path / MASK_FOLDER).is_dir()

    @contextmanager
    def open_masks(self) -> Iterator[MaskStore]:
        """Open the reference masks for reading.

        Raises:
            NotFoundError: The data set was imported without masks.
        """
        if not self.has_masks:
            raise NotFoundError(
                f"The data set {self.name!r} holds no lesion masks: import it with --mask-pattern or --layout brats."
            )
        with open_pixel_store(self.path / MASK_FOLDER) as store:
            yield MaskStore(store)

    def thumbnails(self) -> npt.NDArray[np.uint8]:
        """Return ``(n, 60, 60)`` uint8 grey thumbnails, one a row; copies repeat theirs."""
        return self.distinct_thumbnails()[self.thumbnail_rows()]

    def distinct_thumbnails(self) -> npt.NDArray[np.uint8]:
        """Read the thumbnails, ``(d, 60, 60)`` uint8: one per distinct pixel content.

        Raises:
            IntegrityError: The file is missing or damaged.
        """
        file = self.path / "thumbnails.npy"
        try:
            thumbnails: npt.NDArray[np.uint8] = np.load(file, allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise IntegrityError(f"{file} is damaged: import the data set again.") from error
        distinct = int((self.manifest["copy_of"] == -1).sum())
        if len(thumbnails) != distinct:
            raise IntegrityError(
                f"{file} holds {len(thumbnails)} thumbnails for {distinct} distinct scans: import the data set again."
            )
        return thumbnails

    def thumbnail_rows(self) -> npt.NDArray[np.int64]:
        """Return ``(n,)`` int64: each row's place among the distinct thumbnails."""
        return distinct_places(self.manifest["copy_of"].to_numpy())
