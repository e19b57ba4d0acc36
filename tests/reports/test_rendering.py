"""Markdown and CSV can be read back."""

from __future__ import annotations

import csv
import io
import json

from tumorlens.reports import Comparison, to_csv, to_markdown, write_tables
from tumorlens.reports.tables import comparison_grids


def markdown_tables(text):
    tables, current = [], []
    for line in [*text.splitlines(), ""]:
        if line.startswith("|"):
            current.append([cell.strip() for cell in line.strip("|").split(" | ")])
        elif current:
            tables.append(current)
            current = []
    return tables


def test_markdown_reads_back(study_example):
    comparison = study_example.comparison
    tables = markdown_tables(to_markdown(comparison))
    for table, grid in zip(tables, comparison_grids(comparison), strict=True):
        assert {len(line) for line in table} == {len(grid.columns)}
        assert len(table) == len(grid.rows) + 2
    best = next(line for line in tables[1] if line[0] == "**vgg16** (linear head)")
    row = comparison.best_row
    interval = f"({row.test_accuracy_low:.3f}–{row.test_accuracy_high:.3f})"
    assert best[1] == f"**{row.test_accuracy:.3f}** {interval}"


def test_markdown_escapes_what_would_break_a_table(make_example):
    comparison = make_example(classes=("a|b", "<script>"), dataset="x|y").comparison
    text = to_markdown(comparison)
    assert "<script>" not in text
    assert "a\\|b" in text


def test_csv_reads_back_with_full_digits(study_example):
    comparison = study_example.comparison
    lines = list(csv.DictReader(io.StringIO(to_csv(comparison))))
    assert len(lines) == len(comparison.rows)
    for line, row in zip(lines, comparison.rows, strict=True):
        assert line["backbone"] == row.backbone
        assert float(line["test_accuracy"]) == row.test_accuracy
        assert float(line["test_loss_low"]) == row.test_loss_low
        assert float(line["recall:tumour"]) == row.per_class["tumour"].recall
        assert line["collapsed"] == str(row.collapsed)
    assert lines[3]["published_test_accuracy"] == "0.93"
    assert lines[0]["run"] == ""


def test_csv_survives_commas_and_newlines_in_names(make_example):
    comparison = make_example(classes=("no, none", 'tu"mour\n')).comparison
    (first, *_) = csv.DictReader(io.StringIO(to_csv(comparison)))
    assert 'recall:tu"mour\n' in first


def test_files_are_written(grouped_example, tmp_path):
    comparison = grouped_example.comparison
    paths = write_tables(comparison, tmp_path)
    assert [path.name for path in paths] == ["comparison.md", "comparison.csv", "comparison.json"]
    assert Comparison.from_json(json.loads(paths[2].read_text("utf-8"))) == comparison
    assert paths[0].read_text("utf-8") == to_markdown(comparison)
