"""Has compressed frames decoded by child processes, so that no damaged file can crash or stop this one.

Children are started when the first compressed frame is met, one for each thread that decodes at a time, and end with
this process.
"""

from __future__ import annotations

import atexit
import subprocess
import sys
import threading
from contextlib import suppress
from typing import Any

import numpy as np
import numpy.typing as npt

from tumorlens.errors import TumorlensError
from tumorlens.scans.dicom.decoding_child import receive, send

__all__ = ["DecodingError", "decode_isolated"]

_LEAST_SECONDS = 0.5
_PIXELS_A_SECOND = 500_000  # the slowest decoder, of JPEG 2000, was measured at four times that
_PATIENCE = 60.0
"""Wall time allowed per second of processor time: a busy machine must not refuse a sound file."""


class DecodingError(Exception):
    """A frame was not decoded; what to tell the user, the caller knows."""


_idle: list[subprocess.Popen[bytes]] = []
_lock = threading.Lock()


def decode_isolated(
    packed: bytes, *, syntax: str, plugin: str, options: dict[str, Any], pixels: int
) -> npt.NDArray[Any]:
    """Decode one compressed frame.

    Args:
        packed: Its codestream.
        syntax: UID of the transfer syntax.
        plugin: Name of pydicom's decoder; or :data:`~tumorlens.scans.dicom.decoding_child.DEEP_JPEG`.
        options: What pydicom needs to know of the frame; for ``DEEP_JPEG`` the fields of its pixel format.
        pixels: Values in the frame; they decide how much processor time it may take.

    Returns:
        The array that pydicom makes of it, ``(h, w)`` or ``(h, w, 3)``.

    Raises:
        DecodingError: The decoder refused it, crashed, or took too much time or memory.
        TumorlensError: No process can be started.
    """
    seconds = _LEAST_SECONDS + pixels / _PIXELS_A_SECOND
    request = {"syntax": syntax, "plugin": plugin, "options": options, "seconds": seconds}
    child = _take()
    watch = threading.Timer(seconds * _PATIENCE, child.kill)
    watch.start()
    try:
        answer = _ask(child, request, packed)
    except BaseException:
        child.kill()
        raise
    finally:
        watch.cancel()
    if answer is None:
        _end(child)
    else:
        with _lock:
            _idle.append(child)
    if answer is None or "refused" in answer[0]:
        raise DecodingError
    header, values = answer
    return np.frombuffer(values, header["dtype"]).reshape(header["shape"])


def _take() -> subprocess.Popen[bytes]:
    with _lock:
        while _idle:
            child = _idle.pop()
            if child.poll() is None:
                return child
            _end(child)
    try:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "tumorlens.scans.dicom.decoding_child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
    except OSError as error:
        raise TumorlensError(
            f"No process to decode compressed DICOM frames can be started ({error.strerror}): free some memory and run "
            "the command again."
        ) from error


def _ask(child: subprocess.Popen[bytes], request: dict[str, Any], packed: bytes) -> tuple[dict[str, Any], bytes] | None:
    assert child.stdin is not None and child.stdout is not None
    try:
        send(child.stdin, request, packed)
    except BrokenPipeError:
        return None
    return receive(child.stdout)


@atexit.register
def _end_all() -> None:
    while _idle:
        _end(_idle.pop())


def _end(child: subprocess.Popen[bytes]) -> None:
    child.kill()
    for stream in (child.stdin, child.stdout):
        with suppress(OSError):  # what is left to write has no reader
            if stream is not None:
                stream.close()
    child.wait()
