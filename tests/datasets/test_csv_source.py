from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tumorlens.datasets.csv_source import looks_like_labels, read_csv_source
from tumorlens.datasets.label_table import read_table
from tumorlens.datasets.source import LabelOptions, ScanSource
from tumorlens.errors import InputError, NotFoundError


@pytest.fixture
def folder(tmp_path: Path, write_scan: Callable[..., Path]) -> Path:
    for seed in (1, 2, 10):
        write_scan(tmp_path / "scans" / "images" / f"Image{seed}.png", seed)
    return tmp_path / "scans"


def read(folder: Path, text: str, **options: object) -> ScanSource:
    table = folder / "labels.csv"
    table.write_text(text, encoding="utf-8")
    return read_csv_source(folder, table, LabelOptions(labels=table, **options))


def pairs(source: ScanSource) -> list[tuple[str, str]]:
    return [(row.source.removeprefix("images/"), row.label) for row in source.rows]


EXPECTED = [("Image10.png", "1"), ("Image1.png", "0"), ("Image2.png", "0")]


@pytest.mark.parametrize(
    "text",
    [
        "Image,Class\nImage10,1\nImage1,0\nImage2,0\n",
        "Image,Class\nImage10.png,1\nImage1.png,0\nImage2.png,0\n",
        "path;label\nimages/Image10.png;1\nimages/Image1.png;0\nimages/Image2;0\n",
        "filename\ttarget\n./images/Image10.png\t1\nimages\\Image1.png\t0\nscans/images/Image2.png\t0\n",
        "\ufeffImage , Class\n Image10 , 1\nImage1,0\nImage2,0\n",
        "code,verdict\nImage10,1\nImage1,0\nImage2,0\n",
        "Image,Mean,Class\nImage10,0.5,1\nImage1,0.1,0\nImage2,0.2,0\n",
    ],
)
def test_names_are_matched_with_or_without_suffix_and_columns_guessed(folder: Path, text: str) -> None:
    source = read(folder, text)
    assert pairs(source) == EXPECTED
    assert "guessed" in source.notes[0]
    assert "as the label column" in source.notes[0]


def test_named_columns_are_used_and_nothing_is_guessed(folder: Path) -> None:
    source = read(
        folder,
        "a,b,Class,who,age\nImage10,x,9,p1,70\nImage1,y,9,p2,61\nImage2,y,9,p2,NA\n",
        image_column="a",
        label_column="b",
        group_column="who",
        keep_columns=("age",),
    )
    assert [row.label for row in source.rows] == ["x", "y", "y"]
    assert [row.patient for row in source.rows] == ["p1", "p2", "p2"]
    assert [row.extra for row in source.rows] == [{"age": "70"}, {"age": "61"}, {"age": "NA"}]
    assert source.notes == ()


def test_labels_stay_the_text_they_are(folder: Path) -> None:
    source = read(folder, "Image,Class\nImage10,01\nImage1,NA\nImage2,1.0\n")
    assert [row.label for row in source.rows] == ["01", "NA", "1.0"]


def test_folders_the_table_does_not_mention_are_left_out_and_noted(folder, write_scan) -> None:
    write_scan(folder / "masks" / "m1.png", 5)
    source = read(folder, "Image,Class\nImage10,1\nImage1,0\nImage2,0\n")
    assert len(source.rows) == 3
    assert source.notes[-1].startswith("1 images in folders that labels.csv does not mention")
    assert "masks" in source.notes[-1]


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("Image,Class\nImage1,0\nImage2,1\n", {}, r"1 images .*image without label.*Image10\.png"),
        (
            "Image,Class\nImage1,0\nImage2,1\nImage10,1\nImage11,1\n,1\n",
            {},
            r"2 of 5 rows .*label without image; the first: Image11, \(blank\)",
        ),
        ("Image,Class\nImage1,0\nImage2,\nImage10,1\n", {}, "1 images have a blank in column 'Clas"),
        ("Image,Class\nImage1,0\nImage2,1\nImage10,1\nImage1.png,1\n", {}, "Lines 2 and 5 of"),
        ("Image,Class\nImage1,0\n", {"label_column": "kind"}, r"no column 'kind' \(columns: Image, C"),
        ("Image,Class\nImage1,0\n", {"image_column": "file"}, "no column 'file'"),
        ("Image,Class\nImage1,0\n", {"group_column": "patient"}, "no column 'patient'"),
        ("Image,Class\nImage1,0\n", {"keep_columns": ("age",)}, "no column 'age'"),
        ("a,b\nx,0\n", {}, "named like one of images .*--image-column"),
        ("Image,a,b\nImage1,0,1\n", {}, "named like one of labels .*--label-column"),
        (
            "Image,Class,who\nImage1,0,a\nImage2,1,\nImage10,1,b\n",
            {"group_column": "who"},
            r"1 rows have a blank in column 'who'.*Image2\.png",
        ),
        ("Image,Class\n", {}, "a header but no rows"),
        ("", {}, "not a readable CSV"),
        ('Image,Class\nImage1,0\n"Image2,1\n', {}, "not a readable CSV"),
        ("Image,Class\nImage1,0,7,8\n", {}, "not a readable CSV"),
    ],
)
def test_what_does_not_fit_is_refused(folder: Path, text: str, options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        read(folder, text, **options)
    assert "\n" not in str(caught.value)


def test_a_path_never_means_a_file_in_another_folder(tmp_path: Path, write_scan) -> None:
    for name in ("patient1/img1.png", "patient1/img2.png", "patient2/img2.png"):
        write_scan(tmp_path / "scans" / name, len(name))
    rows = "".join(f"patient{p}/img{i}.png,{p}\n" for p in (1, 2) for i in (1, 2))
    with pytest.raises(InputError, match=r"1 of 4 rows .*the first: patient2/img1\.png"):
        read(tmp_path / "scans", "Image,Class\n" + rows)


def test_a_name_that_could_mean_two_files_is_refused(folder, write_scan) -> None:
    write_scan(folder / "other" / "Image1.png", 5)
    with pytest.raises(InputError, match="could mean .* and "):
        read(folder, "Image,Class\nImage1,0\n")
    paths = ("images/Image1", "images/Image2", "images/Image10", "other/Image1")
    rows = "".join(f"{path},{index}\n" for index, path in enumerate(paths))
    assert len(read(folder, "Image,Class\n" + rows).rows) == 4


def test_other_text_and_missing_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("Image,Größe\n".encode("utf-16"))
    with pytest.raises(InputError, match="not UTF-8"):
        read_table(tmp_path / "a.csv")
    with pytest.raises(NotFoundError, match="does not exist"):
        read_table(tmp_path / "b.csv")
    with pytest.raises(InputError, match="cannot be read"):
        read_table(tmp_path)


def test_a_table_beside_scans_is_recognised_by_its_image_column(folder: Path) -> None:
    table = folder / "t.csv"
    table.write_text("Image,Class\nImage1,0\n")
    assert looks_like_labels(table, folder)
    table.write_text("age,sex\n70,f\n")
    assert not looks_like_labels(table, folder)
