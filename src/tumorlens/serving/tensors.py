"""Tensors of the Open Inference Protocol (KServe V2), in JSON and in its binary extension.

https://github.com/kserve/open-inference-protocol and, for the binary data, Triton's "Binary tensor data extension".
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tumorlens.serving.problems import ProblemError
from tumorlens.types import Pixels

__all__ = ["HEADER_LENGTH", "InferRequest", "pack_answer", "parse_request"]

HEADER_LENGTH = "inference-header-content-length"
"""Header with the length of the JSON before the binary data."""

_MOST_AXES = 4


@dataclass(frozen=True)
class InferRequest:
    """What is asked.

    Attributes:
        id: The client's name for the request, to be given back; empty: none.
        pixels: ``(n, h, w, 3)`` uint8.
        outputs: Wanted outputs, each with whether it is wanted in binary.
    """

    id: str
    pixels: Pixels
    outputs: Mapping[str, bool]


def parse_request(body: bytes, header_length: str | None, *, known: Sequence[str], most_pixels: int) -> InferRequest:
    """Read a request.

    Args:
        body: JSON, and binary data behind it.
        header_length: Of the JSON, from the header; ``None``: all of it.
        known: Outputs that there are.
        most_pixels: Largest height times width of one scan.

    Raises:
        ProblemError: It is not such a request (400), or its scans are too large (413).
    """
    split = len(body)
    if header_length is not None:
        if not header_length.isdigit() or int(header_length) > len(body):
            raise ProblemError(400, f"The header {HEADER_LENGTH} is no length within the body.")
        split = int(header_length)
    try:
        document = json.loads(body[:split])
    except (ValueError, RecursionError) as error:
        raise ProblemError(400, "The body is no JSON object of the inference protocol.") from error
    inputs = document.get("inputs") if isinstance(document, dict) else None
    if not isinstance(inputs, list) or len(inputs) != 1 or not isinstance(inputs[0], dict):
        raise ProblemError(400, "Expected one input, 'pixels', of type UINT8 and shape [n, h, w, 3].")
    pixels = _pixels(inputs[0], body[split:], most_pixels)
    return InferRequest(_text(document.get("id", "")), pixels, _outputs(document, known))


def pack_answer(
    document: dict[str, Any], tensors: Mapping[str, npt.NDArray[np.float32]], wanted: Mapping[str, bool]
) -> tuple[bytes, int | None]:
    """Write an answer.

    Args:
        document: ``model_name``, ``model_version`` and ``id``.
        tensors: Outputs by name, float32.
        wanted: Which, each with whether in binary.

    Returns:
        The body, and the length of its JSON where binary data follow.
    """
    listed, binary = [], []
    for name, in_binary in wanted.items():
        tensor = np.ascontiguousarray(tensors[name], np.float32)
        entry: dict[str, Any] = {"name": name, "datatype": "FP32", "shape": list(tensor.shape)}
        if in_binary:
            binary.append(tensor.tobytes())
            entry["parameters"] = {"binary_data_size": len(binary[-1])}
        else:
            entry["data"] = tensor.ravel().tolist()
        listed.append(entry)
    text = json.dumps({**document, "outputs": listed}).encode()
    return b"".join([text, *binary]), len(text) if binary else None


def _pixels(tensor: Mapping[str, Any], binary: bytes, most_pixels: int) -> Pixels:
    name, kind, shape = tensor.get("name"), tensor.get("datatype"), tensor.get("shape")
    if name != "pixels" or kind != "UINT8":
        raise ProblemError(400, f"Expected the input 'pixels' of type UINT8, got {name!r} of type {kind!r}.")
    if not isinstance(shape, list) or not _is_shape(shape):
        raise ProblemError(400, f"Expected pixels of shape [n, h, w, 3], got {shape!r}.")
    if shape[1] * shape[2] > most_pixels:
        raise ProblemError(413, f"A scan has {shape[1] * shape[2]} pixels, the limit is {most_pixels}.")
    count = math.prod(shape)
    size = _parameters(tensor).get("binary_data_size")
    if size is not None:
        if size != count or len(binary) != count:
            raise ProblemError(400, f"Expected {count} bytes of pixels for the shape {shape}, got {len(binary)}.")
        return np.frombuffer(binary, np.uint8).reshape(shape)
    return _from_json(tensor.get("data"), count).reshape(shape)


def _from_json(data: object, count: int) -> Pixels:
    """Numbers, flat or nested."""
    flat: list[object] = []
    waiting = [data]
    while waiting:
        part = waiting.pop()
        if isinstance(part, list):
            waiting.extend(reversed(part))
        else:
            flat.append(part)
    if len(flat) != count or not all(type(value) is int and 0 <= value <= 255 for value in flat):
        raise ProblemError(
            400, f"Expected {count} whole numbers in 0..255 as data of the pixels, got {len(flat)} values."
        )
    return np.array(flat, np.uint8)


def _is_shape(shape: list[Any]) -> bool:
    return len(shape) == _MOST_AXES and all(type(side) is int and side > 0 for side in shape) and shape[3] == 3


def _outputs(document: Mapping[str, Any], known: Sequence[str]) -> dict[str, bool]:
    in_binary = _parameters(document).get("binary_data_output") is True
    asked = document.get("outputs")
    if asked is None:
        return dict.fromkeys(known, in_binary)
    if not isinstance(asked, list) or not all(isinstance(one, dict) for one in asked):
        raise ProblemError(400, f"Expected a list of outputs among {', '.join(known)}.")
    wanted = {}
    for one in asked:
        if one.get("name") not in known:
            raise ProblemError(400, f"There is no output {one.get('name')!r}: choose among {', '.join(known)}.")
        wanted[one["name"]] = _parameters(one).get("binary_data", in_binary) is True
    return wanted or dict.fromkeys(known, in_binary)


def _parameters(part: Mapping[str, Any]) -> Mapping[str, Any]:
    found = part.get("parameters", {})
    if not isinstance(found, dict):
        raise ProblemError(400, f"Expected parameters as an object, got {type(found).__name__}.")
    return found


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ProblemError(400, f"Expected the id as a text, got {type(value).__name__}.")
    return value
