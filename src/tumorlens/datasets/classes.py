"""The order of classes, and which of two is the positive one. Knows nothing about scans."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tumorlens.errors import InputError
from tumorlens.scans import natural_key

__all__ = ["order_classes", "positive_class", "rename_label"]

_POSITIVE = frozenset(
    "1 abnormal cancer disease glioma lesion malignant meningioma pathological pituitary "
    "positive true tumor tumors tumour tumours yes y".split()
) | {"has tumor", "has tumour", "with tumor", "with tumour", "brain tumor", "brain tumour"}
_NEGATIVE = frozenset(
    "0 control controls false healthy negative no n none normal notumor notumour nontumor".split()
) | {"no tumor", "no tumour", "non tumor", "non tumour", "without tumor", "without tumour"}


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


def rename_label(label: str, names: dict[str, str], *, found: Iterable[str]) -> str:
    """Return the new name of ``label``.

    Args:
        label: A label as it stands in the source.
        names: Old names to new names; empty keeps all.
        found: All labels of the source, for the message.

    Raises:
        InputError: ``names`` is given but does not name ``label``.
    """
    if not names:
        return label
    if label not in names:
        raise InputError(
            f"The class names given cover {', '.join(sorted(names))}, but the labels are "
            f"{', '.join(sorted(set(found), key=natural_key))}: name every label."
        )
    return names[label]
