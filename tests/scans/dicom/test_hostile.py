from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from tumorlens.errors import InputError, NotFoundError
from tumorlens.scans import ReadLimits, quiet_decoding
from tumorlens.scans.dicom import dicomdir_files, is_dicom, read_dicom
from tumorlens.scans.dicom.inflating import inflate

Writer = Callable[..., Path]
SYNTAXES = [
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    DeflatedExplicitVRLittleEndian,
    RLELossless,
    JPEGLSLossless,
    JPEG2000Lossless,
]


def refused(file: Path, message: str, **options: object) -> None:
    with pytest.raises(InputError, match=message) as caught, quiet_decoding():
        list(read_dicom(file, **options))
    text = str(caught.value)
    assert file.name in text
    assert "\n" not in text
    assert "Secret" not in text
    assert "Anna" not in text


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda uid: uid.keyword)
@pytest.mark.parametrize("kept", [0.3, 0.7, 0.97])
def test_truncated_files_are_refused(
    tmp_path: Path, write_dicom: Writer, make_phantom: Callable, syntax: object, kept: float
) -> None:
    file = write_dicom(tmp_path / "a.dcm", make_phantom(1, size=48), syntax=syntax)
    whole = file.read_bytes()
    file.write_bytes(whole[: int(len(whole) * kept)])
    refused(file, "truncated|damaged|without pictures")


@pytest.mark.parametrize(
    ("keyword", "value", "message"),
    [
        ("Rows", 64, "is truncated"),
        ("Rows", 0, "has no pixels"),
        ("Columns", 65535, "is truncated|limit"),
        ("NumberOfFrames", 100_000, "says that it holds 100000 frames, expected 1 to 5000"),
        ("NumberOfFrames", 4, "is truncated"),
        ("BitsAllocated", 12, "has 12 bits a value, expected 8, 16 or 32"),
        ("BitsStored", 17, "its BitsStored is 17, expected 1 to 16"),
        ("HighBit", 3, "its highest bit is 3"),
        ("SamplesPerPixel", 3, "with 3 values a pixel, expected 1"),
        ("PhotometricInterpretation", "CMYK", "photometric interpretation that is not read"),
        ("PixelRepresentation", 7, "its PixelRepresentation is 7"),
    ],
)
def test_headers_that_contradict_the_pixels_are_refused(
    tmp_path: Path, write_dicom: Writer, make_phantom: Callable, keyword: str, value: object, message: str
) -> None:
    refused(write_dicom(tmp_path / "a.dcm", make_phantom(2), extra={keyword: value}), message)


def test_giant_pictures_are_refused_before_decoding(
    tmp_path: Path, write_dicom: Writer, make_phantom: Callable
) -> None:
    giant = {"Rows": 60000, "Columns": 60000}
    refused(write_dicom(tmp_path / "a.dcm", make_phantom(3), extra=giant), "60000x60000 pixels, the limit for one scan")
    many = {"Rows": 7000, "Columns": 7000, "NumberOfFrames": 5000}
    refused(write_dicom(tmp_path / "b.dcm", make_phantom(3), extra=many), "decodes to 490000 MB, the limit")
    bomb = {"Rows": 7000, "Columns": 7000, "NumberOfFrames": 2}
    refused(write_dicom(tmp_path / "c.dcm", make_phantom(3), extra=bomb), "as a decompression bomb does")
    file = write_dicom(tmp_path / "d.dcm", make_phantom(3))
    refused(file, "the limit for one (file|image) is", limits=ReadLimits(file_bytes=500))
    refused(file, "32x32 pixels, the limit", limits=ReadLimits(pixels=1023))
    assert next(read_dicom(file, limits=ReadLimits(pixels=1024))).pixels.shape == (32, 32, 3)


@pytest.mark.parametrize("syntax", [JPEGLSLossless, JPEG2000Lossless], ids=lambda uid: uid.keyword)
def test_a_codestream_of_another_size_than_the_header_is_refused(
    tmp_path: Path, write_dicom: Writer, make_phantom: Callable, syntax: object
) -> None:
    file = write_dicom(tmp_path / "a.dcm", make_phantom(4), syntax=syntax)
    data = file.read_bytes()
    if syntax == JPEG2000Lossless:
        place = data.index(b"\xff\x4f\xff\x51") + 8
        changed = data[:place] + struct.pack(">II", 30000, 30000) + data[place + 8 :]
    else:
        place = data.index(b"\xff\xf7") + 5
        changed = data[:place] + struct.pack(">HH", 30000, 30000) + data[place + 4 :]
    file.write_bytes(changed)
    refused(file, r"its header says 32x32 pixels of 1 values, its compressed pixels 30000x30000 of 1")


def test_a_deflate_bomb_is_refused_before_it_unfolds(
    tmp_path: Path, write_dicom: Writer, make_phantom: Callable
) -> None:
    file = write_dicom(tmp_path / "a.dcm", make_phantom(5), syntax=DeflatedExplicitVRLittleEndian)
    meta = pydicom.dcmread(file).file_meta
    head = file.read_bytes()[: 132 + 12 + int(meta.FileMetaInformationGroupLength)]
    packer = zlib.compressobj(9, wbits=-15)
    element = struct.pack("<HH2sHI", 0x0009, 0x1001, b"OB", 0, 30_000_000)
    packed = packer.compress(element) + packer.compress(bytes(30_000_000)) + packer.flush()
    file.write_bytes(head + packed)
    refused(file, "as a decompression bomb does", limits=ReadLimits(ratio_from_bytes=1_000_000))
    refused(file, "decodes to", limits=ReadLimits(decoded_bytes=10_000_000))


