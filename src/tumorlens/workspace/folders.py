"""Where things lie: one folder of plain files holds data sets, features, graphs and runs.

Knows nothing about what is inside them. All paths stored in a workspace are relative, so it can be moved.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

from tumorlens.errors import InputError, IntegrityError
from tumorlens.workspace.atomic import write_json

__all__ = ["FORMAT_VERSION", "Workspace", "check_name"]

FORMAT_VERSION = 1
_DEFAULT_FOLDER = "tumorlens-workspace"
_RESERVED = {"CON", "PRN", "AUX", "NUL", *(f"{device}{n}" for device in ("COM", "LPT") for n in range(1, 10))}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def check_name(name: str, *, of: str) -> str:
    """Return ``name`` if it can name a folder on every system.

    Args:
        name: The name a user gave.
        of: What it names, for the message ("data set").

    Raises:
        InputError: It has other characters than letters, digits, ``.``, ``_`` and ``-``, or starts with a sign.
    """
    if not _NAME.fullmatch(name) or name.endswith(".") or name.split(".")[0].upper() in _RESERVED:
        raise InputError(
            f"A {of}'s name must be 1 to 100 letters, digits, '.', '_' or '-', start with a letter or digit and be no "
            "reserved word such as CON, "
            f"got {name!r}: choose another name."
        )
    return name


@dataclass(frozen=True)
class Workspace:
    """The folder that holds everything tumorlens keeps.

    Attributes:
        root: Its path; made when something is first written.
    """

    root: Path

    @classmethod
    def locate(cls, path: str | Path | None = None) -> Workspace:
        """Find the workspace: ``path``, else ``$TUMORLENS_HOME``, else ``./tumorlens-workspace``.

        Raises:
            InputError: The path is a file.
            IntegrityError: The workspace was written by a newer tumorlens.
        """
        root = Path(path or os.environ.get("TUMORLENS_HOME") or _DEFAULT_FOLDER).expanduser()
        if root.exists() and not root.is_dir():
            raise InputError(f"The workspace must be a folder, but {root} is a file: give another --workspace.")
        marker = root / "workspace.json"
        if marker.is_file():
            version = _read_version(marker)
            if version > FORMAT_VERSION:
                raise IntegrityError(
                    f"The workspace {root} has format {version}, this tumorlens reads up to {FORMAT_VERSION}: "
                    "upgrade tumorlens or give another --workspace."
                )
        return cls(root)

    def create(self) -> Workspace:
        """Make the folder and its marker if they are not there; return self."""
        marker = self.root / "workspace.json"
        if not marker.is_file():
            write_json(marker, {"format": FORMAT_VERSION, "made_by": "tumorlens"})
        return self

    @property
    def datasets(self) -> Path:
        """One folder per data set."""
        return self.root / "datasets"

    @property
    def features(self) -> Path:
        """The feature store."""
        return self.root / "features"

    @property
    def graphs(self) -> Path:
        """Converted networks."""
        return self.root / "graphs"

    @property
    def runs(self) -> Path:
        """One folder per run."""
        return self.root / "runs"

    @property
    def comparisons(self) -> Path:
        """One folder per comparison."""
        return self.root / "comparisons"

    @property
    def cross_validations(self) -> Path:
        """One folder per cross-validated network and head: predictions and figures."""
        return self.root / "cross-validations"

    @property
    def searches(self) -> Path:
        """One folder per search of hyper-parameters."""
        return self.root / "searches"

    @property
    def audits(self) -> Path:
        """One folder per audit."""
        return self.root / "audits"

    @property
    def training(self) -> Path:
        """Work of child processes that train: kept, with its log, only where training failed."""
        return self.root / "training"

    @property
    def patient_key(self) -> Path:
        """The secret that patient ids of DICOM files are hashed with; stays here, in no bundle or export."""
        return self.root / "patient-key"

    @property
    def ledger(self) -> Path:
        """The record of every opening of a test part."""
        return self.root / "ledger.jsonl"


def _read_version(marker: Path) -> int:
    try:
        return int(json.loads(marker.read_text(encoding="utf-8"))["format"])
    except (ValueError, KeyError, TypeError) as error:
        raise IntegrityError(
            f"{marker} is damaged (expected JSON with a number under 'format'): restore or delete it."
        ) from error
