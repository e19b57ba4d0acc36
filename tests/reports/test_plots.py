"""Plots are drawn for every row that has something to draw, and hold what they should."""

from __future__ import annotations

import re

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from tumorlens.reports import comparison_plots, write_plots
from tumorlens.reports.confusion_plot import confusion_figure
from tumorlens.reports.history_plot import history_figure
from tumorlens.reports.overview_plot import overview_figure
from tumorlens.reports.roc_plot import roc_figure
from tumorlens.reports.style import figure_svg, new_figure, plot_style, save_png


def words(figure: Figure) -> str:
    return figure_svg(figure, label="x")


@pytest.mark.parametrize("protocol", ["grouped", "study"])
def test_overview_names_every_row(make_example, protocol):
    comparison = make_example(protocol=protocol).comparison
    svg = words(overview_figure(comparison))
    for row in comparison.rows:
        shown = f"{row.test_accuracy:.3f}"
        assert ("collapsed: predicts one class only" if row.collapsed else shown) in svg
    assert f"{comparison.rows[-1].test_accuracy:.3f}" not in svg
    assert ("as published" in svg) == (protocol == "study")
    assert ("published: collapsed" in svg) == (protocol == "study")


def test_overview_draws_the_interval_where_it_is(grouped_example):
    comparison = grouped_example.comparison
    (axes,) = overview_figure(comparison).axes
    drawn = [sorted(line.get_xdata()) for line in axes.lines if len(line.get_xdata()) == 2]
    row = comparison.rows[3]
    assert [row.test_accuracy_low, row.test_accuracy_high] in drawn


def test_roc_leaves_out_majority_and_collapsed(grouped_example):
    svg = words(roc_figure(grouped_example.comparison.rows, grouped_example.details))
    assert "vgg16, linear head" in svg
    assert "majority class" not in svg
    assert "efficientnetb0" not in svg


def test_roc_without_curves_is_not_drawn(grouped_example):
    rows = grouped_example.comparison.rows
    assert roc_figure(rows, [None] * len(rows)) is None


def test_confusion_shows_counts_and_shares_of_reference_labels():
    svg = words(confusion_figure(np.array([[30, 10], [0, 5]]), classes=("a", "b"), title="t"))
    for text in ("30", "75.0 %", "25.0 %", "100.0 %", "reference label", "predicted class"):
        assert text in svg


def test_confusion_of_an_absent_class_divides_by_nothing():
    svg = words(confusion_figure(np.array([[3, 0], [0, 0]]), classes=("a", "b"), title="t"))
    assert "0.0 %" in svg


@pytest.mark.parametrize("kind", ["epochs", "path"])
def test_history(grouped_example, kind):
    history = grouped_example.details[4 if kind == "epochs" else 3].history
    svg = words(history_figure(history, title="vgg16"))
    labels = ["epoch", "training", "validation"] if kind == "epochs" else ["regularisation strength"]
    assert all(label in svg for label in [*labels, "accuracy", "nats"])


def test_losses_with_penalty_say_so():
    entry = {"train_accuracy": 0.9, "val_accuracy": 0.8, "val_loss": 0.5, "train_loss": 0.6}
    entropies = {"train_cross_entropy": 0.2, "val_cross_entropy": 0.1}
    epochs = [{"epoch": epoch, **entropies, **entry} for epoch in (1, 2)]
    assert "loss with L2, nats" in words(history_figure(epochs, title="t"))
    smoothed = [{**epoch, "val_cross_entropy": epoch["val_loss"]} for epoch in epochs]
    assert "loss (training: smoothed, mixed), nats" in words(history_figure(smoothed, title="t"))


def test_missing_values_and_single_epochs_are_drawn():
    entry = {"epoch": 1, "train_loss": None, "train_accuracy": 0.9, "val_loss": 0.5}
    assert "epoch" in words(history_figure([entry], title="t"))


def test_members_that_join_an_ensemble_are_drawn_up_to_the_kept_ones():
    losses = (0.4, 0.3, 0.35)
    history = [
        {"joined": count, "added": f"run-{count}", "val_loss": loss, "val_accuracy": 0.9, "kept": float(count < 3)}
        for count, loss in enumerate(losses, start=1)
    ]
    figure = history_figure(history, title="ensemble of 2 models")
    assert all(label in words(figure) for label in ("models joined", "validation accuracy", "validation loss, nats"))
    line, kept = figure.axes[1].lines
    assert tuple(line.get_ydata()) == losses and set(kept.get_xdata()) == {2.0}


def test_dollar_signs_in_names_are_no_formulas():
    svg = words(confusion_figure(np.eye(2, dtype=int), classes=("$a$", "cost_$"), title="$x$"))
    assert all(text in svg for text in ("$a$", "cost_$", "$x$"))


def test_empty_history_is_not_drawn():
    assert history_figure([], title="t") is None


@pytest.mark.parametrize("classes", [("no", "yes"), ("a", "b", "c", "d")])
def test_every_row_gets_its_plots(make_example, classes):
    example = make_example(classes=classes)
    plots = comparison_plots(example.comparison, example.details)
    kinds = [plot.kind for plot in plots]
    assert (kinds.count("overview"), kinds.count("roc"), kinds.count("pr")) == (1, 1, 1)
    assert (kinds.count("confusion"), kinds.count("history")) == (5, 4)
    assert len({plot.name for plot in plots}) == len(plots)
    assert all(re.fullmatch(r"[a-z0-9-]+", plot.name) for plot in plots)


def test_pictures_are_written_and_not_empty(grouped_example, tmp_path):
    example = grouped_example
    plots = comparison_plots(example.comparison, [None, None, *example.details[2:3], None, None, None])
    assert [plot.kind for plot in plots] == ["overview", "roc", "pr", "confusion", "history"]
    for path in write_plots(plots, tmp_path, marks=("synthetic",)):
        with Image.open(path) as picture:
            assert picture.width > 300
            assert picture.convert("L").getextrema()[0] < 100
            words_on_it = "synthetic · research output, not for patient care"
            assert picture.info["Description"] == words_on_it


def test_png_carries_its_words_and_leaves_the_figure_as_it_was(tmp_path):
    figure, (axes,) = new_figure(3, 2)
    axes.plot([0, 1])
    save_png(figure, tmp_path / "plain.png")
    assert "not for patient care" not in words(figure)
    assert [path.name for path in tmp_path.iterdir()] == ["plain.png"]


def test_inline_svg_follows_the_page_and_names_nothing_outside():
    with plot_style():
        figure, (axes,) = new_figure(3, 2)
        axes.set_title("a < b")
    svg = figure_svg(figure, label='says "a" < b & c')
    assert svg.startswith('<svg role="img" aria-label="says &quot;a&quot; &lt; b &amp; c"')
    assert "currentColor" in svg
    assert "DejaVu" not in svg
    assert "<metadata" not in svg
    assert not re.findall(r'(?:src|href)="(?!#)', svg)
    assert "a &lt; b" in svg


def test_inline_svgs_of_one_page_do_not_share_ids():
    ids = []
    for label in ("one", "two"):
        figure, (axes,) = new_figure(3, 2)
        axes.plot([0, 1])
        ids.append(set(re.findall(r'<clipPath id="([^"]+)"', figure_svg(figure, label=label))))
    assert ids[0]
    assert not ids[0] & ids[1]


def test_same_figure_same_svg(grouped_example):
    rows, details = grouped_example.comparison.rows, grouped_example.details
    assert words(roc_figure(rows[:2], details[:2])) == words(roc_figure(rows[:2], details[:2]))
