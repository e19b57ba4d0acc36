"""What stands in which cell."""

from __future__ import annotations

from tumorlens.reports.tables import (
    class_grid,
    comparison_grids,
    interval_grid,
    parts_grid,
    study_grid,
)


def row_named(grid, name, behind=""):
    return next(row for row in grid.rows if (row.cells[0].main, row.cells[0].sub) == (name, behind))


def test_study_columns_hold_the_figures(grouped_example):
    comparison = grouped_example.comparison
    cells = row_named(study_grid(comparison), "vgg16", "linear head").cells
    row = comparison.rows[3]
    assert cells[1].main == f"{row.train_accuracy:.3f} / {row.train_loss:.3f}"
    assert cells[2].main == f"{row.val_accuracy:.3f} / {row.val_loss:.3f}"
    tumour = row.per_class["tumour"]
    assert cells[4].main == f"{tumour.precision:.2f} / {tumour.recall:.2f} / {tumour.f1:.2f}"
    assert cells[5].main == f"{row.test_accuracy:.3f}"


def test_intervals_stand_under_their_figures(grouped_example):
    comparison = grouped_example.comparison
    grid = interval_grid(comparison)
    row = comparison.rows[3]
    accuracy = row_named(grid, "vgg16", "linear head").cells[1]
    assert accuracy.main == f"{row.test_accuracy:.3f}"
    assert accuracy.sub == f"{row.test_accuracy_low:.3f}–{row.test_accuracy_high:.3f}"
    assert [column.title for column in grid.columns if column.title == "Published"] == []
    assert grid.columns[1].sub == "95 % interval"


def test_a_collapsed_row_never_shows_a_plain_accuracy(study_example):
    comparison = study_example.comparison
    row = comparison.rows[-1]
    assert row.collapsed
    for grid in comparison_grids(comparison):
        shown = row_named(grid, "efficientnetb0", "linear head, random weights")
        assert shown.tone == "collapsed"
        assert f"{row.test_accuracy:.3f}" not in [cell.main for cell in shown.cells]
        assert any((cell.main, cell.sub) == ("collapsed", "predicts one class only") for cell in shown.cells)
    fitted = row_named(study_grid(comparison), "efficientnetb0", "linear head, random weights")
    assert fitted.cells[1].main.startswith(f"({row.train_accuracy:.3f})")


def test_published_figures_stand_once_below_the_last_row_of_their_network(study_example):
    names = [row.cells[0].main for row in study_grid(study_example.comparison).rows]
    assert names == [
        "majority class",
        "area and brightness",
        "CNN from scratch",
        "published",
        "vgg16",
        "vgg16",
        "published",
        "efficientnetb0",
        "published",
    ]


def test_published_column_is_in_the_second_table(study_example):
    grid = interval_grid(study_example.comparison)
    place = [column.title for column in grid.columns].index("Published")
    assert row_named(grid, "vgg16", "study head").cells[place].main == "0.93"
    assert row_named(grid, "CNN from scratch").cells[place].main == "0.92"
    assert row_named(grid, "majority class", "baseline").cells[place].main == "–"
    collapsed = row_named(grid, "efficientnetb0", "linear head, random weights").cells[place]
    assert (collapsed.main, collapsed.sub) == ("collapsed", "(0.56)")


def test_only_the_best_row_has_the_tone_of_the_best(grouped_example):
    tones = [row.tone for row in interval_grid(grouped_example.comparison).rows]
    assert tones == ["baseline", "baseline", "plain", "best", "plain", "collapsed"]


def test_many_classes_get_a_table_of_their_own(make_example):
    comparison = make_example(classes=("glioma", "meningioma", "none", "pituitary")).comparison
    grids = comparison_grids(comparison)
    assert len(grids) == 3
    assert [column.title for column in grids[0].columns] == ["Model", "Train", "Validation", "All"]
    assert len(class_grid(comparison).rows) == 4 * len(comparison.rows)
    assert "macro" in interval_grid(comparison).columns[-3].title


def test_every_row_has_a_cell_for_every_column(study_example):
    for grid in (*comparison_grids(study_example.comparison), parts_grid(study_example.comparison)):
        assert {len(row.cells) for row in grid.rows} == {len(grid.columns)}


def test_parts_leave_out_empty_ones_and_add_up(grouped_example):
    grid = parts_grid(grouped_example.comparison)
    shown = [[cell.main for cell in row.cells] for row in grid.rows]
    assert [line[0] for line in shown] == ["train", "validation", "test", "all"]
    assert shown[-1][-1] == "400"
    assert sum(int(line[-1]) for line in shown[:-1]) == 400
