"""The state of a training in one file without pickle, so that a killed training goes on where it was."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from tumorlens.workspace import atomic_path

__all__ = ["TrainingState"]

_FACTS = "facts"


class TrainingState:
    """The file of one training.

    Args:
        path: The file (.npz).
        work: Digest of everything that decides what the training does; the state of another one is passed over.
    """

    def __init__(self, path: Path, work: str) -> None:
        self._path = path
        self._work = work

    def load(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]] | None:
        """Facts and arrays as they were saved last; ``None`` where there are none of this training, or damaged ones."""
        try:
            with self._path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
                facts: dict[str, Any] = json.loads(str(file[_FACTS]))
                if facts["work"] != self._work:
                    return None
                return facts, {name: file[name] for name in file.files if name != _FACTS}
        except (OSError, EOFError, ValueError, KeyError, TypeError, BadZipFile):
            return None

    def save(self, facts: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
        """Replace the file.

        Raises:
            StorageError: The disk is full; the file stays as it was.
        """
        text = json.dumps({**facts, "work": self._work})
        with atomic_path(self._path) as temporary, temporary.open("wb") as file:
            np.savez(file, allow_pickle=False, **{_FACTS: np.array(text)}, **arrays)
