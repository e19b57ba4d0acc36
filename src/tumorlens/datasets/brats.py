"""Cases of a BraTS folder (Brain Tumor Segmentation challenge), by the file names of its releases.

Releases 2017 to 2021 name files ``BraTS19_TCIA01_1_1_flair.nii.gz`` and ``…_seg.nii.gz``; the folder is the patient.
Their masks hold 1 (necrotic and non-enhancing core), 2 (oedema) and 4 (enhancing); Bakas et al. 2018
(arXiv:1811.02629), Baid et al. 2021 (arXiv:2107.02314).
Releases from 2023 on name files ``BraTS-GLI-00000-000-t2f.nii.gz`` and ``…-seg.nii.gz``: three letters for the
collection, the patient, the time point. Adult gliomas (GLI) hold 1 (necrotic or non-enhancing core), 2 (oedema, or
non-enhancing hyperintensity around it) and 3 (enhancing), and since 2024, after treatment, 4: the resection cavity,
which is no tumour and does not count; de Verdier et al. 2024 (arXiv:2405.18368). What 4 means in the other collections
of these releases (meningioma, metastases, children, …) differs and is not settled here: there all values above 0
count, and a note says so, unless ``--mask-labels`` names the values.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tumorlens.datasets.nifti_masks import MaskOptions
from tumorlens.datasets.nifti_volumes import VolumeFile
from tumorlens.errors import InputError

__all__ = ["BRATS_SEQUENCES", "list_brats"]

BRATS_SEQUENCES: dict[str, str] = {"flair": "t2f", "t1": "t1n", "t1ce": "t1c", "t2": "t2w"}
"""The sequences of a case: names up to 2021, and from 2023 on."""

_NAMES = "|".join((*BRATS_SEQUENCES.keys(), *BRATS_SEQUENCES.values(), "seg"))
_UNTIL_2021 = re.compile(rf"(?P<patient>BraTS\w*?)_(?P<kind>{_NAMES})\.nii(\.gz)?", re.IGNORECASE)
_FROM_2023 = re.compile(
    rf"(?P<patient>BraTS-(?P<collection>[A-Z]+)-\d+)-(?P<point>\d+)-(?P<kind>{_NAMES})\.nii(\.gz)?", re.IGNORECASE
)
_OLD = "2017 TO 2021"
_CORE_OEDEMA_ENHANCING = {_OLD: (1, 2, 4), "GLI": (1, 2, 3)}
_ODD_MASK = re.compile(r"seg", re.IGNORECASE)


@dataclass
class _Case:
    """The files of one patient at one time; mask and image as far as they were met."""

    patient: str
    release: str
    point: str
    image: Path | None = None
    mask: Path | None = None


def list_brats(folder: Path, files: Sequence[Path], masks: MaskOptions) -> tuple[list[VolumeFile], list[str]]:
    """List the volumes of one sequence, with masks and patients.

    Args:
        folder: The folder of a release, cases at any depth.
        files: Its NIfTI files, in order.
        masks: The sequence, by either name, and mask values to take instead of the release's.

    Returns:
        One volume a case that has a mask, and what was left out, for the user.

    Raises:
        InputError: The sequence is unknown, or no case of it is there.
    """
    sequence = _sequence(masks.sequence)
    cases = _cases(folder, files, sequence)
    found = [case for case in cases.values() if case.image is not None]
    complete = [case for case in found if case.mask is not None]
    if not complete:
        raise InputError(
            f"{folder} holds no BraTS case with {sequence} and its mask (BraTS20_Training_001_flair.nii.gz with "
            "…_seg.nii.gz, BraTS-GLI-00000-000-t2f.nii.gz with …-seg.nii.gz): check the path and --sequence."
        )
    volumes = [_volume(folder, case, masks) for case in complete]
    patients = len({volume.patient for volume in volumes})
    notes = [f"BraTS: {len(volumes)} {sequence} volumes of {patients} patients ({_releases(complete)})."]
    if len(found) > len(complete):
        first = next(case.image for case in found if case.image and case.mask is None).relative_to(folder).as_posix()
        notes.append(f"{len(found) - len(complete)} volumes without a mask were left out (the first: {first}).")
    if not masks.labels:
        notes += _label_notes({case.release for case in complete})
    return volumes, notes


def _label_notes(releases: set[str]) -> list[str]:
    notes = []
    if "GLI" in releases:
        notes.append(
            "Mask values 1, 2 and 3 count as tumour; 4, the resection cavity after treatment, does not: a slice "
            "with nothing but a cavity is no_tumor."
        )
    others = sorted(releases - set(_CORE_OEDEMA_ENHANCING))
    if others:
        notes.append(
            f"In the collection {', '.join(others)} all mask values above 0 count as tumour: give --mask-labels if one "
            "of them, such as a resection cavity, is none."
        )
    return notes


def _sequence(text: str) -> str:
    wanted = text.lower()
    for old, new in BRATS_SEQUENCES.items():
        if wanted in (old, new):
            return old
    known = ", ".join(f"{old} ({new})" for old, new in BRATS_SEQUENCES.items())
    raise InputError(f"Expected --sequence {known}, got {text!r}.")


def _cases(folder: Path, files: Sequence[Path], sequence: str) -> dict[tuple[Path, str, str], _Case]:
    """Files of a case lie in one folder; a mask with an odd name, alone in a case's own folder, is taken too."""
    cases: dict[tuple[Path, str, str], _Case] = {}
    odd: list[Path] = []
    for file in files:
        match = _FROM_2023.fullmatch(file.name) or _UNTIL_2021.fullmatch(file.name)
        if match is None:
            odd.append(file)
            continue
        groups = match.groupdict()
        key = (file.parent, groups["patient"], groups.get("point") or "")
        case = cases.setdefault(key, _Case(groups["patient"], groups.get("collection", _OLD).upper(), key[2]))
        kind = groups["kind"].lower()
        if kind == "seg":
            case.mask = file
        elif kind in (sequence, BRATS_SEQUENCES[sequence]):
            case.image = file
    for case in cases.values():
        if case.image is not None and case.mask is None:
            case.mask = _odd_mask(case.image, cases, odd)
    return cases


def _odd_mask(image: Path, cases: dict[tuple[Path, str, str], _Case], odd: Sequence[Path]) -> Path | None:
    """The one mask of a case whose name breaks the rule, as ``W39_1998.09.19_Segm.nii`` in case 355 of 2020."""
    alone = sum(parent == image.parent for parent, _, _ in cases) == 1
    fitting = [file for file in odd if file.parent == image.parent and _ODD_MASK.search(file.name)]
    return fitting[0] if alone and len(fitting) == 1 else None


def _volume(folder: Path, case: _Case, masks: MaskOptions) -> VolumeFile:
    assert case.image is not None
    return VolumeFile(
        case.image,
        case.image.relative_to(folder).as_posix(),
        mask=case.mask,
        mask_labels=masks.labels or _CORE_OEDEMA_ENHANCING.get(case.release, ()),
        patient=case.patient,
        extra={"timepoint": case.point} if case.point else {},
    )


def _releases(cases: Sequence[_Case]) -> str:
    names = sorted({case.release for case in cases})
    return ", ".join("names as from 2017 to 2021" if name == _OLD else f"collection {name}" for name in names)
