"""Rows of a ``.npy`` file, read when asked for.

The file is not mapped, so its pages never count as this process's memory.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tumorlens.errors import InputError

__all__ = ["NpyRows"]


class NpyRows:
    """Reads rows of a C-ordered ``.npy`` file.

    Args:
        path: The file.

    Raises:
        InputError: The file is no such array.
    """

    def __init__(self, path: Path) -> None:
        try:
            array = np.load(path, mmap_mode="r", allow_pickle=False)
            if not isinstance(array, np.memmap) or array.ndim < 2 or not array.flags.c_contiguous:
                raise ValueError("not an array of rows in C order")
        except (OSError, ValueError, EOFError) as error:
            raise InputError(f"{path} is not a .npy file of rows in C order: write it with numpy.save.") from error
        self.shape = array.shape
        self.dtype = array.dtype
        self._path = path
        self._offset = int(array.offset)

    def read(self, rows: NDArray[np.int64]) -> NDArray[np.generic]:
        """The given rows, ``(len(rows), *shape[1:])``."""
        values = int(np.prod(self.shape[1:]))
        out = np.empty((len(rows), values), dtype=self.dtype)
        with self._path.open("rb") as file:
            for position, row in enumerate(rows):
                file.seek(self._offset + int(row) * values * self.dtype.itemsize)
                file.readinto(out[position].data)
        return out.reshape(len(rows), *self.shape[1:])
