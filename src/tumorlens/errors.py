"""Every error tumorlens raises on purpose.

The message of each is one sentence (or two short ones): what was expected, what came, what to do next. It is shown to
the user as it stands, so it never holds a traceback. ``EXIT_CODE`` and ``HTTP_STATUS`` map the classes once for the
command line and once for the web.
"""

from __future__ import annotations

__all__ = [
    "EXIT_CODE",
    "HTTP_STATUS",
    "BusyError",
    "InputError",
    "IntegrityError",
    "MissingExtraError",
    "NotFoundError",
    "StorageError",
    "TumorlensError",
    "WeightsUnavailableError",
]


class TumorlensError(Exception):
    """Base of all errors whose message is meant for the user."""


class InputError(TumorlensError):
    """What the user gave cannot be used: a bad file, option, column or label."""


class NotFoundError(InputError):
    """A named thing (data set, run, backbone, file) does not exist."""


class IntegrityError(TumorlensError):
    """A stored file is not what was written: its digest or format version is wrong."""


class MissingExtraError(TumorlensError):
    """An optional dependency is not installed; the message gives the pip command."""


class WeightsUnavailableError(TumorlensError):
    """Pretrained weights are neither on disk nor to be downloaded."""


class StorageError(TumorlensError):
    """Writing failed: disk full, no permission, read-only file system."""


class BusyError(TumorlensError):
    """As many scans are waiting as may wait: to be asked again later."""


EXIT_CODE: dict[type[TumorlensError], int] = {TumorlensError: 2}

HTTP_STATUS: dict[type[TumorlensError], int] = {
    NotFoundError: 404,
    InputError: 422,
    IntegrityError: 500,
    MissingExtraError: 501,
    WeightsUnavailableError: 503,
    BusyError: 503,
    StorageError: 507,
    TumorlensError: 500,
}
