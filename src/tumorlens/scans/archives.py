"""Unpacks a zipped study into a folder that is gone afterwards. Knows nothing about what its files are."""

from __future__ import annotations

import re
import shutil
import stat
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from tumorlens.errors import InputError
from tumorlens.scans.limits import DEFAULT_LIMITS, ReadLimits
from tumorlens.scans.zip_file import open_zip
from tumorlens.workspace import storage_errors, temporary_name

__all__ = ["unpacked"]

_CHUNK_BYTES = 1024 * 1024
_DEEPEST = 31
_LONGEST_PART = 255
_LONGEST_PATH = 1000
_UNFIT = re.compile(r'[<>:"|?*]|[. ]$')
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])( *\..*)?", re.IGNORECASE)


@contextmanager
def unpacked(path: Path, *, into: Path, limits: ReadLimits = DEFAULT_LIMITS) -> Iterator[Path]:
    """Unpack a zip file into a new folder below ``into``, which is removed when the block ends.

    The folder's name is one that :func:`tumorlens.workspace.remove_leftovers` knows, should the process be killed.
    Links, pipes and hidden files in the archive are left out. A zip file inside it is unpacked as a file and not
    opened. Characters that not every system takes in names, and names that Windows keeps for devices, become ``_``.

    Args:
        path: The zip file.
        into: Where the folder is made; made itself where it is missing.
        limits: Largest archive, member, number of members, and ratio of unpacked to packed.

    Yields:
        The folder.

    Raises:
        NotFoundError: There is no such file.
        InputError: It is not a readable zip file, is too large, grows too much, holds a name twice or one that would
            leave the folder. Nothing of it is left behind.
        StorageError: Disk full, no permission or read-only file system.
    """
    with storage_errors(into):
        into.mkdir(parents=True, exist_ok=True)
        folder = temporary_name(into / "unpacked")
    try:
        with open_zip(path, kind="zip archive", advice="zip the study again or unpack it yourself") as archive:
            members = _members(archive, path=path)
            _check_sizes(list(members.values()), path=path, limits=limits)
            with storage_errors(folder):
                folder.mkdir()
            for name, member in members.items():
                _write(archive, member, folder.joinpath(*name.parts), path=path)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _members(archive: zipfile.ZipFile, *, path: Path) -> dict[PurePosixPath, zipfile.ZipInfo]:
    """The files to unpack, by the name they get; no two of them the same, even where case does not count."""
    members: dict[PurePosixPath, zipfile.ZipInfo] = {}
    files: set[str] = set()
    folders: set[str] = set()
    for member in archive.infolist():
        name = _safe_name(member.orig_filename, path=path)
        if name is None or not _is_file(member):
            continue
        key, parents = str(name).casefold(), {str(parent).casefold() for parent in name.parents}
        if key in files or key in folders or parents & files:
            raise InputError(f"{path} holds the name {_shown(str(name))} twice: zip the study again.")
        files.add(key)
        folders |= parents
        members[name] = member
    return members


def _safe_name(name: str, *, path: Path) -> PurePosixPath | None:
    """The path below the folder; ``None`` for what is hidden or has no name.

    Raises:
        InputError: It would leave the folder, or is no name of a file.
    """
    slashed = name.replace("\\", "/")
    parts = [part for part in slashed.split("/") if part not in ("", ".")]
    leaves = ".." in parts or slashed.startswith("/") or re.match(r"[A-Za-z]:", slashed) is not None
    if leaves or _CONTROL.search(slashed):
        raise InputError(
            f"{path} holds the name {_shown(name)}, which leads out of its folder or is no file name: "
            "unpack it yourself and check it."
        )
    if any(part.startswith(".") for part in parts) or not parts:
        return None
    safe = PurePosixPath(*map(_safe_part, parts))
    too_long = any(len(part.encode()) > _LONGEST_PART for part in safe.parts) or len(str(safe)) > _LONGEST_PATH
    if too_long or len(parts) > _DEEPEST:
        raise InputError(
            f"{path} holds a name that is too long or more than {_DEEPEST} folders deep ({_shown(name)}): "
            "zip the study again with shorter names."
        )
    return safe


def _safe_part(part: str) -> str:
    fit = _UNFIT.sub("_", part)
    return f"_{fit}" if _RESERVED.fullmatch(fit) else fit


def _is_file(member: zipfile.ZipInfo) -> bool:
    kind = stat.S_IFMT(member.external_attr >> 16)
    return not member.orig_filename.endswith(("/", "\\")) and kind in (0, stat.S_IFREG)


def _check_sizes(members: list[zipfile.ZipInfo], *, path: Path, limits: ReadLimits) -> None:
    packed_bytes = path.stat().st_size
    total_bytes = sum(member.file_size for member in members)
    if len(members) > limits.archive_members:
        raise InputError(
            f"{path} holds {len(members)} files, the limit for one archive is {limits.archive_members}: split it."
        )
    if max(packed_bytes, total_bytes) > limits.archive_bytes:
        raise InputError(
            f"{path} unpacks to {total_bytes / 1e6:.0f} MB, the limit for one archive is "
            f"{limits.archive_bytes / 1e6:.0f} MB: split it."
        )
    limits.check_ratio(total_bytes, file_bytes=packed_bytes, source=str(path))
    for member in members:
        source = f"{_shown(member.filename)} in {path}"
        if member.file_size:
            limits.check_file(member.file_size, source=source)
        limits.check_ratio(member.file_size, file_bytes=member.compress_size, source=source)


def _write(archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, *, path: Path) -> None:
    """Write one member; :mod:`zipfile` gives no more bytes than the directory promised, and fewer fail its checksum."""
    try:
        with storage_errors(target), archive.open(member) as stream:
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("xb") as file:
                while chunk := stream.read(_CHUNK_BYTES):
                    file.write(chunk)
    except FileExistsError as error:
        raise InputError(f"{path} holds the name {_shown(member.filename)} twice: zip the study again.") from error


def _shown(name: str) -> str:
    """A name from the archive as text that fits into a sentence."""
    return ascii(name) if len(name) <= 100 else ascii(name[:97]) + "..."
