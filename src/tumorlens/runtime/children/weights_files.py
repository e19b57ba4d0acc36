"""Loads a weights file into a Keras network, whatever form Keras gave it, or says in one sentence why not.

The form is decided by content, not by name: Keras 2's and ``keras.applications``' HDF5 files, whole models in HDF5,
Keras 3's ``.weights.h5`` and ``.keras``.
"""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path

import h5py
import keras
import numpy as np

from tumorlens.errors import InputError
from tumorlens.runtime.children.stand_ins import put_under_name

__all__ = ["load_weights_file"]


def load_weights_file(model: keras.Model, path: Path, *, title: str) -> None:
    """Set the weights of ``model`` from the file at ``path``.

    Args:
        model: The network as Keras builds it without classifier.
        path: The file.
        title: The network's name, for the message.

    Raises:
        InputError: The file is not one of Keras' weights files, or its tensors are not those of the network.
    """
    suffix = _form(path)
    if suffix == ".weights.h5":
        _check_count(model, path, title=title)
    with tempfile.TemporaryDirectory() as folder:
        named = Path(folder) / f"weights{suffix}"  # Keras goes by the name
        put_under_name(path, named)
        try:
            model.load_weights(named)
        except (ValueError, KeyError, OSError, TypeError) as error:
            reason = str(error).strip().splitlines()
            raise _wrong_tensors(path, title, (reason or ["no reason given"])[0].rstrip(".")) from error
    if not all(np.isfinite(weight).all() for weight in model.get_weights()):
        raise _wrong_tensors(path, title, "some values are not finite")


def _form(path: Path) -> str:
    """The suffix under which Keras recognises the file's form."""
    if zipfile.is_zipfile(path):
        return ".keras"
    try:
        with h5py.File(path, "r") as file:
            old = "layer_names" in file.attrs or "model_weights" in file
    except OSError as error:
        raise InputError(
            f"{path} must be a weights file that Keras wrote (HDF5 or .keras), but it is damaged or of another kind: "
            "download it again or give another file."
        ) from error
    return ".h5" if old else ".weights.h5"


def _check_count(model: keras.Model, path: Path, *, title: str) -> None:
    """Keras 3 overlooks tensors it does not need, so the file of a larger network must be told by its size."""
    counts: list[int] = []

    def add(name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset) and not name.startswith("optimizer") and "seed_generator" not in name:
            counts.append(int(item.size))

    with h5py.File(path, "r") as file:
        file.visititems(add)
    if sum(counts) != model.count_params():
        raise _wrong_tensors(path, title, f"it holds {sum(counts):,} values, {model.count_params():,} are needed")


def _wrong_tensors(path: Path, title: str, reason: str) -> InputError:
    return InputError(
        f"{path} must hold the weights of {title} without its classifier, but its tensors are others ({reason}): "
        "give the file of this network that Keras names 'notop', or choose the backbone it belongs to."
    )
