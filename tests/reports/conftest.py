"""Made-up comparisons and audits that look like real ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest

from tumorlens.audit.findings import (
    Audit,
    Contradiction,
    CurvePoint,
    LabelConflict,
    LeakageCurve,
    LearningPoint,
    NullDistribution,
    OddScan,
    Shortcut,
    SplitLeaks,
    Twin,
    Twins,
    WithInterval,
)
from tumorlens.datasets import Dataset, ResidualNeighbours
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

TWIN_PAIRS = (
    Twin(0, 1, "exact", 1.0),
    Twin(2, 3, "copy", 0.998),
    Twin(4, 5, "mirrored", 0.991),
    Twin(6, 7, "neighbour", 0.957),
)


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
def make_audit(tiny_study) -> Callable[..., Audit]:
    """Build an audit of the small data set with something of everything: ``make_audit(field=…)``."""
    return lambda **changes: _made_up_audit(tiny_study.dataset, **changes)


@pytest.fixture(scope="session")
def make_bare_audit(tiny_study) -> Callable[..., Audit]:
    """Build an audit that found nothing and computed little: ``make_bare_audit(field=…)``."""
    return lambda **changes: _bare_audit(tiny_study.dataset, **changes)


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
            probabilities.argmax(axis=1),
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


def _made_up_audit(dataset: Dataset, /, **changes: object) -> Audit:
    """Numbers that could be true; ``changes`` replace fields."""
    audit = Audit(
        dataset=dataset.name,
        digest=dataset.digest,
        synthetic=dataset.synthetic,
        scans=1000,
        distinct=980,
        groups=120,
        groups_are="clusters",
        by_class={name: 1000 // len(dataset.classes) for name in dataset.classes},
        twins=Twins(
            exact_groups=15,
            scans_in_copies=35,
            near_twins=900,
            by_kind={"exact": 35, "copy": 40, "mirrored": 25, "neighbour": 800},
            clusters=120,
            largest=((0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15), (16, 17, 18)),
            examples=TWIN_PAIRS,
        ),
        leaks=(
            SplitLeaks("the published test and training parts", 200, 30, 12, 8, 100, TWIN_PAIRS),
            SplitLeaks("the test and training parts of the split by clusters", 210, 0, 0, 1, 9, TWIN_PAIRS[2:]),
        ),
        against={"other": SplitLeaks(f"{dataset.name} against other", 1000, 5, 4, 3, 8, TWIN_PAIRS[:2])},
        shortcuts=(
            Shortcut(
                "image mode",
                0.98,
                0.97,
                0.99,
                0.981,
                0.55,
                "Image mode alone: 98 %. Converting hides this shortcut; the difference between sources remains.",
            ),
            Shortcut("brain area", 0.75, 0.72, 0.78, 0.8, 0.55, "Brain area alone: 75 %."),
            Shortcut("aspect", 0.55, 0.52, 0.58, None, 0.55, "Aspect tells nothing."),
        ),
        leakage=LeakageCurve(
            backbone="efficientnet-lite0",
            random=_around(0.944),
            grouped=_around(0.908),
            curve=(
                CurvePoint(1.0, 800, _around(0.908), _around(0.908)),
                CurvePoint(0.95, 640, _around(0.892), _around(0.903)),
                CurvePoint(0.9, 410, _around(0.861), _around(0.889)),
            ),
            permuted_random=NullDistribution(0.71, 0.68, 0.74, 0.52, 200),
            permuted_grouped=NullDistribution(0.522, 0.47, 0.57, 0.52, 200),
            learning=(
                LearningPoint(15, 120, _around(0.81)),
                LearningPoint(45, 350, _around(0.87)),
                LearningPoint(96, 800, _around(0.908)),
            ),
            published=_around(0.96),
            published_cleaned=_around(0.91),
            published_control=_around(0.955),
        ),
        label_conflicts=(
            LabelConflict(Twin(8, 9, "copy", 0.997), (dataset.classes[0], dataset.classes[1])),
            LabelConflict(Twin(10, 11, "neighbour", 0.988), (dataset.classes[1], dataset.classes[0])),
        ),
        contradictions=(Contradiction(12, dataset.classes[0], dataset.classes[1], 0.987),),
        odd=(
            OddScan(13, "far from all others", 0.8, "Nearest scan at 0.12."),
            OddScan(14, "far from all others", 0.7, "Nearest scan at 0.15."),
            OddScan(15, "burned-in text", 12.0, "Bright marks of 12 pixels in the corner."),
        ),
        notes=("Price: too few groups in one class.",),
        seconds={"twins": 4.2, "shortcuts": 12.0},
        created="2026-03-01T12:00:00+00:00",
    )
    return replace(audit, **changes)  # type: ignore[arg-type]


def _bare_audit(dataset: Dataset, /, **changes: object) -> Audit:
    """Nothing but counts: no split, no price, no finding."""
    nothing = {
        "twins": Twins(0, 0, 0, {"exact": 0, "copy": 0, "mirrored": 0, "neighbour": 0}, 120, (), ()),
        "leaks": (),
        "against": {},
        "shortcuts": (),
        "leakage": None,
        "label_conflicts": (),
        "contradictions": (),
        "odd": (),
        "notes": (),
        "seconds": {},
    }
    return _made_up_audit(dataset, **{**nothing, **changes})


def _around(accuracy: float) -> WithInterval:
    return WithInterval(accuracy, accuracy - 0.02, accuracy + 0.015)
