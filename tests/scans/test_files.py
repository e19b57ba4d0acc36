from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from tumorlens.errors import InputError, NotFoundError
from tumorlens.scans import SCAN_SUFFIXES, open_arrays, read_scan, scan_files
from tumorlens.scans.files import all_files


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    return path


def test_lists_known_suffixes_in_natural_order_at_all_depths(tmp_path: Path) -> None:
    names = ["Image10.PNG", "Image2.jpg", "p2/a.tiff", "p10/a.webp", "notes.txt", "p2/deep/b.bmp"]
    for name in names:
        touch(tmp_path / name)
    found = [file.relative_to(tmp_path).as_posix() for file in scan_files(tmp_path)]
    assert found == ["Image2.jpg", "Image10.PNG", "p2/a.tiff", "p2/deep/b.bmp", "p10/a.webp"]


def test_skips_hidden_files_links_and_workspaces(tmp_path: Path) -> None:
    kept = touch(tmp_path / "in" / "a.png")
    touch(tmp_path / "in" / "._a.png")
    touch(tmp_path / "in" / ".hidden" / "b.png")
    touch(tmp_path / "in" / "tumorlens-workspace" / "workspace.json")
    touch(tmp_path / "in" / "tumorlens-workspace" / "datasets" / "x" / "contact-sheet.png")
    outside = touch(tmp_path / "out" / "secret.png")
    (tmp_path / "in" / "link.png").symlink_to(outside)
    (tmp_path / "in" / "loop").symlink_to(tmp_path / "in", target_is_directory=True)
    assert scan_files(tmp_path / "in") == [kept]


def test_a_folder_named_like_a_scan_is_no_scan(tmp_path: Path) -> None:
    inner = touch(tmp_path / "folder.png" / "a.png")
    assert scan_files(tmp_path) == [inner]


def test_refuses_what_is_no_folder(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="does not exist"):
        scan_files(tmp_path / "missing")
    with pytest.raises(InputError, match="is a file"):
        scan_files(touch(tmp_path / "a.png"))


def test_suffixes_are_lower_case_with_a_dot() -> None:
    assert all(suffix == suffix.lower() and suffix[0] == "." for suffix in SCAN_SUFFIXES)


@pytest.mark.parametrize("name", [b"M\xe4rz.png", b"M\xe4rz/a.png"])
def test_names_that_are_no_text_are_refused_by_name(tmp_path: Path, name: bytes) -> None:
    try:
        touch(tmp_path / os.fsdecode(name))
    except OSError:
        pytest.skip("this file system only takes names in UTF-8")
    with pytest.raises(InputError, match=r"M\\xe4rz(\.png)? is not UTF-8 text: rename it") as caught:
        scan_files(tmp_path)
    str(caught.value).encode("utf-8")


def test_other_files_may_have_any_name(tmp_path: Path) -> None:
    try:
        touch(tmp_path / os.fsdecode(b"M\xe4rz.txt"))
    except OSError:
        pytest.skip("this file system only takes names in UTF-8")
    assert scan_files(tmp_path) == []


def test_a_folder_that_may_not_be_read_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path / "in" / "a.png")
    listed = Path.iterdir

    def refuse(folder: Path) -> object:
        if folder.name == "in":
            raise OSError(errno.EIO, "Input/output error", str(folder))
        return listed(folder)

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(InputError, match=r"in cannot be read \(Input/output error\)"):
        scan_files(tmp_path)


def test_all_files_lists_every_suffix_and_none(tmp_path: Path) -> None:
    names = ["IM2", "IM10", "a.png", "p/1.2.3.4", "p/b.nii.gz", ".hidden", "p/.hidden"]
    for name in names:
        touch(tmp_path / name)
    (tmp_path / "link").symlink_to(tmp_path / "IM2")
    (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)
    found = [file.relative_to(tmp_path).as_posix() for file in all_files(tmp_path)]
    assert found == ["a.png", "IM2", "IM10", "p/1.2.3.4", "p/b.nii.gz"]


@pytest.mark.parametrize("listed", [scan_files, all_files])
def test_pipes_and_sockets_are_no_files(tmp_path: Path, listed: Callable[[Path], list[Path]]) -> None:
    kept = touch(tmp_path / "a.png")
    os.mkfifo(tmp_path / "pipe.png")
    with socket.socket(socket.AF_UNIX) as server:
        place = Path.cwd()
        os.chdir(tmp_path)  # the path of a socket must be short
        try:
            server.bind("socket.png")
        finally:
            os.chdir(place)
        assert listed(tmp_path) == [kept]


@pytest.mark.parametrize("listed", [scan_files, all_files])
def test_depth_is_bounded(tmp_path: Path, listed: Callable[[Path], list[Path]]) -> None:
    deepest = touch(tmp_path / "/".join("d" * 32) / "a.png")
    assert listed(tmp_path) == [deepest]
    touch(tmp_path / "/".join("d" * 33) / "a.png")
    with pytest.raises(InputError, match="lies more than 32 folders deep"):
        listed(tmp_path)


@pytest.mark.parametrize("read", [read_scan, open_arrays])
def test_a_pipe_or_a_device_given_as_a_file_is_refused_at_once(tmp_path: Path, read: Callable[[Path], object]) -> None:
    os.mkfifo(tmp_path / "pipe")
    for place in (tmp_path / "pipe", Path(os.devnull)):
        with pytest.raises(InputError, match="is a pipe, a socket or a device: name a file"):
            read(place)
