"""Decodes compressed frames in a process of its own; started by :mod:`tumorlens.scans.dicom.isolation`.

The decoders are native code, and damaged bytes make some of them run for ever or crash. What happens here costs the
process that asked nothing: the system ends this one when a frame takes too much processor time or memory.

Both directions carry messages of a line of JSON and, behind it, as many bytes as its field ``bytes`` says.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import IO, Any

import numpy as np

__all__ = ["DEEP_JPEG", "main", "receive", "send"]

DEEP_JPEG = "deep_jpeg"
"""Asks for :func:`tumorlens.scans.dicom.deep_jpeg.decode_deep_jpeg` instead of a decoder of pydicom."""

_GIGABYTE = 1 << 30
_LONGEST_LINE = 100_000


def main() -> None:
    """Answer requests on standard input until it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is the business of the process that asked
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    _silence()
    _decode_nothing()
    _bound_memory()
    while (message := receive(requests)) is not None:
        request, packed = message
        try:
            _start_clock(float(request["seconds"]))
            values = _decode(request, packed)
        except BaseException:  # also the panics of decoders written in Rust, which are no Exception
            send(answers, {"refused": True})
        else:
            send(answers, {"shape": values.shape, "dtype": values.dtype.str}, values.tobytes())
        finally:
            _start_clock(0.0)


def send(stream: IO[bytes], header: dict[str, Any], data: bytes = b"") -> None:
    """Write one message."""
    stream.write(json.dumps({**header, "bytes": len(data)}).encode() + b"\n")
    stream.write(data)
    stream.flush()


def receive(stream: IO[bytes]) -> tuple[dict[str, Any], bytes] | None:
    """Read one message; ``None`` where the stream ends, be it within one."""
    line = stream.readline(_LONGEST_LINE)
    if not line.endswith(b"\n"):
        return None
    header = json.loads(line)
    data = stream.read(header["bytes"])
    return (header, data) if len(data) == header["bytes"] else None


def _silence() -> None:
    """Keep what decoders print off the screen."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    os.close(nowhere)


def _decode_nothing() -> None:
    """Load the decoders, so that neither clock nor bound count that."""
    from pydicom.pixels import get_decoder
    from pydicom.uid import JPEGLSLossless

    get_decoder(JPEGLSLossless)


def _bound_memory() -> None:
    """Let the address space grow by one gigabyte, where the system can say so."""
    if sys.platform == "linux":
        import resource

        import psutil

        limit = psutil.Process().memory_info().vms + _GIGABYTE
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        resource.setrlimit(resource.RLIMIT_AS, (limit if hard < 0 else min(limit, hard), hard))


def _start_clock(seconds: float) -> None:
    """Have the system end this process after so much processor time; 0 stops the clock."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_PROF, seconds)


def _decode(request: dict[str, Any], packed: bytes) -> np.ndarray[Any, np.dtype[Any]]:
    if request["plugin"] == DEEP_JPEG:
        from tumorlens.scans.dicom.deep_jpeg import decode_deep_jpeg
        from tumorlens.scans.dicom.pixel_format import PixelFormat

        return decode_deep_jpeg(packed, PixelFormat(**request["options"]))
    from pydicom.encaps import encapsulate
    from pydicom.pixels import get_decoder

    # the frame is wrapped again, so that the decoder sees one frame whatever the file holds
    wrapped = encapsulate([packed], has_bot=False)
    decoder = get_decoder(request["syntax"])
    return decoder.as_array(wrapped, index=0, decoding_plugin=request["plugin"], **request["options"])[0]


if __name__ == "__main__":
    main()
