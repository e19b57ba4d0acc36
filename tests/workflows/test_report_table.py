"""Table 1: counts by hand, coded columns, and nothing that could name a person or a file."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tumorlens.workflows.report_table import coded_columns, table_one

_PARTS = ("train", "validation", "test")


@pytest.fixture
def scans(tiny_study):
    """The small data set with further columns in its manifest."""
    dataset = tiny_study.dataset
    rows = np.arange(len(dataset))
    manifest = dataset.manifest.assign(
        maker=np.where(rows % 2 == 0, "one", "other"),
        field_strength_t=np.where(rows % 4 == 0, "", np.where(rows < 32, "1.5", "3")),
        age=[str(20 + row) for row in rows],
        reader=[f"Dr {row}" for row in rows],
        blank="",
        volume=[f"patient-{row // 4}" for row in rows],
        format=np.where(rows < 10, "JPEG", "PNG"),
    )
    return replace(dataset, manifest=manifest)


@pytest.fixture
def parts(scans):
    return np.array([_PARTS[row // 24] if row < 48 else "test" for row in range(len(scans))])


def _row(grid, title: str) -> list[tuple[str, str]]:
    found = next(row for row in grid.rows if row.cells[0].main == title)
    return [(cell.main, cell.sub) for cell in found.cells[1:]]


def test_only_coded_columns_are_shown(scans) -> None:
    assert coded_columns(scans) == ("format", "maker", "field_strength_t", "age")


def test_counts_and_shares(scans, parts) -> None:
    grid = table_one(scans, parts)
    assert [column.title for column in grid.columns] == ["", "train", "validation", "test", "all"]
    assert [main for main, _ in _row(grid, "Scans")] == ["24", "24", "16", "64"]
    assert _row(grid, "Maker: one") == [("12", "50.0 %"), ("12", "50.0 %"), ("8", "50.0 %"), ("32", "50.0 %")]
    assert _row(grid, "Field strength t: not stated")[0] == ("6", "25.0 %")
    assert _row(grid, "Format: JPEG") == [("10", "41.7 %"), ("0", "0.0 %"), ("0", "0.0 %"), ("10", "15.6 %")]
    labels = scans.manifest["label"].to_numpy()
    assert [main for main, _ in _row(grid, "Class: tumor")] == [
        str(int((labels[mask] == "tumor").sum())) for mask in (*(parts == part for part in _PARTS), np.ones(64, bool))
    ]


def test_scans_left_out_have_their_column(scans, parts) -> None:
    grid = table_one(scans, np.where(np.arange(len(scans)) < 4, "left out", parts))
    assert [column.title for column in grid.columns] == ["", "train", "validation", "test", "left out", "all"]
    assert [main for main, _ in _row(grid, "Scans")] == ["20", "24", "16", "4", "64"]


def test_groups_are_counted_in_every_part(scans, parts) -> None:
    expected = [str(len(set(scans.groups[parts == part]))) for part in _PARTS]
    assert [main for main, _ in _row(table_one(scans, parts), "Patients")] == [*expected, "16"]


def test_numbers_with_many_values_have_median_and_quartiles(scans, parts) -> None:
    train, *_ = _row(table_one(scans, parts), "Age")
    assert train == ("31.5", "25.8–37.2")


def test_empty_parts_are_left_out(scans) -> None:
    grid = table_one(scans, np.full(len(scans), "test"))
    assert [column.title for column in grid.columns] == ["", "test", "all"]


def test_names_of_files_and_persons_are_nowhere(scans, parts) -> None:
    shown = " ".join(cell.main + cell.sub for row in table_one(scans, parts).rows for cell in row.cells)
    assert "Dr " not in shown and "patient-" not in shown
    assert not any(source in shown for source in scans.manifest["source"])
