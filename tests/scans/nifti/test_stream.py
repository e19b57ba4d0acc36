from __future__ import annotations

import gzip
import random
import zlib
from pathlib import Path

import pytest

from tumorlens.errors import InputError, NotFoundError
from tumorlens.scans.nifti.stream import open_stream

DATA = random.Random(1).randbytes(700_000) + bytes(2_000_000)


@pytest.mark.parametrize("packed", [False, True])
def test_bytes_come_in_order(tmp_path: Path, packed: bool) -> None:
    file = tmp_path / "a"
    file.write_bytes(gzip.compress(DATA) if packed else DATA)
    with open_stream(file) as stream:
        start = stream.read(5)
        stream.skip(300_000)
        rest = stream.read(len(DATA) - 300_005)
        stream.finish()
    assert start + DATA[5:300_005] + rest == DATA
    assert stream.packed is packed


def test_several_members_and_padding_are_one_stream(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(gzip.compress(DATA[:10]) + gzip.compress(b"") + gzip.compress(DATA[10:]) + bytes(512))
    with open_stream(file) as stream:
        assert stream.read(len(DATA)) == DATA
        stream.finish()


def test_a_bomb_costs_what_is_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "bomb"
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = bytes(1 << 20)
    file.write_bytes(b"".join(packer.compress(block) for _ in range(40)) + packer.flush())
    assert file.stat().st_size < 60_000
    with open_stream(file) as stream:
        assert stream.read(1000) == bytes(1000)
        stream.finish()  # 40 MB follow
    assert len(stream._rest) <= 256 * 1024


@pytest.mark.parametrize("end", [20, -9, -1])
def test_a_cut_gzip_file_is_refused(tmp_path: Path, end: int) -> None:
    file = tmp_path / "a.nii.gz"
    file.write_bytes(gzip.compress(DATA)[:end])
    with pytest.raises(InputError, match=r"a\.nii\.gz is truncated"), open_stream(file) as stream:
        stream.read(len(DATA))
        stream.finish()


def test_a_wrong_checksum_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.nii.gz"
    packed = bytearray(gzip.compress(DATA))
    packed[-6] ^= 1
    file.write_bytes(packed)
    with pytest.raises(InputError, match="damaged"), open_stream(file) as stream:
        stream.read(len(DATA))
        stream.finish()


def test_a_short_plain_file_and_endless_empty_members_are_refused(tmp_path: Path) -> None:
    short, empty = tmp_path / "short", tmp_path / "empty"
    short.write_bytes(b"abc")
    empty.write_bytes(gzip.compress(b"") * 10_000)
    for file in (short, empty):
        with pytest.raises(InputError, match="truncated"), open_stream(file) as stream:
            stream.read(4)
    with pytest.raises(NotFoundError), open_stream(tmp_path / "none"):
        pass
