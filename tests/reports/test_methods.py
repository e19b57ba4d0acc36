"""The methods paragraph states the run's own facts and cites what it used."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tumorlens.datasets import ResidualNeighbours
from tumorlens.reports import MethodsFacts, methods_paragraph

PAPER = "Simonyan K., Zisserman A. Very Deep Convolutional Networks. ICLR 2015."


@pytest.fixture
def facts(grouped_example) -> MethodsFacts:
    return MethodsFacts(
        dataset="clinic",
        classes={"no tumour": 2_079, "tumour": 1_683},
        distinct=3_699,
        groups_are="clusters",
        n_groups=911,
        protocol="grouped",
        seed=0,
        parts={"train": 2_400, "validation": 400, "calibration": 0, "test": 753},
        split_digest="ab" * 32,
        size=240,
        row=grouped_example.comparison.rows[3],
        network="VGG16",
        citation=PAPER,
        weights_digest="cd" * 32,
        head={"head": "linear", "strength": 0.00123, "folds": 5},
        residual_neighbours=ResidualNeighbours(753, 27, 9),
        versions={"tumorlens": "0.1.0", "keras": "3.15.1"},
    )


def test_facts_are_stated(facts):
    text = methods_paragraph(facts)
    row = facts.row
    for expected in (
        "3,762 two-dimensional scans (2,079 no tumour, 1,683 tumour), of which 3,699 differ",
        "the 911 clusters of near-duplicate slices",
        "train 2,400, validation 400, test 753; seed 0",
        "27 keep a training scan",
        "240×240 pixels",
        "SHA-256 of its tensors cdcdcdcdcdcd",
        "strength 0.00123, folds 5",
        f"{row.interval.n_groups} clusters in the test part",
        f"{row.test_accuracy:.3f} ({row.test_accuracy_low:.3f} to {row.test_accuracy_high:.3f})",
        "keras 3.15.1",
        "Research output, not for patient care.",
    ):
        assert expected in text, expected


def test_what_was_done_to_every_scan_is_stated(facts):
    assert "cut to the square" not in methods_paragraph(facts)
    text = methods_paragraph(replace(facts, scan_steps=("window=percentiles", "crop=brain")))
    assert "Scans were read with window=percentiles. Each scan was cut to the square around the head." in text


def test_rules_are_stated_with_their_references(facts):
    assert "conformal" not in methods_paragraph(facts)
    text = methods_paragraph(
        replace(
            facts,
            calibration="Probabilities are calibrated by a temperature on 115 clusters (376 scans, 44% tumour slices).",
            operating_point="sensitivity of 0.95 or more on out-of-fold predictions of training scans (2,069 scans)",
            conformal="clusters of the calibration part: no tumour 62, tumour 57",
            novelty="115 clusters of the calibration part, 2,000 reference scans",
        )
    )
    assert "44% tumour slices) [" in text and "threshold was chosen for a sensitivity of 0.95 or more" in text
    assert "quantiles over clusters of the calibration part" in text and "2,000 reference scans" in text
    assert [line.split(".")[0] for line in cited(text, "Probabilities are calibrated")] == ["Guo C"]
    assert [line.split(" ")[0] for line in cited(text, "Sets of classes")] == ["Vovk", "Lee"]
    own = replace(facts, calibration="Probabilities are the model's own, not calibrated: too few groups.")
    assert "Guo" not in methods_paragraph(own)


def cited(text: str, sentence_start: str) -> list[str]:
    """The references that stand between a sentence's start and its full stop."""
    paragraph, references = text.split("\n\nReferences\n\n")
    sentence = re.search(rf"{re.escape(sentence_start)}.*?\.(?= [A-Z]|$)", paragraph, flags=re.DOTALL)
    assert sentence is not None
    places = [int(place) for mark in re.findall(r"\[([\d, ]+)\]", sentence.group()) for place in mark.split(", ")]
    lines = dict(line.split(". ", 1) for line in references.splitlines() if line[:1].isdigit())
    return [lines[str(place)] for place in places]


def test_references_are_numbered_as_cited(facts):
    paragraph, references = methods_paragraph(facts).split("\n\nReferences\n\n")
    expected = (PAPER, "Keras", "OpenVINO", "SciPy", "Scikit-learn", "Bootstrapping clustered", "Bootstrap")
    for place, words in enumerate(expected, start=1):
        line = references.splitlines()[place - 1]
        assert line.startswith(f"{place}. ")
        assert words in line
        assert f"{place}]" in paragraph or f"[{place}," in paragraph
    assert f"VGG16 [{1}]" in paragraph


def test_each_library_is_cited_for_what_it_does(facts):
    text = methods_paragraph(facts)
    fit, folds = cited(text, "A softmax regression")
    assert fit.startswith("Virtanen P. et al. SciPy 1.0")
    assert "Nature Methods 17 (2020) 261-272" in fit
    assert folds.startswith("Pedregosa")
    assert cited(text, "Figures were computed")[0].startswith("Pedregosa")
    mlp = methods_paragraph(replace(facts, row=replace(facts.row, head="mlp")))
    assert cited(mlp, "A network with one hidden layer")[0].startswith("Pedregosa")
    assert "SciPy" not in mlp


def test_study_protocol_says_that_it_leaks(facts):
    text = methods_paragraph(replace(facts, protocol="study", seed=42))
    assert "as in the original study" in text
    assert "likely too high" in text
    assert "; seed 42)" in text


def test_a_split_from_a_file_claims_neither_seed_nor_strata(facts):
    text = methods_paragraph(replace(facts, seed=None))
    assert "as read from a file (train 2,400, validation 400, test 753)" in text
    assert "stratified" not in text


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        (2, "trained from scratch"),
        (3, "softmax regression with L2 penalty"),
        (4, "dense layers of the original study"),
        (5, "collapsed (predicts one class only), so no accuracy is given"),
    ],
)
def test_each_kind_of_row(facts, grouped_example, place, expected):
    row = grouped_example.comparison.rows[place]
    text = methods_paragraph(replace(facts, row=row))
    assert expected in text
    if place == 2:
        assert PAPER not in text
    if place == 5:
        assert "random weights, not pretrained" in text
        assert "Accuracy on the test part" not in text


def test_mlp_head_and_unknown_kinds(facts):
    mlp = replace(facts, row=replace(facts.row, head="mlp"), head={"hidden": (64, 32)})
    assert "one hidden layer" in methods_paragraph(mlp)
    assert "hidden 64 and 32" in methods_paragraph(mlp)


def test_scans_drawn_one_by_one_cite_no_cluster_bootstrap(facts, study_example):
    text = methods_paragraph(replace(facts, row=study_example.comparison.rows[3]))
    assert "scans in the test part" in text
    assert "clustered data" not in text


def test_without_intervals_patients_and_synthetic(facts):
    row = replace(facts.row, interval=None, test_accuracy_low=None, test_roc_auc=None)
    text = methods_paragraph(replace(facts, row=row, groups_are="patients", n_groups=None, synthetic=True))
    assert "No intervals are given" in text
    assert "split by the patients" in text
    assert "synthetic axial slices" in text
