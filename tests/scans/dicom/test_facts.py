from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tumorlens.scans import Reading, quiet_decoding
from tumorlens.scans.dicom import FACT_COLUMNS, read_dicom
from tumorlens.scans.nifti import read_volume

SMALL = np.arange(64, dtype=np.uint16).reshape(8, 8)
NUMBERS = re.compile(r"-?[0-9.e+-]*(x[0-9.e+-]+)?")
CODES = re.compile(r"[A-Z0-9_]{0,16}")


def facts(file: Path) -> dict[str, str]:
    return dict(next(read_dicom(file)).facts)


def test_facts_of_a_whole_header(tmp_path: Path, write_dicom: Callable[..., Path]) -> None:
    extra = {
        "Manufacturer": "SIEMENS Healthineers",
        "MagneticFieldStrength": 3,
        "ScanningSequence": ["SE", "IR"],
        "SequenceVariant": ["SK", "SP"],
        "SeriesDescription": "ward 7",
    }
    assert facts(write_dicom(tmp_path / "a.dcm", SMALL, z=-12.3456, extra=extra)) == {
        "modality": "MR",
        "plane": "axial",
        "sequence_type": "SE_IR_SK_SP",
        "field_strength_t": "3",
        "maker": "SIEMENS",
        "spacing_mm": "0.9",
        "slice_thickness_mm": "5",
        "slice_position_mm": "-12.35",
    }


@pytest.mark.parametrize(
    ("description", "expected"),
    [
        ("AX T2 FLAIR", "FLAIR"),
        ("t1_mprage_sag", "T1"),
        ("T1 POST GAD", "T1C"),
        ("ax t1+c", "T1C"),
        ("ep2d_diff_adc", "ADC"),
        ("T2* GRE", "T2_STAR"),
        ("pd_tse", "PD"),
        ("cat1 scan", ""),
    ],
)
def test_sequence_types_come_from_known_words_only(
    tmp_path: Path, write_dicom: Callable[..., Path], description: str, expected: str
) -> None:
    assert (
        facts(write_dicom(tmp_path / "a.dcm", SMALL, extra={"SeriesDescription": description}))["sequence_type"]
        == expected
    )


@pytest.mark.parametrize(
    ("extra", "column", "expected"),
    [
        ({"MagneticFieldStrength": 15000}, "field_strength_t", "1.5"),
        ({"MagneticFieldStrength": 80}, "field_strength_t", ""),
        ({"Manufacturer": "Dr. Miller's workshop"}, "maker", "OTHER"),
        ({"Manufacturer": "GE MEDICAL SYSTEMS"}, "maker", "GE"),
        ({"PixelSpacing": [0.5, 0.75]}, "spacing_mm", "0.5x0.75"),
        ({"Modality": "Mr M"}, "modality", "OTHER"),
        ({"Modality": "JOHNSMITH"}, "modality", "OTHER"),
        ({"Modality": "CT"}, "modality", "CT"),
        ({"Modality": ""}, "modality", ""),
    ],
)
def test_unlikely_values_become_codes_or_nothing(
    tmp_path: Path, write_dicom: Callable[..., Path], extra: dict, column: str, expected: str
) -> None:
    with quiet_decoding():
        assert facts(write_dicom(tmp_path / "a.dcm", SMALL, extra=extra))[column] == expected


LYING = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
PRONE = (-1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
CORONAL = (1.0, 0.0, 0.0, 0.0, 0.0, -1.0)
SAGITTAL = (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)
TILTED = (1.0, 0.0, 0.0, 0.0, 0.8, 0.6)


@pytest.mark.parametrize(
    ("orientation", "plane", "expected"),
    [
        (LYING, "axial", "7.00"),
        (PRONE, "axial", "7.00"),
        (CORONAL, "coronal", "-5.00"),
        (SAGITTAL, "sagittal", "-3.00"),
        (TILTED, "axial", "8.89"),
    ],
)
def test_slice_positions_are_those_of_the_centre_in_ras(
    tmp_path: Path, write_dicom: Callable[..., Path], orientation: tuple[float, ...], plane: str, expected: str
) -> None:
    """At x = 3 (left), y = 5 (back), z = 7 (up); the tilted one rises by 0.6 of 3.5 rows of 0.9 mm to its centre."""
    extra = {"ImagePositionPatient": [3, 5, 7]}
    file = write_dicom(tmp_path / "a.dcm", SMALL, orientation=orientation, extra=extra)
    assert next(read_dicom(file, Reading(plane=plane))).facts["slice_position_mm"] == expected


def test_slice_positions_agree_with_those_of_nifti_volumes(tmp_path: Path, write_dicom: Callable[..., Path]) -> None:
    import nibabel

    tilted = np.array(TILTED).reshape(2, 3)
    normal, corner = np.cross(*tilted), np.array([-20.0, 31.0, 4.0])
    affine = np.eye(4)
    affine[:3, :3] = np.stack([0.9 * tilted[0], 0.9 * tilted[1], 4 * normal], axis=1)
    affine[:3, 3] = corner
    affine[:2] *= -1
    nibabel.save(nibabel.Nifti1Image(np.ones((8, 8, 3), np.int16), affine), tmp_path / "a.nii")
    extra = {"ImagePositionPatient": corner.tolist()}
    file = write_dicom(tmp_path / "a.dcm", SMALL, orientation=TILTED, extra=extra)
    volume = read_volume(tmp_path / "a.nii")
    expected = volume.slice_position_mm("axial", 0)
    assert float(facts(file)["slice_position_mm"]) == pytest.approx(expected, abs=0.01)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters="\\"), max_size=16))
def test_no_free_text_of_a_header_gets_through(tmp_path: Path, write_dicom: Callable[..., Path], text: str) -> None:
    marked = f"Zyx{text}"[:16]
    keywords = ("Manufacturer", "SeriesDescription", "ProtocolName", "PatientID", "StudyDescription")
    extra = dict.fromkeys(keywords, marked) | {"ScanningSequence": marked.upper(), "InstitutionName": marked}
    with quiet_decoding():
        scan = next(read_dicom(write_dicom(tmp_path / "a.dcm", SMALL, extra=extra)))
    assert tuple(scan.facts) == FACT_COLUMNS
    for column, value in scan.facts.items():
        pattern = NUMBERS if column.endswith(("_mm", "_t")) else CODES
        assert column == "plane" or pattern.fullmatch(value), (column, value)
    written = " ".join((*scan.facts.values(), *scan.receipt, scan.mode, scan.format))
    assert "zyx" not in written.lower()
    assert "Secret" not in written
    assert "1960" not in written
