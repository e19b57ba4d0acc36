"""The table of the study tumorlens comes from, to stand beside figures on the same test scans.

The study fed every network pixels scaled to 0..1, which none of them expects, and split slices of
one patient over training and test; its losses include the L2 penalty. One of its networks collapsed
to the commonest class.
"""

from __future__ import annotations

from dataclasses import dataclass

from tumorlens.evaluation.metrics import ClassFigures

__all__ = [
    "PUBLISHED",
    "PUBLISHED_SOURCE",
    "STUDY_CLASSES",
    "PublishedFigures",
    "published_figures",
]

PUBLISHED_SOURCE = "kayc0des/transfer_learning, GitHub, 2024"
_PREDECESSOR = "predecessor of kayc0des/transfer_learning, as reported there"
STUDY_CLASSES = ("no tumour", "tumour")

_SUPPORT = (419, 334)


@dataclass(frozen=True)
class PublishedFigures:
    """One row of the study's table.

    Attributes:
        backbone: Name of the network here; "scratch" for the predecessor's CNN.
        train_accuracy: On the training scans, 0..1.
        train_loss: With the L2 penalty; ``None`` where not published.
        val_accuracy: On the validation scans, 0..1.
        val_loss: With the L2 penalty; ``None`` where not published.
        test_accuracy: On the 753 test scans, 0..1, to two digits.
        per_class: "no tumour" and "tumour"; empty where not published.
        collapsed: Whether it predicted one class only.
        hours: Time to train, about; ``None`` where not published.
        source: Where it was published.
    """

    backbone: str
    train_accuracy: float
    train_loss: float | None
    val_accuracy: float
    val_loss: float | None
    test_accuracy: float
    per_class: dict[str, ClassFigures]
    collapsed: bool = False
    hours: float | None = None
    source: str = PUBLISHED_SOURCE


def _classes(no_tumor: tuple[float, float, float], tumor: tuple[float, float, float]) -> dict[str, ClassFigures]:
    rows = zip(STUDY_CLASSES, (no_tumor, tumor), _SUPPORT, strict=True)
    return {name: ClassFigures(*figures, support=support) for name, figures, support in rows}


PUBLISHED: dict[str, PublishedFigures] = {
    "resnet50": PublishedFigures(
        "resnet50",
        0.8684,
        0.3588,
        0.8505,
        0.3934,
        0.86,
        _classes((0.92, 0.81, 0.86), (0.80, 0.91, 0.85)),
        hours=2.2,
    ),
    "vgg16": PublishedFigures(
        "vgg16",
        0.9522,
        0.6606,
        0.9219,
        0.6990,
        0.93,
        _classes((0.90, 0.98, 0.94), (0.97, 0.87, 0.91)),
        hours=1.8,
    ),
    "efficientnetb0": PublishedFigures(
        "efficientnetb0",
        0.5503,
        0.7437,
        0.5332,
        0.7357,
        0.56,
        _classes((0.56, 1.00, 0.72), (0.00, 0.00, 0.00)),
        collapsed=True,
        hours=1.0,
    ),
    "scratch": PublishedFigures("scratch", 0.979, None, 0.887, None, 0.92, {}, source=_PREDECESSOR),
}
"""By name of the network here."""


def published_figures(*, kind: str, backbone: str) -> PublishedFigures | None:
    """The study's figures for a row of the comparison; ``None`` where it had no such network.

    Args:
        kind: "backbone", "baseline", "scratch" or "ensemble".
        backbone: Name of the network here.
    """
    if kind == "scratch":
        return PUBLISHED["scratch"]
    return PUBLISHED.get(backbone) if kind == "backbone" else None
