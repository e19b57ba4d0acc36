"""The files of a multipart request: read into memory, and put under names of our own where readers find them."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from tumorlens.scans import SCAN_SUFFIXES
from tumorlens.scans.kinds import kind_of
from tumorlens.scans.nifti.names import NIFTI_SUFFIXES
from tumorlens.serving.problems import ProblemError
from tumorlens.serving.settings import ServeLimits
from tumorlens.workspace import storage_errors

__all__ = ["Upload", "read_uploads", "shown_name", "write_uploads"]

_FIELD = "files"
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_LONGEST_NAME = 120
_PART_BYTES = 64 * 1024
_DICOM_SUFFIXES = (".dcm", ".dicom", ".ima")


@dataclass(frozen=True)
class Upload:
    """One file as it was sent.

    Attributes:
        name: The client's name for it, to be shown only: the last part of a path, without control characters.
        content: Its bytes.
    """

    name: str
    content: bytes


class _InMemory(MultiPartParser):
    """Keeps files in memory whatever their size; the body's own limit bounds them."""

    spool_max_size = sys.maxsize


async def read_uploads(request: Request, limits: ServeLimits) -> list[Upload]:
    """The files of a request, in their order.

    Args:
        request: A multipart request with one or several fields ``files``.
        limits: Most files; the body's size is bounded before.

    Raises:
        ProblemError: It is no such request (415, 422), or has too many files (413).
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "multipart/form-data":
        raise ProblemError(
            415, f"Expected multipart/form-data with files in the field {_FIELD!r}, got {kind or 'nothing'!r}."
        )
    try:
        parser = _InMemory(
            request.headers,
            request.stream(),
            max_files=limits.files,
            max_fields=0,
            max_part_size=_PART_BYTES,
        )
        form = await parser.parse()
    except MultiPartException as error:
        status = 413 if "Too many files" in error.message else 422
        raise ProblemError(status, f"The multipart body cannot be read: {error.message.rstrip('.')}.") from error
    except (KeyError, ValueError) as error:
        raise ProblemError(422, "The multipart body cannot be read: it has no usable boundary or header.") from error
    try:
        uploads = []
        for field, value in form.multi_items():
            if field != _FIELD or isinstance(value, str):
                raise ProblemError(
                    422, f"Expected files in the field {_FIELD!r} alone, got a field {shown_name(field)!r}."
                )
            uploads.append(Upload(shown_name(value.filename or ""), await value.read()))
    finally:
        await form.close()
    if not uploads:
        raise ProblemError(422, f"Expected at least one file in the field {_FIELD!r}, got none.")
    return uploads


def write_uploads(uploads: Sequence[Upload], folder: Path) -> dict[Path, str]:
    """Write files under names of our own: a number, and what the readers go by.

    Args:
        uploads: The files.
        folder: Where they go.

    Returns:
        The client's name by path, in the order given.

    Raises:
        ProblemError: A file is neither a picture, DICOM nor NIfTI (415).
        StorageError: There is no room.
    """
    names: dict[Path, str] = {}
    with storage_errors(folder):
        for number, upload in enumerate(uploads):
            path = folder / f"{number:05}{_suffix(upload.name)}"
            path.write_bytes(upload.content)
            if kind_of(path) is None:
                raise ProblemError(
                    415, f"{upload.name} is none of what is read: PNG, JPEG, TIFF, BMP, WebP, DICOM, NIfTI."
                )
            names[path] = upload.name
    return names


def shown_name(name: str) -> str:
    """What is left of a client's file name: its last part, printable and short."""
    last = _CONTROL.sub("", re.split(r"[/\\]", name)[-1]).strip()
    return last[-_LONGEST_NAME:] or "unnamed"


def _suffix(name: str) -> str:
    """The suffix that the readers go by; empty: first bytes tell."""
    lower = name.lower()
    known = (*NIFTI_SUFFIXES, *sorted(SCAN_SUFFIXES))
    found = next((suffix for suffix in known if lower.endswith(suffix)), "")
    return ".dcm" if not found and lower.endswith(_DICOM_SUFFIXES) else found
