from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tumorlens.datasets.class_folders import published_part, read_class_folders
from tumorlens.errors import InputError

Writer = Callable[..., Path]


def test_each_folder_is_a_class_at_any_depth(tmp_path: Path, write_scan: Writer) -> None:
    for seed, name in enumerate(("yes/b10.png", "yes/b9.png", "no/p1/a.png", "no/p1/deep/c.png")):
        write_scan(tmp_path / name, seed)
    (tmp_path / "boxes").mkdir()
    source = read_class_folders(tmp_path)
    assert [(row.source, row.label) for row in source.rows] == [
        ("no/p1/a.png", "no"),
        ("no/p1/deep/c.png", "no"),
        ("yes/b9.png", "yes"),
        ("yes/b10.png", "yes"),
    ]
    assert source.notes[0] == "Class folders: no, yes."
    assert "without a scan were left out: boxes" in source.notes[1]
    assert [load().source for load in source.loaders()] == [str(tmp_path / row.source) for row in source.rows]


def test_a_published_layout_keeps_its_parts(tmp_path: Path, write_scan: Writer) -> None:
    for seed, name in enumerate(("Training/no/a.png", "Training/yes/b.png", "Testing/yes/a.png")):
        write_scan(tmp_path / name, seed)
    source = read_class_folders(tmp_path)
    found = {row.source: (row.label, row.extra["published_part"]) for row in source.rows}
    assert found == {
        "Training/no/a.png": ("no", "train"),
        "Training/yes/b.png": ("yes", "train"),
        "Testing/yes/a.png": ("yes", "test"),
    }
    assert any("column published_part" in note for note in source.notes)


@pytest.mark.parametrize(
    ("name", "part"), [("Train", "train"), ("valid", "validation"), ("TEST", "test"), ("yes", None)]
)
def test_published_folder_names(name: str, part: str | None) -> None:
    assert published_part(name) == part


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ((), "holds no scans"),
        (("a.png", "b.png"), "The 2 scans in .* have no labels .*--labels"),
        (("no/a.png", "yes/a.png", "c.png"), "1 of 3 scans .* no class folder"),
        (("Training/a.png", "Testing/no/a.png"), "1 of 2 scans .* no class folder"),
    ],
)
def test_scans_without_a_label_are_refused(
    tmp_path: Path, write_scan: Writer, names: tuple[str, ...], message: str
) -> None:
    for seed, name in enumerate(names):
        write_scan(tmp_path / name, seed)
    with pytest.raises(InputError, match=message):
        read_class_folders(tmp_path)
