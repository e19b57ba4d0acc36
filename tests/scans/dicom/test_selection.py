from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tumorlens.errors import InputError
from tumorlens.scans import Reading
from tumorlens.scans.dicom import DicomSeries, SeriesChoice, index_dicom, parse_series, select_series

CORONAL = (1.0, 0.0, 0.0, 0.0, 0.0, -1.0)
SMALL = np.arange(64, dtype=np.uint16).reshape(8, 8)


@pytest.fixture
def series(tmp_path: Path, write_dicom: Callable[..., Path]) -> tuple[DicomSeries, ...]:
    """Two axial kinds, one coronal, one CT, one without orientation."""
    kinds = {
        "flair": {"extra": {"SeriesDescription": "AX FLAIR Mrs Miller"}},
        "t1": {"extra": {"SeriesDescription": "Ax T1 mprage +C"}},
        "cor": {"extra": {"SeriesDescription": "COR FLAIR"}, "orientation": CORONAL},
        "ct": {"extra": {"SeriesDescription": "HEAD", "Modality": "CT"}},
        "shot": {"extra": {"SeriesDescription": "screen save", "Modality": "OT"}, "orientation": None},
    }
    files = [write_dicom(tmp_path / f"{name}.dcm", SMALL, series=name, **kind) for name, kind in kinds.items()]
    return index_dicom(files).series


def names(series: tuple[DicomSeries, ...]) -> list[str]:
    return [item.slices[0].path.stem for item in series]


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("", SeriesChoice()),
        ("flair", SeriesChoice(descriptions=("flair",))),
        (
            "modality=MR,plane=axial,description=flair",
            SeriesChoice(modality="MR", plane="axial", descriptions=("flair",)),
        ),
        (" Sequence = T1C , ax", SeriesChoice(sequence="T1C", descriptions=("ax",))),
    ],
)
def test_choices_are_read(text: str, choice: SeriesChoice) -> None:
    assert parse_series(text) == choice


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("weight=t1", "Expected --series with modality=, plane=, sequence=, description=, got 'weight=t1'"),
        ("modality=", "gives modality twice or blank"),
        ("modality=MR,modality=CT", "gives modality twice or blank"),
        ("plane=upright", "Expected --series plane=axial, coronal, sagittal"),
    ],
)
def test_choices_that_mean_nothing_are_refused(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_series(text)


@pytest.mark.parametrize(
    ("reading", "expected"),
    [
        (Reading(), ["flair", "t1", "ct"]),
        (Reading(series="FLAIR"), ["flair"]),
        (Reading(series="modality=mr"), ["flair", "t1"]),
        (Reading(series="sequence=t1c"), ["t1"]),
        (Reading(series="flair", plane="coronal"), ["cor"]),
        (Reading(series="plane=axial,modality=CT"), ["ct"]),
        (Reading(series="screen"), ["shot"]),
    ],
)
def test_series_are_chosen(series: tuple[DicomSeries, ...], reading: Reading, expected: list[str]) -> None:
    assert names(select_series(series, reading).series) == expected


def test_notes_count_what_is_left_out_and_hold_no_free_text(series: tuple[DicomSeries, ...]) -> None:
    notes = select_series(series, Reading()).notes
    assert "1 slices of other planes than axial were left out." in notes
    assert "1 slices that do not say their orientation were left out." in notes
    assert "Miller" not in " ".join(notes)
    kinds = "MR FLAIR axial (1 series, 1 slices), MR T1C axial (1 series, 1 slices), CT axial (1 series, 1 slices)"
    assert notes[-1] == f"Series of different kinds are read together: {kinds}. --series chooses among them."
    assert "2 of 5 series were left out by --series." in select_series(series, Reading(series="modality=MR")).notes or (
        select_series(series, Reading(series="modality=MR")).notes[0].startswith("2 of 5")
    )


def test_slices_that_say_no_orientation_are_axial_where_none_says_it(series: tuple[DicomSeries, ...]) -> None:
    found = select_series(series, Reading(series="modality=OT"))
    assert names(found.series) == ["shot"]
    assert any("were taken as axial" in note for note in found.notes)
    with pytest.raises(InputError, match="No slice is coronal; there are OT unknown plane"):
        select_series(series, Reading(series="modality=OT", plane="coronal"))


@pytest.mark.parametrize(
    ("reading", "message"),
    [
        (
            Reading(series="plane=coronal"),
            "--series asks for plane=coronal, but the plane is axial: give --plane coronal",
        ),
        (Reading(series="dixon"), "No series fits --series 'dixon'; there are MR FLAIR"),
        (Reading(plane="sagittal"), "No slice is sagittal; there are"),
    ],
)
def test_choices_that_leave_nothing_are_refused(
    series: tuple[DicomSeries, ...], reading: Reading, message: str
) -> None:
    with pytest.raises(InputError, match=message) as caught:
        select_series(series, reading)
    assert "Miller" not in str(caught.value)
