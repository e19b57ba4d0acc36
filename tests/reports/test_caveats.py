"""The sentences that must stand under every table."""

from __future__ import annotations

from dataclasses import replace

from tumorlens.reports import SYNTHETIC, caveats


def said(comparison):
    return "\n".join(caveats(comparison))


def test_neighbours_are_counted_in_words(grouped_example):
    sentence = "27 of 753 test scans still have a training neighbour above 0.95, 9 above 0.98"
    assert sentence in said(grouped_example.comparison)


def test_clusters_are_never_called_patients(grouped_example):
    comparison = grouped_example.comparison
    assert "clusters of near-duplicate slices, not patients" in said(comparison)
    assert "not patients" not in said(replace(comparison, groups_are="patients"))


def test_leaky_protocol_is_said_first(study_example):
    assert caveats(study_example.comparison)[0].startswith("Leaky: for comparison with the")


def test_synthetic_and_random_weights_are_said(grouped_example):
    text = said(replace(grouped_example.comparison, marks=(SYNTHETIC, "random weights")))
    assert "Synthetic: the scans are made up" in text
    assert "Random weights: a network here was not pretrained" in text


def test_intervals_say_what_they_rest_on(grouped_example, study_example):
    rows = grouped_example.comparison.rows
    groups = rows[0].interval.n_groups
    assert f"bootstrap over {groups} clusters of the test part, 100 draws" in said(grouped_example.comparison)
    assert "Scans were drawn one by one" in said(study_example.comparison)


def test_few_groups_are_warned_about(grouped_example):
    comparison = grouped_example.comparison
    few = tuple(replace(row, interval=replace(row.interval, n_groups=9)) for row in comparison.rows)
    assert "With fewer than 30 clusters those of the ROC area are likely too narrow" in said(
        replace(comparison, rows=few)
    )
    none = tuple(replace(row, interval=None) for row in comparison.rows)
    assert "No intervals" in said(replace(comparison, rows=none))


def test_exact_intervals_and_missing_ones_are_explained(grouped_example):
    comparison = grouped_example.comparison
    row = comparison.rows[0]
    perfect = replace(row, interval=replace(row.interval, method="exact binomial"), test_roc_auc=1.0)
    text = said(replace(comparison, rows=(perfect,)))
    assert "Where every test scan is right, or every one wrong, the interval is exact binomial" in text
    assert "with one trial a cluster" in text
    assert "ROC area of exactly 1 has none" in text


def test_choice_and_losses(study_example, grouped_example):
    assert "Best on validation: vgg16, linear head." in said(grouped_example.comparison)
    assert "ours do not (add 0.412 for vgg16, study head)" in said(study_example.comparison)
    assert "Published losses" not in said(grouped_example.comparison)


def test_notes_of_rows_are_shown(make_example):
    text = said(make_example(note="Weights of unknown origin.").comparison)
    assert "vgg16, linear head: Weights of unknown origin." in text


def test_research_use_is_said_last(grouped_example):
    assert caveats(grouped_example.comparison)[-1] == "Research output, not for patient care."


def test_a_network_that_does_not_beat_the_trivial_baseline_is_said_to(grouped_example):
    comparison = grouped_example.comparison
    best = comparison.best_row
    rows = tuple(
        replace(row, test_accuracy=best.test_accuracy) if row.backbone == "area and brightness" else row
        for row in comparison.rows
    )
    sentence = "it does not beat area and brightness alone"
    assert not any(sentence in text for text in caveats(comparison))
    assert any(sentence in text for text in caveats(replace(comparison, rows=rows)))
