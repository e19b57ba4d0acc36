"""A folder that takes the heatmaps of one command: a picture and a raw map for each answer."""

from __future__ import annotations

import re
from pathlib import Path

from tumorlens.errors import InputError
from tumorlens.explanation.heatmap import Heatmap
from tumorlens.workspace import storage_errors

__all__ = ["HeatmapFolder"]

_MOST_CHARACTERS = 60
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")


class HeatmapFolder:
    """Writes heatmaps under names that begin with their position, so that slices of one file do not meet.

    Args:
        folder: Where they go; made when missing.

    Raises:
        InputError: ``folder`` is a file.
        StorageError: It cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        if folder.exists() and not folder.is_dir():
            raise InputError(f"Expected a folder for the heatmaps, but {folder} is a file: give another name.")
        with storage_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.count = 0

    def write(self, heatmap: Heatmap) -> Path:
        """Write the picture (``.png``) and the raw map (``.npy``) of the next answer; return the picture's path.

        Files of the same names from an earlier command are replaced. The name holds nothing of the source but
        letters, digits, ``-`` and ``_`` of its last part, so it never leaves the folder.

        Raises:
            StorageError: One of the two cannot be written.
        """
        self.count += 1
        stem = _UNSAFE.sub("-", Path(heatmap.source).stem).strip("-")[:_MOST_CHARACTERS] or "scan"
        name = f"{self.count:05d}-{stem}"
        heatmap.save_map(self.folder / f"{name}.npy")
        return heatmap.save(self.folder / f"{name}.png")
