"""The study's table is held as it was printed."""

from __future__ import annotations

import pytest

from tumorlens.evaluation.published import PUBLISHED, published_figures


@pytest.mark.parametrize(
    ("backbone", "val_accuracy", "test_accuracy", "tumour_recall"),
    [
        ("resnet50", 0.8505, 0.86, 0.91),
        ("vgg16", 0.9219, 0.93, 0.87),
        ("efficientnetb0", 0.5332, 0.56, 0.0),
    ],
)
def test_networks(backbone, val_accuracy, test_accuracy, tumour_recall):
    row = published_figures(kind="backbone", backbone=backbone)
    assert (row.val_accuracy, row.test_accuracy) == (val_accuracy, test_accuracy)
    assert row.per_class["tumour"].recall == tumour_recall


@pytest.mark.parametrize("backbone", [name for name in PUBLISHED if PUBLISHED[name].per_class])
def test_accuracy_follows_from_recalls_and_support(backbone):
    row = PUBLISHED[backbone]
    found = sum(figures.recall * figures.support for figures in row.per_class.values())
    assert found / 753 == pytest.approx(row.test_accuracy, abs=0.01)


@pytest.mark.parametrize("backbone", [name for name in PUBLISHED if PUBLISHED[name].per_class])
def test_f1_follows_from_precision_and_recall(backbone):
    for figures in PUBLISHED[backbone].per_class.values():
        total = figures.precision + figures.recall
        expected = 2 * figures.precision * figures.recall / total if total else 0.0
        assert figures.f1 == pytest.approx(expected, abs=0.011)


def test_only_the_collapsed_network_is_marked():
    assert [name for name, row in PUBLISHED.items() if row.collapsed] == ["efficientnetb0"]


def test_others_have_no_published_figures():
    assert published_figures(kind="backbone", backbone="densenet121") is None
    assert published_figures(kind="baseline", backbone="vgg16") is None
    assert published_figures(kind="scratch", backbone="scratch").test_accuracy == 0.92
