"""Heads as ``.npz`` files without pickle: how a child process hands one over."""

from __future__ import annotations

from pathlib import Path
from typing import Literal
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from tumorlens.errors import IntegrityError
from tumorlens.runtime.heads import DenseLayer, Head
from tumorlens.workspace import atomic_path

__all__ = ["load_layers", "save_layers"]


def save_layers(path: Path, layers: list[tuple[NDArray[np.float32], NDArray[np.float32]]]) -> None:
    """Write weights ``(in, out)`` and biases ``(out,)`` of dense layers, in order, atomically."""
    arrays = {}
    for position, (weight, bias) in enumerate(layers):
        arrays[f"weight_{position}"] = weight.astype(np.float32)
        arrays[f"bias_{position}"] = bias.astype(np.float32)
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)


def load_layers(path: Path, *, kind: str, takes: Literal["pooled", "flat"]) -> Head:
    """Read a head: ReLU after every layer but the last.

    Raises:
        IntegrityError: The file is damaged.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            pairs = [(arrays[f"weight_{i}"], arrays[f"bias_{i}"]) for i in range(len(arrays.files) // 2)]
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise IntegrityError(f"{path} does not hold a trained head: train it again.") from error
    last = len(pairs) - 1
    return Head(
        kind=kind,
        input=takes,
        layers=tuple(
            DenseLayer(weight=weight, bias=bias, activation="linear" if i == last else "relu")
            for i, (weight, bias) in enumerate(pairs)
        ),
    )
