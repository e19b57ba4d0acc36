from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tumorlens.datasets.file_index import FileIndex


@pytest.fixture
def index(tmp_path: Path) -> FileIndex:
    folder = tmp_path / "study" / "images"
    return FileIndex(folder, [folder / name for name in ("a.png", "p1/b.png", "p2/c.png", "p2/d.v1.png")])


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("a.png", "a.png"),
        ("a", "a.png"),
        ("b", "p1/b.png"),
        ("p1/b.png", "p1/b.png"),
        ("./p1/b", "p1/b.png"),
        ("p1\\b.png", "p1/b.png"),
        ("d.v1", "p2/d.v1.png"),
        ("images/p1/b.png", "p1/b.png"),
        ("images/a", "a.png"),
        ("study/images/a.png", "a.png"),
        ("p2/b.png", None),
        ("else/a.png", None),
        ("study/a.png", None),
        ("else/images/a.png", None),
        ("images/b.png", None),
        ("p1/a.png", None),
        ("/a.png", None),
        ("", None),
        (".", None),
    ],
)
def test_a_name_finds_its_file_or_none(index: FileIndex, tmp_path: Path, name: str, found: str | None) -> None:
    file = index.find(name)
    assert file == (None if found is None else tmp_path / "study" / "images" / found)


def test_whole_paths_and_folders_given_by_a_relative_path(
    tmp_path: Path, write_scan: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_scan(tmp_path / "images" / "a.png", 1)
    monkeypatch.chdir(tmp_path)
    index = FileIndex(Path("images"), [Path("images/a.png")])
    assert index.find(str(tmp_path / "images" / "a.png")) == Path("images/a.png")
    assert index.find("images/a") == Path("images/a.png")
