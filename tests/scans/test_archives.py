from __future__ import annotations

import errno
import os
import stat
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tumorlens.errors import InputError, NotFoundError, StorageError
from tumorlens.scans import ReadLimits
from tumorlens.scans.archives import unpacked
from tumorlens.scans.files import all_files
from tumorlens.workspace import remove_leftovers


def zipped(path: Path, members: dict[str, bytes], packing: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", packing) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def renamed(path: Path, old: bytes, new: bytes) -> Path:
    """Change a name of the same length in both headers."""
    assert len(old) == len(new)
    path.write_bytes(path.read_bytes().replace(old, new))
    return path


def contents(file: Path, into: Path, **limits: int | float) -> dict[str, bytes]:
    with unpacked(file, into=into, limits=ReadLimits(**limits)) as folder:
        assert folder.parent == into
        return {found.relative_to(folder).as_posix(): found.read_bytes() for found in all_files(folder)}


@pytest.fixture
def into(tmp_path: Path) -> Path:
    return tmp_path / "work" / "deep"


@pytest.mark.parametrize("packing", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_members_come_out_as_they_went_in_and_are_gone_afterwards(tmp_path: Path, into: Path, packing: int) -> None:
    members = {"p1/IM1": b"one" * 1000, "p1/deep/2.dcm": b"", "a b (1)^ü.dcm": b"three", "./p2//IM1": b"4"}
    file = zipped(tmp_path / "a.zip", members, packing)
    expected = {"p1/IM1": b"one" * 1000, "p1/deep/2.dcm": b"", "a b (1)^ü.dcm": b"three", "p2/IM1": b"4"}
    assert contents(file, into) == expected
    assert list(into.iterdir()) == []


def test_backslashes_part_folders(tmp_path: Path, into: Path) -> None:
    file = renamed(zipped(tmp_path / "a.zip", {"p1/a.dcm": b"1"}), b"p1/a.dcm", b"p1\\a.dcm")
    assert contents(file, into) == {"p1/a.dcm": b"1"}


@pytest.mark.parametrize(
    "name",
    [
        "../a",
        "p/../../a",
        "..\\..\\a",
        "/etc/a",
        "\\\\server\\a",
        "C:\\a",
        "c:a",
        "p/a\nb",
        "p/\x1b[2J",
        "..",
        ".hidden/../a",
    ],
)
def test_names_that_leave_the_folder_are_refused(tmp_path: Path, into: Path, name: str) -> None:
    file = zipped(tmp_path / "a.zip", {"good.dcm": b"1", name: b"2"})
    with pytest.raises(InputError, match="leads out of its folder or is no file name") as caught:
        contents(file, into)
    assert str(caught.value).isprintable()
    assert list(into.iterdir()) == []
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["a.zip", "work"]


def test_a_name_with_a_zero_byte_is_refused(tmp_path: Path, into: Path) -> None:
    file = renamed(zipped(tmp_path / "a.zip", {"a.dcm_exe": b"1"}), b"a.dcm_exe", b"a.dcm\x00exe")
    with pytest.raises(InputError, match=r"'a\.dcm\\x00exe'"):
        contents(file, into)


@pytest.mark.parametrize(
    ("name", "fit"),
    [
        ("NUL", "_NUL"),
        ("p/con.dcm", "p/_con.dcm"),
        ("Com1", "_Com1"),
        ("common", "common"),
        ("12:30 T1?.dcm", "12_30 T1_.dcm"),
        ("p./a ", "p_/a_"),
    ],
)
def test_names_become_fit_for_every_system(tmp_path: Path, into: Path, name: str, fit: str) -> None:
    assert contents(zipped(tmp_path / "a.zip", {name: b"1"}), into) == {fit: b"1"}


@pytest.mark.parametrize("names", [["a", "a/b"], ["a/b", "a"], ["IM1", "im1"], ["a?", "a*"], ["a/b", "a//b"]])
def test_names_that_would_meet_are_refused(tmp_path: Path, into: Path, names: list[str]) -> None:
    with pytest.raises(InputError, match="twice"):
        contents(zipped(tmp_path / "a.zip", dict.fromkeys(names, b"1")), into)


def test_the_same_name_twice_is_refused(tmp_path: Path, into: Path) -> None:
    file = renamed(zipped(tmp_path / "a.zip", {"aaa": b"1", "aab": b"2"}), b"aab", b"aaa")
    with pytest.raises(InputError, match="holds the name 'aaa' twice"):
        contents(file, into)


@pytest.mark.parametrize("name", ["/".join("a" * 32), "a" * 256, "/".join(["a" * 200] * 6), "ü" * 128])
def test_deep_and_long_names_are_refused(tmp_path: Path, into: Path, name: str) -> None:
    with pytest.raises(InputError, match="too long or more than 31 folders deep"):
        contents(zipped(tmp_path / "a.zip", {name: b"1"}), into)


def test_links_pipes_folders_and_hidden_files_are_left_out(tmp_path: Path, into: Path) -> None:
    file = tmp_path / "a.zip"
    with zipfile.ZipFile(file, "w") as archive:
        for number, kind in enumerate((stat.S_IFLNK, stat.S_IFIFO, stat.S_IFREG, stat.S_IFDIR)):
            info = zipfile.ZipInfo(f"{number}")
            info.external_attr = (kind | 0o777) << 16
            archive.writestr(info, "/etc/passwd")
        archive.writestr("empty/", b"")
        archive.writestr("__MACOSX/._a.dcm", b"x")
        archive.writestr(".DS_Store", b"x")
    assert contents(file, into) == {"2": b"/etc/passwd"}


def test_a_zip_inside_is_not_opened(tmp_path: Path, into: Path) -> None:
    inner = zipped(tmp_path / "inner.zip", {"a.dcm": b"1"}).read_bytes()
    assert contents(zipped(tmp_path / "a.zip", {"inner.zip": inner}), into) == {"inner.zip": inner}


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"archive_members": 2}, "holds 3 files, the limit for one archive is 2"),
        ({"archive_bytes": 5000}, "unpacks to 0 MB, the limit for one archive"),
        ({"file_bytes": 2999}, r"'b' in .*a\.zip has 0 MB, the limit for one file"),
        ({"ratio": 5.0, "ratio_from_bytes": 1000}, "as a decompression bomb does"),
        ({"ratio": 20.0, "ratio_from_bytes": 2000}, "'b' in .* as a decompression bomb does"),
    ],
)
def test_limits_hold_before_anything_is_written(
    tmp_path: Path, into: Path, limits: dict[str, int], message: str
) -> None:
    file = zipped(tmp_path / "a.zip", {"a": os.urandom(1000), "b": b"0" * 3000, "c": b"0" * 2000})
    with pytest.raises(InputError, match=message):
        contents(file, into, **limits)
    assert len(contents(file, into)) == 3


