"""Puts Br35H and the four-class set of Nickparvar into one folder with two classes: they share copies, so they are one
source.

    abroad.py BR35H NICKPARVAR FOLDER
    tumorlens data import FOLDER --name abroad

``BR35H`` has the folders ``yes`` and ``no``, ``NICKPARVAR`` has ``Training`` and ``Testing`` with four classes each.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Iterator
from pathlib import Path

from tumorlens.workspace import atomic_directory

_BR35H = {"yes": "tumor", "no": "no_tumor"}
_NICKPARVAR = {"glioma": "tumor", "meningioma": "tumor", "pituitary": "tumor", "notumor": "no_tumor"}


def main() -> None:
    """Copy every scan under a name that says where it is from."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("br35h", "nickparvar", "folder"):
        parser.add_argument(name, type=Path)
    arguments = parser.parse_args()
    with atomic_directory(arguments.folder) as folder:
        for file, name in _scans(arguments.br35h, arguments.nickparvar):
            (folder / name).parent.mkdir(exist_ok=True)
            shutil.copyfile(file, folder / name)


def _scans(br35h: Path, nickparvar: Path) -> Iterator[tuple[Path, str]]:
    for label, renamed in _BR35H.items():
        yield from ((file, f"{renamed}/br35h-{label}-{file.name}") for file in sorted((br35h / label).iterdir()))
    for part in ("Training", "Testing"):
        for label, renamed in _NICKPARVAR.items():
            files = sorted((nickparvar / part / label).iterdir())
            yield from ((file, f"{renamed}/nickparvar-{part}-{label}-{file.name}") for file in files)


if __name__ == "__main__":
    main()
