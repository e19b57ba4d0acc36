from __future__ import annotations

import io
import pickle
import struct
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tumorlens.backbones import find_backbone, read_checkpoint, resolve_weights
from tumorlens.errors import InputError


class Global:
    """Pickles as a reference to a class or function that need not exist here."""

    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name


class Call:
    """Pickles as a call of a :class:`Global`."""

    def __init__(self, function: Global, *arguments: Any) -> None:
        self.function, self.arguments = function, arguments


class Storage:
    def __init__(self, key: str, count: int, kind: str = "FloatStorage") -> None:
        self.pid = ("storage", Global("torch", kind), key, "cpu", count, None)


class Pickler(pickle._Pickler):  # type: ignore[name-defined]  # the Python one, so that save() can be extended
    def persistent_id(self, obj: Any) -> Any:
        return obj.pid if isinstance(obj, Storage) else None

    def save(self, obj: Any, save_persistent_id: bool = True) -> None:
        if isinstance(obj, Global):
            self.write(pickle.GLOBAL + f"{obj.module}\n{obj.name}\n".encode())
        elif isinstance(obj, Call):
            self.save(obj.function)
            self.save(obj.arguments)
            self.write(pickle.REDUCE)
        else:
            super().save(obj, save_persistent_id)


REBUILD = Global("torch._utils", "_rebuild_tensor_v2")


def checkpoint(tensors: dict[str, Any], storages: dict[str, np.ndarray], magic: int = 0x1950A86A20F9469CFC6C) -> bytes:
    file = io.BytesIO()
    for part in (magic, 1001, {"little_endian": True}, OrderedDict(tensors), list(storages)):
        Pickler(file, 2).dump(part)
    for values in storages.values():
        file.write(struct.pack("<q", values.size) + values.tobytes())
    return file.getvalue()


def tensor(key: str, count: int, offset: int, shape: tuple[int, ...], stride: tuple[int, ...]) -> Call:
    return Call(REBUILD, Storage(key, count), offset, shape, stride, False, OrderedDict())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "weights.pth"


def test_strides_and_offsets_are_honoured(path: Path) -> None:
    values = np.arange(13, dtype=np.float32)
    path.write_bytes(
        checkpoint(
            {"transposed": tensor("0", 13, 1, (3, 4), (1, 3)), "scalar": tensor("0", 13, 5, (), ())}, {"0": values}
        )
    )
    tensors = read_checkpoint(path)
    np.testing.assert_array_equal(tensors["transposed"], values[1:].reshape(4, 3).T)
    assert tensors["scalar"].shape == () and tensors["scalar"] == 5


@pytest.mark.parametrize(("module", "name"), [("os", "system"), ("builtins", "eval"), ("numpy", "load")])
def test_refuses_to_call_anything_else(path: Path, tmp_path: Path, module: str, name: str) -> None:
    trace = tmp_path / "trace"
    path.write_bytes(checkpoint({"x": Call(Global(module, name), f"touch {trace}")}, {}))
    with pytest.raises(InputError, match=f"{module}.{name}, which is not allowed"):
        read_checkpoint(path)
    assert not trace.exists()


@pytest.mark.parametrize(
    ("offset", "shape", "stride"), [(0, (4, 4), (1, 4)), (-1, (2,), (1,)), (0, (2,), (-1,)), (13, (1,), (1,))]
)
def test_refuses_tensors_that_reach_beyond_their_storage(
    path: Path, offset: int, shape: tuple[int, ...], stride: tuple[int, ...]
) -> None:
    path.write_bytes(checkpoint({"x": tensor("0", 13, offset, shape, stride)}, {"0": np.zeros(13, np.float32)}))
    with pytest.raises(InputError, match="beyond its storage"):
        read_checkpoint(path)


@pytest.mark.parametrize("content", [b"", b"\x80\x02", b"not a checkpoint", b"PK\x03\x04" + bytes(40)])
def test_refuses_other_files(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(InputError, match="PyTorch checkpoint"):
        read_checkpoint(path)


def test_refuses_a_truncated_file(path: Path) -> None:
    whole = checkpoint({"x": tensor("0", 4, 0, (4,), (1,))}, {"0": np.zeros(4, np.float32)})
    path.write_bytes(whole[:-1])
    with pytest.raises(InputError, match="ends too early"):
        read_checkpoint(path)


def test_reads_the_installed_package() -> None:
    spec = find_backbone("efficientnet-lite0")
    path = resolve_weights(spec).path
    assert path is not None
    tensors = read_checkpoint(path)
    body = [v for k, v in tensors.items() if not k.startswith("_fc") and not k.endswith("num_batches_tracked")]
    assert sum(values.size for values in body) == spec.parameters
    assert tensors["_conv_stem.weight"].shape == (32, 3, 3, 3)