def test_a_member_that_is_longer_than_promised_is_refused(tmp_path: Path, into: Path) -> None:
    file = zipped(tmp_path / "a.zip", {"a": b"0" * 100_000})
    file.write_bytes(file.read_bytes().replace(struct.pack("<I", 100_000), struct.pack("<I", 10)))
    with pytest.raises(InputError, match="truncated or damaged"):
        contents(file, into)
    assert list(into.iterdir()) == []


def test_overlapping_members_are_refused(tmp_path: Path, into: Path) -> None:
    """Two directory entries that name one body, of which a small file could hold thousands."""
    data = bytearray(zipped(tmp_path / "a.zip", {"aa": b"0" * 500, "bb": b"0" * 500}).read_bytes())
    second = data.rindex(b"PK\x01\x02")
    data[second + 42 : second + 46] = struct.pack("<I", 0)
    (tmp_path / "a.zip").write_bytes(data)
    with pytest.raises(InputError, match="members overlap"):
        contents(tmp_path / "a.zip", into)


@pytest.mark.parametrize(("place", "value"), [(6, 0x1), (6, 0x40), (8, zipfile.ZIP_LZMA), (8, 9), (8, 99)])
def test_encryption_and_other_packings_are_refused(tmp_path: Path, into: Path, place: int, value: int) -> None:
    file = zipped(tmp_path / "a.zip", {"aa": b"0" * 500})
    data = bytearray(file.read_bytes())
    for start, shift in ((0, 0), (data.rindex(b"PK\x01\x02"), 2)):
        data[start + place + shift : start + place + shift + 2] = struct.pack("<H", value)
    file.write_bytes(data)
    with pytest.raises(InputError, match="is encrypted or packed in a way that cannot be read"):
        contents(file, into)


