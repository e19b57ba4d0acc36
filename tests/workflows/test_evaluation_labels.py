"""Classes are mapped by name or by hand, and nothing is guessed."""

from __future__ import annotations

import pytest

from tumorlens.errors import InputError
from tumorlens.workflows.evaluation_labels import map_classes, parse_label_map

TRAINED = ("no_tumor", "tumor")


def test_by_hand_and_by_name() -> None:
    words = ["tumor=glioma", "tumor=meningioma"]
    found = map_classes(TRAINED, ("no_tumor", "glioma", "meningioma"), label_map=parse_label_map(words))
    assert found == {"glioma": "tumor", "meningioma": "tumor", "no_tumor": "no_tumor"}


@pytest.mark.parametrize(
    ("label_map", "message"),
    [
        ({}, "no counterpart"),
        ({"tumour": "yes"}, "no pair of classes"),
        ({"tumor": "ja"}, "no pair of classes"),
        ({"tumor": "yes", "no_tumor": ["no", "yes"]}, "mapped twice"),
    ],
)
def test_what_does_not_fit_is_refused(label_map, message) -> None:
    with pytest.raises(InputError, match=message):
        map_classes(TRAINED, ("no", "yes"), label_map=label_map)


@pytest.mark.parametrize("word", ["tumor", "=yes", "tumor="])
def test_words_of_another_form_are_refused(word) -> None:
    with pytest.raises(InputError, match="TRAINED=HERE"):
        parse_label_map([word])
