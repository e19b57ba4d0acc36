"""Reads a PyTorch checkpoint in the legacy layout without PyTorch and without running anything from it.

The file is five pickles (magic number, protocol, system, tensors, order of storages) and then the storages' raw values.
The unpickler knows five names and refuses every other. A tensor is a *strided view* of its storage: shape, stride
and offset are honoured, or the weights would come out scrambled. Knows nothing about networks.
"""

from __future__ import annotations

import pickle
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import numpy as np
import numpy.typing as npt

from tumorlens.errors import InputError

__all__ = ["read_checkpoint"]

_MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001


@dataclass(frozen=True)
class _StorageType:
    """What stands for a class such as ``torch.FloatStorage``."""

    dtype: str


@dataclass(frozen=True)
class _View:
    """A tensor before its storage is read: counts are in elements, not bytes."""

    storage: tuple[str, str]
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]


def _view(storage: Any, offset: int, shape: Any, stride: Any, *_: Any) -> _View:
    return _View(storage, int(offset), tuple(map(int, shape)), tuple(map(int, stride)))


_KNOWN: Mapping[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _view,
    ("torch", "FloatStorage"): _StorageType("<f4"),
    ("torch", "LongStorage"): _StorageType("<i8"),
}


class _RestrictedUnpickler(pickle.Unpickler):
    """Builds numbers, strings, containers and :class:`_View`; calls nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        try:
            return _KNOWN[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"it names {module}.{name}, which is not allowed") from None

    def persistent_load(self, pid: Any) -> tuple[str, str]:
        kind, storage_type, key, *_ = pid
        if kind != "storage" or not isinstance(storage_type, _StorageType):
            raise pickle.UnpicklingError("it refers to something that is not a storage")
        return str(key), storage_type.dtype


def read_checkpoint(path: Path) -> dict[str, npt.NDArray[Any]]:
    """Read every tensor of a legacy PyTorch checkpoint.

    Returns:
        Parameter name to array, float32 or int64, in the layout PyTorch uses ``(out, in, h, w)``.

    Raises:
        InputError: The file is not such a checkpoint, names a class that is not allowed, or is truncated.
    """
    with path.open("rb") as file:
        try:
            return _read(file)
        except (pickle.UnpicklingError, EOFError, ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
            _refuse(path, error)


def _refuse(path: Path, error: Exception) -> NoReturn:
    raise InputError(
        f"{path} must be a PyTorch checkpoint of plain tensors in the legacy layout, but it cannot be read ({error}): "
        "give the file as it was published."
    ) from error


def _read(file: BinaryIO) -> dict[str, npt.NDArray[Any]]:
    header = [_RestrictedUnpickler(file).load() for _ in range(2)]
    if header != [_MAGIC_NUMBER, _PROTOCOL]:
        raise ValueError("its first bytes are others")
    _RestrictedUnpickler(file).load()
    views: dict[str, _View] = _RestrictedUnpickler(file).load()
    order: list[str] = _RestrictedUnpickler(file).load()
    dtypes = dict(view.storage for view in views.values())
    storages = {key: _read_storage(file, np.dtype(dtypes[key])) for key in order}
    return {name: _materialise(view, storages[view.storage[0]]) for name, view in views.items()}


def _read_storage(file: BinaryIO, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    count = int.from_bytes(file.read(8), "little", signed=True)
    data = file.read(max(count, 0) * dtype.itemsize)
    if count < 0 or len(data) != count * dtype.itemsize:
        raise EOFError("it ends too early")
    return np.frombuffer(data, dtype)


def _materialise(view: _View, storage: npt.NDArray[Any]) -> npt.NDArray[Any]:
    last = view.offset + sum((n - 1) * s for n, s in zip(view.shape, view.stride, strict=True))
    if view.offset < 0 or any(s < 0 for s in view.stride) or last >= storage.size:
        raise ValueError("a tensor reaches beyond its storage")
    strides = tuple(s * storage.itemsize for s in view.stride)
    strided = np.lib.stride_tricks.as_strided(storage[view.offset :], view.shape, strides, writeable=False)
    return np.ascontiguousarray(strided).reshape(view.shape)