def test_inflating_stops_at_the_limit() -> None:
    packer = zlib.compressobj(9, wbits=-15)
    packed = packer.compress(bytes(10**6)) + packer.flush()
    assert inflate(packed, limits=ReadLimits(), source="a") == bytes(10**6)
    with pytest.raises(InputError, match="decodes to"):
        inflate(packed, limits=ReadLimits(decoded_bytes=10**6 - 1), source="a")
    with pytest.raises(InputError, match="truncated"):
        inflate(packed[:-5], limits=ReadLimits(), source="a")
    with pytest.raises(InputError, match="damaged"):
        inflate(b"\xff" * 50, limits=ReadLimits(), source="a")


def test_lengths_that_a_header_claims_are_not_believed(tmp_path: Path) -> None:
    element = struct.pack("<HH2sH", 0x0002, 0x0010, b"UI", 20) + b"1.2.840.10008.1.2.1\0"
    giant = struct.pack("<HH2sHI", 0x0009, 0x1010, b"OB", 0, 0xFFFFFFF0)
    file = tmp_path / "a.dcm"
    file.write_bytes(bytes(128) + b"DICM" + element + giant)
    refused(file, "without pictures|damaged|not a readable")


def test_deeply_nested_sequences_end_in_one_sentence(tmp_path: Path) -> None:
    element = struct.pack("<HH2sH", 0x0002, 0x0010, b"UI", 20) + b"1.2.840.10008.1.2.1\0"
    nest = struct.pack("<HH2sHI", 0x0040, 0x0275, b"SQ", 0, 0xFFFFFFFF) + struct.pack(
        "<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF
    )
    file = tmp_path / "a.dcm"
    file.write_bytes(bytes(128) + b"DICM" + element + nest * 5000)
    refused(file, "damaged|without pictures")


@pytest.mark.parametrize("data", [b"", b"text" * 100, bytes(200), bytes(128) + b"DICM"])
def test_what_is_no_dicom_is_refused(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "a.dcm"
    file.write_bytes(data)
    refused(file, "is empty|is not a readable DICOM file|damaged|without pictures")
    assert is_dicom(file) == data.endswith(b"DICM")


def test_missing_files_and_folders_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="does not exist"):
        read_dicom(tmp_path / "a.dcm")
    with pytest.raises(InputError, match="is a folder"):
        read_dicom(tmp_path)


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(place=st.floats(0, 1), value=st.binary(min_size=1, max_size=4), which=st.integers(0, len(SYNTAXES) - 1))
def test_changed_bytes_give_scans_or_one_sentence(
    tmp_path: Path, write_dicom: Writer, make_phantom: Callable, place: float, value: bytes, which: int
) -> None:
    file = tmp_path / f"{which}.dcm"
    if not file.exists():
        write_dicom(file, make_phantom(6), syntax=SYNTAXES[which])
    data = bytearray(file.read_bytes())
    start = 132 + int(place * (len(data) - 136))
    data[start : start + len(value)] = value
    changed = tmp_path / "changed.dcm"
    changed.write_bytes(data)
    with quiet_decoding():
        try:
            scans = list(read_dicom(changed))
        except InputError as error:
            assert "\n" not in str(error)
            assert "Secret" not in str(error)
        else:
            assert all(scan.pixels.dtype == np.uint8 and scan.pixels.shape[2] == 3 for scan in scans)


def dicomdir(folder: Path, *references: list[str]) -> Path:
    """A DICOMDIR that names files by the parts of their paths."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.sequence import Sequence as Items

    records = []
    for parts in references:
        record = Dataset()
        record.DirectoryRecordType = "IMAGE"
        record.ReferencedFileID = parts
        records.append(record)
    directory = Dataset()
    directory.DirectoryRecordSequence = Items(records)
    directory.file_meta = FileMetaDataset()
    directory.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    directory.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.1.3.10"
    directory.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    folder.mkdir(exist_ok=True)
    directory.save_as(folder / "DICOMDIR", enforce_file_format=True)
    return folder / "DICOMDIR"


def test_a_dicomdir_names_the_files_of_its_folder(tmp_path: Path, write_dicom: Writer, make_phantom: Callable) -> None:
    first = write_dicom(tmp_path / "disc" / "SUB" / "IM1", make_phantom(7))
    second = write_dicom(tmp_path / "disc" / "sub2" / "im2", make_phantom(7))
    file = dicomdir(tmp_path / "disc", ["SUB", "IM1"], ["SUB2", "IM2"], ["SUB", "GONE"])
    assert dicomdir_files(file) == ([first, second], 1)


@pytest.mark.parametrize(
    "parts",
    [["..", "..", "etc", "passwd"], ["..", "SECRET"], ["/etc/passwd"], ["SUB/../../SECRET"], ["C:SECRET"], ["."]],
)
def test_a_dicomdir_that_leads_outside_is_refused(tmp_path: Path, parts: list[str]) -> None:
    (tmp_path / "SECRET").write_text("x")
    with quiet_decoding():
        file = dicomdir(tmp_path / "disc", parts)
        with pytest.raises(InputError, match="names a file outside its own folder"):
            dicomdir_files(file)


def test_a_dicomdir_that_names_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "SECRET").mkdir()
    (tmp_path / "SECRET" / "IM1").write_text("x")
    file = dicomdir(tmp_path / "disc", ["SUB", "IM1"])
    (tmp_path / "disc" / "SUB").symlink_to(tmp_path / "SECRET")
    with pytest.raises(InputError, match="names a link"):
        dicomdir_files(file)


def test_a_damaged_dicomdir_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "DICOMDIR"
    file.write_bytes(b"junk" * 50)
    with pytest.raises(InputError, match="is no readable DICOMDIR"):
        dicomdir_files(file)
