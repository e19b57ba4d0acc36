"""What every kind of source becomes before anything is decoded: rows and how to read them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tumorlens.scans import Scan

__all__ = ["LabelOptions", "ScanSource", "SourceRow"]


@dataclass(frozen=True)
class LabelOptions:
    """How a source says what its scans are.

    Attributes:
        labels: A CSV file with a row per image, where there is one.
        image_column: Its column of image names; guessed if ``None``.
        label_column: Its column of labels; guessed if ``None``.
        group_column: Its column of patient ids (an array's name for ``.npz``), if known.
        keep_columns: Further columns to keep in the manifest.
    """

    labels: Path | None = None
    image_column: str | None = None
    label_column: str | None = None
    group_column: str | None = None
    keep_columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class SourceRow:
    """One scan to import.

    Attributes:
        source: Its name relative to the source folder, with forward slashes (``"a.npz#12"`` for
            arrays).
        label: Its label as the source has it.
        patient: The patient's id, where the source names one.
        extra: Values of further manifest columns.
    """

    source: str
    label: str
    patient: str | None = None
    extra: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ScanSource:
    """All scans to import, in import order.

    Attributes:
        rows: One a scan.
        loaders: Called, gives one function a row that reads the row's scan.
        notes: What was found or guessed, for the user.
        from_volumes: Whether they come from DICOM or NIfTI files, to which plane and window apply.
    """

    rows: tuple[SourceRow, ...]
    loaders: Callable[[], Iterator[Callable[[], Scan]]]
    notes: tuple[str, ...] = ()
    from_volumes: bool = False
