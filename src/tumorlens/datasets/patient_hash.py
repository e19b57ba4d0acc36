"""Patient identifiers become hashes that mean nothing without a secret key.

The key lies beside the data sets in the workspace and goes into no data set, bundle or export: without it, no one can
tell whether a given identifier is among the patients, by trying all of them or otherwise.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from tumorlens.errors import InputError, IntegrityError
from tumorlens.scans import read_errors
from tumorlens.workspace import storage_errors, temporary_name

__all__ = ["hash_patient", "read_or_make_key"]

_KEY_BYTES = 32
_DIGITS = 16
_OWNER_ONLY = 0o600


def hash_patient(patient_id: str, key: bytes) -> str:
    """Hash one identifier with HMAC-SHA256 (RFC 2104).

    Args:
        patient_id: As it stands in the header; blanks around it do not count.
        key: The workspace's key.

    Returns:
        ``"p"`` and 16 hexadecimal digits: the same for the same patient and key. Two of a million patients share one
        with a probability below one in ten million.

    Raises:
        InputError: The identifier is blank.
    """
    plain = patient_id.strip()
    if not plain:
        raise InputError("A blank patient id cannot be hashed: use another identifier.")
    digest = hmac.new(key, plain.encode("utf-8", "surrogateescape"), hashlib.sha256).hexdigest()
    return f"p{digest[:_DIGITS]}"


def read_or_make_key(path: Path) -> bytes:
    """Read the key, or make one of 32 random bytes where there is none yet.

    Only its owner may read the file. Whoever has key and identifiers can link scans to patients: do not pass it on.

    Raises:
        IntegrityError: The file is damaged.
        InputError: It may not be read.
        StorageError: It cannot be written.
    """
    if not path.exists():
        _make_key(path)
    with read_errors(path):
        key = path.read_bytes()
    if len(key) != _KEY_BYTES:
        raise IntegrityError(
            f"The patient key {path} is damaged ({len(key)} bytes, expected {_KEY_BYTES}): put back a copy, or remove "
            "it and import all DICOM data sets again."
        )
    return key


def _make_key(path: Path) -> None:
    """Write a key unless another process does so first: whoever comes second reads the first one's."""
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = temporary_name(path)
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(secrets.token_bytes(_KEY_BYTES))
                stream.flush()
                os.fsync(descriptor)
            _link(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)


def _link(temporary: Path, path: Path) -> None:
    try:
        os.link(temporary, path)
    except FileExistsError:
        return
    except OSError:  # a file system without links, such as exFAT
        if not path.exists():
            temporary.replace(path)
