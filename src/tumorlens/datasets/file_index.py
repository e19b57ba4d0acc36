"""Finds the file that a table means: by path or name, with or without suffix."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path, PurePosixPath

from tumorlens.errors import InputError

__all__ = ["FileIndex"]


class FileIndex:
    """The scan files of a folder, by every name a table may use for them."""

    def __init__(self, folder: Path, files: list[Path]) -> None:
        self._folder = PurePosixPath(folder.absolute().as_posix()).parts
        self._by_path: dict[str, list[Path]] = defaultdict(list)
        self._by_name: dict[str, list[Path]] = defaultdict(list)
        for file in files:
            relative = file.relative_to(folder).as_posix()
            for path in {relative, relative.removesuffix(file.suffix)}:
                self._by_path[path].append(file)
            for name in {file.name, file.stem}:
                self._by_name[name].append(file)

    def find(self, name: str) -> Path | None:
        """Return the file that ``name`` means, or ``None``.

        A name without a folder may lie at any depth. One with folders is a path from the folder given, or from one
        above it: ``"images/a.png"`` is found when the folder ``images`` itself was given, and a file ``a.png``
        elsewhere is never taken for it.

        Raises:
            InputError: It could mean several files.
        """
        parts = PurePosixPath(name.replace("\\", "/")).parts
        if len(parts) == 1:
            return _only(self._by_name.get(parts[0], []), name)
        for start in range(len(parts)):
            if parts[:start] == self._folder[len(self._folder) - start :]:
                file = _only(self._by_path.get("/".join(parts[start:]), []), name)
                if file is not None:
                    return file
        return None


def _only(files: list[Path], name: str) -> Path | None:
    if len(files) > 1:
        shown = " and ".join(str(file) for file in files[:2])
        raise InputError(
            f"The image name {name!r} could mean {shown}: write the path in the table, or "
            "give the folder that holds only the images."
        )
    return files[0] if files else None
