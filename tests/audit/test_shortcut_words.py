"""What is said of one shortcut."""

from __future__ import annotations

import pytest

from tumorlens.audit.findings import WithInterval
from tumorlens.audit.shortcut_words import shortcut_words

_NOT_HIGHER = WithInterval(0.9, 0.85, 0.93)


@pytest.mark.parametrize("roc_auc", [0.5, 0.3, None])
def test_chance_is_called_so(roc_auc):
    words = shortcut_words("size", _NOT_HIGHER, roc_auc=roc_auc, majority=0.9)
    assert words == "Size alone: 90 %, no better than chance allows (the commonest class: 90 %)."


def test_a_telling_area_is_not_called_chance():
    words = shortcut_words("image mode", _NOT_HIGHER, roc_auc=0.95, majority=0.9)
    assert words.startswith("Image mode alone: 90 %, no higher than chance allows")
    assert "but ROC AUC 0.95. Converting hides this shortcut" in words


def test_a_higher_accuracy_comes_with_its_meaning():
    words = shortcut_words("maker", WithInterval(0.99, 0.97, 1), roc_auc=0.5, majority=0.9)
    assert words.startswith("Maker alone: 99 % (the commonest class: 90 %). The classes were acquired differently")
