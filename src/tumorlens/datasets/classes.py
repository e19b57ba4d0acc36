"""The order of classes, and which of two is the positive one. Knows nothing about scans."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from tumorlens.errors import InputError
from tumorlens.scans import natural_key

__all__ = ["order_classes", "positive_class", "rename_labels"]

_POSITIVE = frozenset(
    {
        "1",
        "abnormal",
        "brain tumor",
        "brain tumour",
        "cancer",
        "disease",
        "glioma",
        "has tumor",
        "has tumour",
        "lesion",
        "malignant",
        "meningioma",
        "pathological",
        "pituitary",
        "positive",
        "true",
        "tumor",
        "tumors",
        "tumour",
        "tumours",
        "with tumor",
        "with tumour",
        "y",
        "yes",
    }
)
_NEGATIVE = frozenset(
    {
        "0",
        "control",
        "controls",
        "false",
        "healthy",
        "n",
        "negative",
        "no",
        "no tumor",
        "no tumour",
        "non tumor",
        "non tumour",
        "none",
        "nontumor",
        "normal",
        "notumor",
        "notumour",
        "without tumor",
        "without tumour",
    }
)


def order_classes(labels: Iterable[str]) -> tuple[str, ...]:
    """Return the distinct labels in natural order: the class order everywhere."""
    return tuple(sorted(set(labels), key=natural_key))


def positive_class(classes: tuple[str, ...]) -> str | None:
    """Return the class that means "tumour": the one sensitivity is about.

    Args:
        classes: In class order.

    Returns:
        For two classes the one with a known positive name ("tumor", "yes", "1", …), else the one
        whose partner has a known negative name ("healthy", "normal", …), else the last. ``None``
        for more than two.
    """
    if len(classes) != 2:
        return None
    plain = [re.sub(r"[\s_-]+", " ", name).strip().casefold() for name in classes]
    known = [name for name, text in zip(classes, plain, strict=True) if text in _POSITIVE]
    if len(known) == 1:
        return known[0]
    rest = [name for name, text in zip(classes, plain, strict=True) if text not in _NEGATIVE]
    return rest[0] if len(rest) == 1 else classes[-1]


def rename_labels(labels: Sequence[str], names: Mapping[str, str]) -> list[str]:
    """Return the labels under their new names; two may get the same name and become one class.

    Args:
        labels: As they stand in the source.
        names: Old names to new names; labels it does not mention stay.

    Raises:
        InputError: It mentions a label that does not occur, or gives a blank name.
    """
    found = order_classes(labels)
    unknown = [old for old in names if old not in found]
    if unknown:
        raise InputError(f"There is no label {unknown[0]!r} to rename; the labels are {', '.join(found[:10])}.")
    if any(not new.strip() for new in names.values()):
        raise InputError("The new name of a label must not be blank: give it a name.")
    return [names.get(label, label) for label in labels]