def test_a_directory_that_claims_to_be_long_is_not_read(tmp_path: Path, into: Path) -> None:
    file = zipped(tmp_path / "a.zip", {"aa": b"0"})
    data = bytearray(file.read_bytes())
    end = data.rindex(b"PK\x05\x06")
    data[end + 12 : end + 16] = struct.pack("<I", 1 << 31)
    file.write_bytes(b"\x00" * 64 + data)
    with pytest.raises(InputError, match="truncated or damaged"):
        contents(file, into)


def test_what_is_no_zip_file_is_refused(tmp_path: Path, into: Path) -> None:
    (tmp_path / "text.zip").write_text("hello")
    (tmp_path / "empty.zip").touch()
    os.mkfifo(tmp_path / "pipe.zip")
    for name, message in (("text", "not a readable zip"), ("empty", "not a readable zip"), ("pipe", "is a pipe")):
        with pytest.raises(InputError, match=message):
            contents(tmp_path / f"{name}.zip", into)
    with pytest.raises(InputError, match="is a folder"):
        contents(tmp_path, into)
    with pytest.raises(NotFoundError, match="does not exist"):
        contents(tmp_path / "none.zip", into)
    assert list(into.iterdir()) == []


def test_nothing_is_left_when_the_block_fails(tmp_path: Path, into: Path) -> None:
    file = zipped(tmp_path / "a.zip", {"aa": b"0"})
    with pytest.raises(KeyboardInterrupt), unpacked(file, into=into):
        raise KeyboardInterrupt
    assert list(into.iterdir()) == []


def test_a_full_disk_is_a_storage_error_and_leaves_nothing(
    tmp_path: Path, into: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = zipped(tmp_path / "a.zip", {"aa": b"0", "bb": b"0"})
    opened = Path.open

    def full(path: Path, mode: str = "r") -> object:
        if path.name == "bb" and mode == "xb":
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        return opened(path, mode)

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(StorageError, match="the disk is full"):
        contents(file, into)
    assert list(into.iterdir()) == []


def test_what_a_kill_leaves_is_cleaned_up(tmp_path: Path, into: Path) -> None:
    file = zipped(tmp_path / "a.zip", {"p/aa": b"0"})
    script = (
        "import os, signal, sys; from pathlib import Path; from tumorlens.scans.archives import unpacked\n"
        "with unpacked(Path(sys.argv[1]), into=Path(sys.argv[2])): os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", script, str(file), str(into)], check=False)
    assert len(list(into.iterdir())) == 1
    assert len(remove_leftovers(into)) == 1
    assert list(into.iterdir()) == []


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=20), min_size=1, max_size=4, unique=True))
def test_whatever_the_names_nothing_leaves_the_folder(tmp_path: Path, names: list[str]) -> None:
    file, into = tmp_path / "a.zip", tmp_path / "into"
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            info = zipfile.ZipInfo("x")
            info.filename = name
            archive.writestr(info, b"1")
    try:
        with unpacked(file, into=into) as folder:
            assert sum(found.is_file() for found in tmp_path.rglob("*")) == 1 + len(all_files(folder))
    except InputError as error:
        assert "\n" not in str(error)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["a.zip", "into"]
    assert list(into.iterdir()) == []
