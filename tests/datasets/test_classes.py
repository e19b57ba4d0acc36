from __future__ import annotations

import pytest

from tumorlens.datasets.classes import order_classes, positive_class, rename_labels
from tumorlens.errors import InputError


def test_classes_are_in_natural_order() -> None:
    assert order_classes(["10", "2", "1", "2"]) == ("1", "2", "10")
    assert order_classes(["yes", "No"]) == ("No", "yes")


@pytest.mark.parametrize(
    ("classes", "expected"),
    [
        (("no", "yes"), "yes"),
        (("0", "1"), "1"),
        (("healthy", "tumor"), "tumor"),
        (("tumour", "zebra"), "tumour"),
        (("abnormal", "normal"), "abnormal"),
        (("glioma", "notumor"), "glioma"),
        (("Brain_Tumor", "Healthy"), "Brain_Tumor"),
        (("metastasis", "no tumour"), "metastasis"),
        (("glioma", "meningioma"), "meningioma"),
        (("a", "b"), "b"),
        (("a", "b", "c"), None),
    ],
)
def test_the_positive_of_two_classes(classes: tuple[str, ...], expected: str | None) -> None:
    assert positive_class(classes) == expected


def test_labels_are_renamed_and_may_be_merged() -> None:
    labels = ["glioma", "none", "pituitary"]
    names = {"glioma": "tumour", "pituitary": "tumour"}
    assert rename_labels(labels, names) == ["tumour", "none", "tumour"]
    assert rename_labels(labels, {}) == labels


@pytest.mark.parametrize(
    ("names", "message"),
    [({"2": "x"}, "no label '2' to rename; the labels are 0, 1"), ({"0": " "}, "must not be blank")],
)
def test_wrong_names_are_refused(names: dict[str, str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        rename_labels(["0", "1"], names)
