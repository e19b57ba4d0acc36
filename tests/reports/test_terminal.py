"""The terminal's tables keep their figures whole, however narrow it is."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from tumorlens.reports import to_rich


def drawn(comparison, width: int) -> str:
    console = Console(width=width, file=io.StringIO(), record=True)
    console.print(to_rich(comparison))
    return console.export_text()


@pytest.fixture(scope="module")
def comparisons(grouped_example, study_example, make_example):
    many = make_example(classes=("glioma", "meningioma", "no tumour", "pituitary"))
    named = tuple(
        replace(row, backbone="efficientnet-lite0" if row.backbone == "vgg16" else row.backbone, seconds=185.0)
        for row in grouped_example.comparison.rows
    )
    return {
        "grouped": grouped_example.comparison,
        "study": study_example.comparison,
        "many classes": many.comparison,
        "long name": replace(grouped_example.comparison, rows=named),
    }


@pytest.mark.parametrize("width", [50, 80, 100, 120, 160])
@pytest.mark.parametrize("kind", ["grouped", "study", "many classes", "long name"])
def test_it_fits_and_cuts_nothing(comparisons, kind, width):
    comparison = comparisons[kind]
    text = drawn(comparison, width)
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= width
    words = text.split()
    for row in comparison.rows:
        shown = [*figures(row), f"{row.test_loss_low:.3f}–{row.test_loss_high:.3f}"]
        for figure in shown:
            assert any(figure in word for word in words), figure
    assert "predicts" in text


def figures(row) -> list[str]:
    values = [row.train_loss, row.val_loss, row.test_loss, row.test_roc_auc]
    if not row.collapsed:
        values += [row.test_accuracy, row.train_accuracy]
    return [f"{value:.3f}" for value in values]


@pytest.mark.parametrize("kind", ["grouped", "study", "long name"])
def test_eighty_columns_hold_the_tables(comparisons, kind):
    text = drawn(comparisons[kind], 80)
    assert sum(set(line) == {"─"} for line in text.splitlines()) == 2
    assert "Train (acc / loss):" not in text


def test_too_narrow_a_terminal_gets_a_list(comparisons):
    comparison = comparisons["grouped"]
    row = comparison.rows[3]
    lines = drawn(comparison, 60).splitlines()
    place = lines.index("vgg16 (linear head)")
    assert lines[place + 1] == f"  Train (acc / loss): {row.train_accuracy:.3f} / {row.train_loss:.3f}"
    ends = f"{row.test_accuracy_low:.3f}–{row.test_accuracy_high:.3f}"
    assert f"  Test accuracy (95 % interval): {row.test_accuracy:.3f} ({ends})" in lines


def test_a_long_name_breaks_after_its_hyphen(comparisons):
    lines = [line.split() for line in drawn(comparisons["long name"], 80).splitlines()]
    place = next(index for index, line in enumerate(lines) if line[:1] == ["efficientnet-"])
    assert lines[place + 1][0] == "lite0"


def test_markup_in_names_is_text(make_example):
    assert "[red]a[/red]" in drawn(make_example(classes=("[red]a[/red]", "b")).comparison, 120)
