"""What the operating system says when it will not read, as one sentence; and names that are no text."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tumorlens.errors import InputError, NotFoundError

__all__ = ["check_text_name", "read_errors"]


@contextmanager
def read_errors(path: Path) -> Iterator[None]:
    """Turn refusals to read ``path``, or what lies in it, into one sentence.

    Raises:
        NotFoundError: There is no such file or folder.
        InputError: It is a folder where a file is expected or the reverse, may not be read, or its disk fails.
    """
    try:
        yield
    except FileNotFoundError as error:
        raise NotFoundError(f"The file {_place(error, path)} does not exist: check the path.") from error
    except IsADirectoryError as error:
        raise InputError(f"Expected a file, but {_place(error, path)} is a folder: name the file.") from error
    except OSError as error:
        reason = error.strerror or "unknown reason"
        raise InputError(
            f"{_place(error, path)} cannot be read ({reason}): check the path and its permissions."
        ) from error


def check_text_name(path: Path) -> None:
    """Raise unless the last part of ``path`` is text that files of the workspace can hold.

    Raises:
        InputError: It is not UTF-8, as after unpacking an archive made with another encoding.
    """
    try:
        path.name.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InputError(f"The name of {_shown(path)} is not UTF-8 text: rename it.") from error


def _place(error: OSError, path: Path) -> str:
    return _shown(Path(error.filename) if isinstance(error.filename, str) else path)


def _shown(path: Path) -> str:
    """The path as text that can be printed."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")
