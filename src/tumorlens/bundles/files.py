"""The files of a bundle: what they are called, and whether they are still what was written."""

from __future__ import annotations

import hashlib
from pathlib import Path

from tumorlens.bundles.card import BundleCard
from tumorlens.errors import IntegrityError

__all__ = ["GRAPH_FILE", "KERAS_FILE", "WEIGHTS_FILE", "digest_files", "verify_files"]

GRAPH_FILE = "model.xml"
WEIGHTS_FILE = "model.bin"
KERAS_FILE = "model.keras"


def digest_files(folder: Path) -> dict[str, str]:
    """SHA-256 of every file in ``folder``, by name."""
    return {path.name: _sha256(path) for path in sorted(folder.iterdir()) if path.is_file()}


def verify_files(folder: Path, card: BundleCard) -> None:
    """Check every file of a bundle against its card.

    Args:
        folder: The bundle.
        card: Its ``bundle.json``.

    Raises:
        IntegrityError: A file is missing or a byte of it has changed.
    """
    for name in sorted({GRAPH_FILE, WEIGHTS_FILE, *card.files}):
        path = folder / name
        if name not in card.files or not path.is_file():
            raise IntegrityError(f"The bundle {folder} has no {name}: make the bundle again or restore the file.")
        if _sha256(path) != card.files[name]:
            raise IntegrityError(
                f"{path} was changed after it was written (its SHA-256 differs from bundle.json): "
                "make the bundle again or restore the file."
            )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
