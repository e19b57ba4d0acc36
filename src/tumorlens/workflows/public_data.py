"""The Python face of data sets: the same workflows as ``tumorlens data``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from tumorlens import datasets
from tumorlens.datasets import Dataset
from tumorlens.progress import SILENT, Progress
from tumorlens.workflows.reading_options import mask_options, reading_options
from tumorlens.workspace import Workspace

__all__ = ["import_scans", "load_scans"]


def import_scans(
    source: str | Path,
    *,
    name: str,
    labels: str | Path | None = None,
    image_column: str | None = None,
    label_column: str | None = None,
    group_column: str | None = None,
    group_pattern: str | None = None,
    class_names: Mapping[str, str] | None = None,
    keep_columns: Sequence[str] = (),
    drop_conflicts: bool = False,
    skip_unreadable: bool = False,
    replace: bool = False,
    synthetic: bool = False,
    window: str = "percentiles",
    plane: str = "axial",
    series: str = "",
    crop: str = "none",
    harmonise: bool = False,
    mask_pattern: str | None = None,
    mask_labels: str | None = None,
    min_lesion_mm2: float = 30.0,
    layout: str | None = None,
    sequence: str = "flair",
    workspace: str | Path | None = None,
    progress: Progress = SILENT,
) -> Dataset:
    """Bring labelled scans into the workspace.

    Args:
        source: A folder (class folders, or images with a CSV; pictures, DICOM files or NIfTI volumes), a ``.zip`` of
            one, or an ``.npz`` file with ``X`` and ``Y``.
        name: What to call the data set.
        labels: CSV with image names and labels.
        image_column: Its column of image names; guessed by default.
        label_column: Its column of labels; guessed by default.
        group_column: Its column of patients.
        group_pattern: Regular expression whose one group finds the patient in a file's relative path.
        class_names: Other names for labels, by label.
        keep_columns: Further CSV columns to keep in the manifest.
        drop_conflicts: Leave out scans that carry two labels instead of raising.
        skip_unreadable: Leave out files that cannot be read instead of raising.
        replace: Replace a data set of the same name.
        synthetic: Mark every result as synthetic.
        window: Grey levels of DICOM and NIfTI: ``percentiles``, ``dicom``, ``dicom:NUMBER`` or ``LOW,HIGH``.
        plane: Plane of DICOM and NIfTI: ``axial``, ``coronal`` or ``sagittal``.
        series: DICOM series to read, such as ``"modality=MR,description=flair"``; blank: all of the plane.
        crop: ``brain`` cuts every scan to the square around the head.
        harmonise: Whether scans are made more alike: skull stripped, cut around the head, grey levels standardised.
        mask_pattern: Lesion mask beside each NIfTI image, such as ``"{stem}_seg.nii.gz"``.
        mask_labels: Mask values that mean tumour, by commas; all above 0 by default.
        min_lesion_mm2: Tumour area in mm2 from which on a slice counts as tumour.
        layout: ``brats`` for a BraTS folder.
        sequence: Which sequence of such a folder.
        workspace: Folder of the workspace; ``$TUMORLENS_HOME`` or ``./tumorlens-workspace`` by default.
        progress: Told of every file.

    Returns:
        The data set.

    Raises:
        InputError: The scans or labels cannot be used; the message says what to do.
    """
    return datasets.import_scans(
        Path(source),
        workspace=Workspace.locate(workspace).create(),
        name=name,
        labels=None if labels is None else Path(labels),
        image_column=image_column,
        label_column=label_column,
        group_column=group_column,
        group_pattern=group_pattern,
        class_names=class_names or {},
        keep_columns=tuple(keep_columns),
        drop_conflicts=drop_conflicts,
        skip_unreadable=skip_unreadable,
        replace=replace,
        synthetic=synthetic,
        reading=reading_options(window=window, plane=plane, series=series, crop=crop, harmonise=harmonise),
        masks=mask_options(
            pattern=mask_pattern,
            labels=mask_labels,
            min_lesion_mm2=min_lesion_mm2,
            layout=layout,
            sequence=sequence,
        ),
        progress=progress,
    ).dataset


def load_scans(name: str, *, workspace: str | Path | None = None) -> Dataset:
    """A data set imported earlier.

    Args:
        name: What it is called.
        workspace: Folder of the workspace.

    Raises:
        NotFoundError: There is none of that name.
    """
    return datasets.load_dataset(Workspace.locate(workspace), name)
