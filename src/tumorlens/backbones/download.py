"""Fetches a published weights file: streamed to a temporary name, its hash verified, then renamed."""

from __future__ import annotations

import hashlib
import http.client
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from tumorlens.backbones.spec import BackboneSpec, PublishedWeights
from tumorlens.errors import WeightsUnavailableError
from tumorlens.progress import SILENT, Progress, Task
from tumorlens.workspace import atomic_path

__all__ = ["fetch_weights"]

_CHUNK_BYTES = 1 << 18
_TIMEOUT_SECONDS = 15.0


class _RefusalError(Exception):
    """Why a download was not kept, as a clause."""


def fetch_weights(spec: BackboneSpec, directory: Path, progress: Progress = SILENT) -> Path:
    """Download the published weights of ``spec`` into ``directory`` under Keras' file name.

    Args:
        spec: A network whose weights have a URL.
        directory: Where the file goes; made if need be.
        progress: Shown the bytes as they come.

    Returns:
        The file's path. It is complete and has the published hash, or it is not there.

    Raises:
        WeightsUnavailableError: No URL, no connection, not found, truncated, or another hash than the published one.
        StorageError: The file cannot be written.
    """
    published = spec.weights
    target = directory / published.file_name
    try:
        if published.url is None:
            raise _RefusalError("they are not published as a download")
        request = urllib.request.Request(published.url, headers={"User-Agent": "tumorlens"})
        with (
            urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as response,
            atomic_path(target) as temporary,
        ):
            _receive(response, temporary, published, spec.title, progress)
    except urllib.error.HTTPError as error:
        error.close()
        raise _unavailable(spec, directory, f"the server answered {error.code}") from error
    except (urllib.error.URLError, TimeoutError, ConnectionError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise _unavailable(spec, directory, f"no connection: {reason}") from error
    except _RefusalError as refusal:
        raise _unavailable(spec, directory, str(refusal)) from refusal
    return target


def _receive(response: Any, target: Path, published: PublishedWeights, title: str, progress: Progress) -> None:
    length = response.headers.get("Content-Length")
    expected = int(length) if length and length.isdigit() else None
    digest = hashlib.new(published.algorithm, usedforsecurity=False)
    with progress.task(f"Downloading {title}", total=expected) as task, target.open("wb") as file:
        received = _copy(response, file, digest, task)
    if expected is not None and received != expected:
        raise _RefusalError(f"only {received} of {expected} bytes came")
    if published.digest is not None and digest.hexdigest() != published.digest:
        raise _RefusalError(
            f"the file that came has the {published.algorithm.upper()} {digest.hexdigest()}, not {published.digest}"
        )


def _copy(response: Any, file: Any, digest: Any, task: Task) -> int:
    received = 0
    while chunk := response.read(_CHUNK_BYTES):
        file.write(chunk)
        digest.update(chunk)
        received += len(chunk)
        task.advance(len(chunk))
    return received


def _unavailable(spec: BackboneSpec, directory: Path, reason: str) -> WeightsUnavailableError:
    return WeightsUnavailableError(
        f"The weights of {spec.title} are not on this machine and could not be downloaded ({reason}): place "
        f"{spec.weights.file_name} in {directory} or in a folder given by --weights-dir, or use efficientnet-lite0, "
        "which is installed with tumorlens and needs no network."
    )
