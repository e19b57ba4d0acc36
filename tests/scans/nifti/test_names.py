from __future__ import annotations

from pathlib import Path

import pytest

from tumorlens.scans.nifti import is_nifti, nifti_stem


@pytest.mark.parametrize(
    ("name", "stem"),
    [("a.nii", "a"), ("a.nii.gz", "a"), ("B.NII.GZ", "B"), ("p.1_flair.nii.gz", "p.1_flair"), ("a.b.nii", "a.b")],
)
def test_volumes_are_known_by_name(name: str, stem: str) -> None:
    assert is_nifti(Path("x") / name)
    assert nifti_stem(Path("x") / name) == stem


@pytest.mark.parametrize("name", ["a.gz", "a.nii.png", "nii", "a.hdr", "a.img", "a.nii.gz.txt"])
def test_other_names_are_none(name: str) -> None:
    assert not is_nifti(Path(name))
    assert nifti_stem(Path(name)) == name
