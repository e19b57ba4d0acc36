"""What an audit says: the worst first, with its numbers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tumorlens.audit.findings import Shortcut, SplitLeaks, Twins, WithInterval
from tumorlens.reports import audit_lines, ranked_findings, verdict
from tumorlens.reports.audit_words import grouped_points, leak_sentence, percent, price_sentence, published_sentence


def test_findings_fall_in_weight_and_name_their_section(make_audit):
    findings = ranked_findings(make_audit())
    weights = [finding.weight for finding in findings]
    assert weights == sorted(weights, reverse=True) and min(weights) >= 0.01
    assert {finding.subject for finding in findings} == {"leaks", "price", "shortcuts", "labels", "clusters"}


def test_the_verdict_has_three_sentences_on_three_subjects(make_audit):
    sentences = verdict(make_audit())
    assert len(sentences) == 3
    assert "50 of 200 scans (25 %)" in sentences[0]
    assert sentences[1].startswith("Knowing only image mode gives the right label for 98 % of the scans")
    assert "0.960 (0.940–0.975)" in sentences[2]


def test_what_leaks_most_comes_first(make_bare_audit):
    little = SplitLeaks("the published test and training parts", 100, 1, 0, 0, 0)
    much = replace(little, exact=80)
    shortcut = Shortcut("image mode", 0.75, 0.7, 0.8, 0.8, 0.5, "")
    assert verdict(make_bare_audit(leaks=(little,), shortcuts=(shortcut,)))[0].startswith("Knowing only image mode")
    assert verdict(make_bare_audit(leaks=(much,), shortcuts=(shortcut,)))[0].startswith("The published")


def test_nothing_found_is_said(make_bare_audit):
    (sentence,) = verdict(make_bare_audit())
    assert sentence.startswith("Nothing was found")
    assert sentence in "\n".join(audit_lines(make_bare_audit()))


def test_a_copy_in_a_split_weighs_more_than_one_in_another_data_set(make_bare_audit):
    leaks = SplitLeaks("the published test and training parts", 100, 16, 0, 0, 0)
    (split,) = ranked_findings(make_bare_audit(leaks=(leaks,)))
    (against,) = ranked_findings(make_bare_audit(against={"other": leaks}))
    assert split.weight == pytest.approx(0.48) and against.weight == pytest.approx(0.16)


def test_kinds_without_a_scan_are_not_named():
    leaks = SplitLeaks("one against two", 100, 0, 3, 0, 4)
    assert leak_sentence(leaks) == (
        "one against two: 3 of 100 scans (3.0 %) have a copy on the other side (3 re-encoded, rescaled, shifted or in "
        "other contrast), 4 more a close neighbour."
    )
    assert "(0 %) have a copy on the other side, 4 a close neighbour" in leak_sentence(replace(leaks, near=0))


def test_all_facts_together_are_called_so(make_bare_audit):
    shortcut = Shortcut("all together", 0.75, 0.7, 0.8, 0.8, 0.5, "")
    assert verdict(make_bare_audit(shortcuts=(shortcut,)))[0].startswith("Knowing all trivial facts gives the right")


def test_copies_need_a_split_to_be_called_a_leak(make_bare_audit):
    twins = Twins(3, 6, 900, {"exact": 6, "copy": 0, "mirrored": 0, "neighbour": 894}, 40, (), ())
    (sentence,) = verdict(make_bare_audit(twins=twins))
    assert "900 of 1,000 scans (90 %) have a near-twin; 6 of them are exact copies, in 3 groups." in sentence
    assert "A random split puts them on both sides." in sentence


def test_a_price_that_is_none_is_not_called_one(make_audit):
    leakage = make_audit().leakage
    same = replace(leakage, random=WithInterval(0.9, 0.88, 0.92), grouped=WithInterval(0.91, 0.89, 0.93))
    assert "no point comes from" in price_sentence(same, groups_are="patients")
    assert "3.6 points come from" in price_sentence(leakage, groups_are="patients")
    assert "scans of the same patient in training" in price_sentence(leakage, groups_are="patients")
    assert "where patients stay together" in price_sentence(leakage, groups_are="patients")


def test_noise_is_no_finding(make_bare_audit):
    noise = Shortcut("size", 0.6, 0.5, 0.7, 0.6, 0.55, "")
    assert ranked_findings(make_bare_audit(shortcuts=(noise,))) == ()
    (found,) = ranked_findings(make_bare_audit(shortcuts=(replace(noise, low=0.56),)))
    assert found.subject == "shortcuts"


def test_neighbours_of_other_patients_do_not_count(make_bare_audit):
    own = SplitLeaks("the test and training parts of the split by patients", 100, 0, 0, 0, 90, (), "patients")
    assert ranked_findings(make_bare_audit(leaks=(own,))) == ()
    (copies,) = ranked_findings(make_bare_audit(leaks=(replace(own, near=10),)))
    assert copies.weight == pytest.approx(0.3)
    for kept_together in ("clusters", None):
        (found,) = ranked_findings(make_bare_audit(leaks=(replace(own, kept_together=kept_together),)))
        assert found.weight == pytest.approx(0.45)


def test_what_the_twins_of_a_published_split_give(make_audit):
    leakage = replace(make_audit().leakage, published_train=1863, published_removed=837)
    assert "without the 837 of 1,863 training scans that are twins of test scans, 0.910" in published_sentence(leakage)
    assert published_sentence(leakage).endswith(": 4.5 points come from the twins.")
    nothing = replace(leakage, published_cleaned=WithInterval(0.96, 0.94, 0.98))
    assert published_sentence(nothing).endswith(": no point comes from the twins.")
    same = replace(leakage, published_cleaned=WithInterval(0.9549, 0.94, 0.98))
    assert "no point comes" in published_sentence(same)


def test_a_published_split_that_cannot_be_cleaned_is_said_to_be_one(make_audit):
    leakage = replace(make_audit().leakage, published_cleaned=None, published_control=None)
    sentence = published_sentence(replace(leakage, published_train=100, published_removed=98))
    assert "reaches 0.960 (0.940–0.975); 98 of its 100 training scans are twins of test scans" in sentence
    assert sentence.endswith("it cannot be cleaned.")
    assert published_sentence(replace(leakage, published=None)) == ""


def test_the_random_split_is_no_point_of_the_grouped_curve(make_audit):
    leakage = make_audit().leakage
    random = replace(leakage.curve[0], removed=leakage.random, control=leakage.random)
    longer = replace(leakage, curve=(random, *leakage.curve))
    assert grouped_points(longer) == leakage.curve == grouped_points(leakage)


@pytest.mark.parametrize(
    ("share", "words"), [(0, "0 %"), (0.024, "2.4 %"), (0.0997, "10 %"), (0.834, "83 %"), (1, "100 %")]
)
def test_percent(share, words):
    assert percent(share) == words


def test_lines_for_the_terminal(make_audit):
    lines = audit_lines(make_audit(synthetic=False))
    assert lines[0].startswith("tiny: 1,000 scans, 980 of them distinct, in 120 clusters;")
    assert lines[1].startswith("1. The published test and training parts: 50 of 200")
    assert "To look at: the labels of 5 scans." in lines
    assert "Note: Price: too few groups in one class." in lines
    assert "Shortcuts: image mode 0.98, brain area 0.75, aspect 0.55; commonest class 0.55." in lines
    assert sum("Knowing" in line for line in lines) == 1 and sum("a close neighbour" in line for line in lines) == 3
    assert lines[-1] == "Research output, not for patient care."
    assert all("\n" not in line for line in lines)
    assert audit_lines(make_audit(synthetic=True))[0].startswith("Synthetic: the scans are made up")
