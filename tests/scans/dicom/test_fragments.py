from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.encaps import encapsulate, encapsulate_extended, itemize_fragment
from pydicom.uid import RLELossless

from tumorlens.scans.dicom import frames, read_dicom
from tumorlens.scans.dicom.fragments import find_frames, read_frame

FRAMES = [bytes([place]) * (40 + 2 * place) + b"\xff\xd9" for place in range(5)]
EMPTY_TABLE = b"\xfe\xff\x00\xe0" + bytes(4)


def found(value: bytes, *, count: int = 5, extended: tuple[bytes, bytes] | None = None) -> list[bytes]:
    stream = io.BytesIO(b"header" + value)
    stream.seek(6)
    return [read_frame(stream, place) for place in find_frames(stream, count=count, extended=extended)]


@pytest.mark.parametrize("has_table", [True, False])
@pytest.mark.parametrize("parts", [1, 2, 3])
def test_frames_of_one_or_more_fragments_are_found(has_table: bool, parts: int) -> None:
    assert found(encapsulate(FRAMES, fragments_per_frame=parts, has_bot=has_table)) == FRAMES
    assert found(encapsulate(FRAMES[:1], fragments_per_frame=parts, has_bot=has_table), count=1) == FRAMES[:1]


def test_an_extended_table_is_followed() -> None:
    value, offsets, lengths = encapsulate_extended(FRAMES)
    assert found(value, extended=(offsets, lengths)) == FRAMES
    assert found(value, extended=(offsets[:17], lengths)) == FRAMES[:2]


@pytest.mark.parametrize("has_table", [True, False])
def test_a_truncated_file_keeps_its_first_frames(has_table: bool) -> None:
    value = encapsulate(FRAMES, fragments_per_frame=2, has_bot=has_table)
    cut = value.index(FRAMES[3][:20])
    assert found(value[: cut - 8])[:3] == FRAMES[:3]


@pytest.mark.parametrize(
    "value",
    [
        b"",
        FRAMES[0],
        EMPTY_TABLE + itemize_fragment(FRAMES[0]) + b"no item at all",
        EMPTY_TABLE + b"\xfe\xff\x00\xe0\xff\xff\xff\xff",
        EMPTY_TABLE + b"\xfe\xff\x00\xe0\x10",
    ],
)
def test_damaged_fragments_are_refused(value: bytes) -> None:
    with pytest.raises(ValueError, match=r"no offset table|no fragment at"):
        found(value)


def test_the_fragments_of_a_file_are_walked_through_once_for_all_frames(
    tmp_path: Path, write_dicom: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    walks = []

    def counted(*arguments: Any, **options: Any) -> Any:
        walks.append(options)
        return find_frames(*arguments, **options)

    monkeypatch.setattr(frames, "find_frames", counted)
    stack = np.stack([np.full((8, 8), 10 * place, np.uint8) for place in range(6)])
    file = write_dicom(tmp_path / "a.dcm", stack, syntax=RLELossless)
    assert len(list(read_dicom(file))) == 6
    assert len(walks) == 1
