"""Made-up comparisons that look like real ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from tumorlens.datasets import ResidualNeighbours
from tumorlens.evaluation import (
    MAJORITY_CLASS,
    TRIVIAL_BASELINE,
    Classifier,
    best_on_validation,
    figures,
    majority_class,
    published_figures,
)
from tumorlens.reports import (
    LEAKY,
    RANDOM_WEIGHTS,
    Comparison,
    RowDetail,
    row_detail,
)

EPOCHS = [
    {
        "epoch": epoch,
        "train_loss": 1.0 / epoch,
        "train_accuracy": 1 - 0.4 / epoch,
        "val_loss": 1.2 / epoch,
        "val_accuracy": 1 - 0.5 / epoch,
    }
    for epoch in range(1, 6)
]
PATH = [
    {
        "strength": strength,
        "cv_loss": 0.2 + place / 50,
        "cv_loss_spread": 0.02,
        "cv_accuracy": 0.95 - place / 100,
        "chosen": float(place == 0),
    }
    for place, strength in enumerate((1e-4, 1e-3, 1e-2))
]


@dataclass(frozen=True)
class Example:
    """A comparison and what its plots are made from."""

    comparison: Comparison
    details: tuple[RowDetail, ...]


@pytest.fixture(scope="session")
def make_example() -> Callable[..., Example]:
    """Build a comparison: ``make_example(protocol=…, classes=…, dataset=…, note=…)``."""
    return _example


@pytest.fixture(scope="session")
def study_example() -> Example:
    """The study's protocol: published figures, a collapsed network, no groups."""
    return _example(protocol="study")


@pytest.fixture(scope="session")
def grouped_example() -> Example:
    """Split by clusters."""
    return _example()


def _example(
    *,
    protocol: str = "grouped",
    classes: tuple[str, ...] = ("no tumour", "tumour"),
    dataset: str = "clinic",
    note: str | None = None,
    n_scans: int = 400,
) -> Example:
    rng = np.random.default_rng(1)
    labels = rng.integers(0, len(classes), n_scans)
    parts = np.resize(np.array(["train", "train", "validation", "test", "test"]), n_scans)
    groups = np.char.add("c", rng.integers(0, 120, n_scans).astype(str))
    groups_are = "none" if protocol == "study" else "clusters"
    positive = classes[-1] if len(classes) == 2 else None
    predicted = {
        Classifier(kind="baseline", backbone=MAJORITY_CLASS): majority_class(
            labels, train_rows=np.flatnonzero(parts == "train"), n_classes=len(classes)
        ),
        Classifier(kind="baseline", backbone=TRIVIAL_BASELINE, seconds=0.01): _softmax(rng, labels, len(classes), 0.8),
        Classifier(kind="scratch", backbone="scratch", head="scratch", run="scratch-1", seconds=412.0): _softmax(
            rng, labels, len(classes), 1.5
        ),
        Classifier(
            kind="backbone",
            backbone="vgg16",
            head="linear",
            weights="file",
            run="vgg16-1",
            seconds=812.4,
            peak_memory_mb=1_210.0,
            note=note,
        ): _softmax(rng, labels, len(classes), 3.0),
        Classifier(
            kind="backbone",
            backbone="vgg16",
            head="study",
            weights="file",
            run="vgg16-2",
            loss_penalty=0.412,
        ): _softmax(rng, labels, len(classes), 2.0),
        Classifier(kind="backbone", backbone="efficientnetb0", head="linear", weights="random", run="b0-1"): np.tile(
            np.eye(len(classes))[0] * 0.5 + 0.5 / len(classes), (n_scans, 1)
        ),
    }
    rows = tuple(
        figures(
            labels,
            probabilities,
            parts=parts,
            groups=groups,
            groups_are=groups_are,
            classes=classes,
            positive_class=positive,
            classifier=classifier,
            published=published_figures(kind=classifier.kind, backbone=classifier.backbone)
            if protocol == "study"
            else None,
            draws=100,
        )
        for classifier, probabilities in predicted.items()
    )
    history = {"linear": PATH, "study": EPOCHS, "scratch": EPOCHS, None: ()}
    details = tuple(
        row_detail(
            labels,
            probabilities,
            parts=parts,
            classes=classes,
            positive_class=positive,
            history=history[classifier.head],
        )
        for classifier, probabilities in predicted.items()
    )
    best = best_on_validation(rows)
    comparison = Comparison(
        protocol=protocol,
        dataset=dataset,
        split_digest="3f9a" * 16,
        groups_are=groups_are,
        classes=classes,
        positive_class=positive,
        residual_neighbours=ResidualNeighbours(753, 27, 9),
        parts={
            part: {name: int(((labels == code) & (parts == part)).sum()) for code, name in enumerate(classes)}
            for part in ("train", "validation", "calibration", "test")
        },
        rows=rows,
        best=None if best is None else best.run,
        marks=((LEAKY,) if protocol == "study" else ()) + (RANDOM_WEIGHTS,),
        seed=42 if protocol == "study" else 0,
        created="2026-03-01T12:00:00+00:00",
        versions={"tumorlens": "0.1.0", "openvino": "2026.1"},
        machine="a processor, 2 cores, 8 GB",
    )
    return Example(comparison, details)


def _softmax(rng, labels, n_classes, skill):
    logits = rng.normal(size=(labels.size, n_classes)) + skill * np.eye(n_classes)[labels]
    exponentials = np.exp(logits)
    return exponentials / exponentials.sum(axis=1, keepdims=True)
