"""Finds the file that a table means: by path or name, with or without suffix."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path, PurePosixPath

from tumorlens.errors import InputError

__all__ = ["FileIndex"]


class FileIndex:
    """The scan files of a folder, by every name a table may use for them."""

    def __init__(self, folder: Path, files: list[Path]) -> None:
        self._by_name: dict[str, list[Path]] = defaultdict(list)
        for file in files:
            relative = file.relative_to(folder).as_posix()
            bare = relative.removesuffix(file.suffix)
            for name in {relative, bare, file.name, file.stem}:
                self._by_name[name].append(file)

    def find(self, name: str) -> Path | None:
        """Return the file that ``name`` means, or ``None``.

        The whole path is tried first, then without its leading folders, one after the other, so
        that ``"images/a.png"`` is found when the folder ``images`` itself was given.

        Raises:
            InputError: It could mean several files.
        """
        parts = PurePosixPath(name.replace("\\", "/")).parts
        for start in range(len(parts)):
            files = self._by_name.get("/".join(parts[start:]), [])
            if len(files) > 1:
                shown = " and ".join(str(file) for file in files[:2])
                raise InputError(
                    f"The image name {name!r} could mean {shown}: write the path in the table, or "
                    "give the folder that holds only the images."
                )
            if files:
                return files[0]
        return None
