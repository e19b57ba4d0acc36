"""What an audit says in words: one sentence a finding, the worst first.

The order is a rule of thumb: each finding is weighed by the share of test scans, of errors or of labels that it can
account for; copies across a split count threefold, being a fault and no suspicion. Neighbours across a split that keeps
known patients together are other patients' and count nothing, nor does a shortcut that may be chance. It decides what
is read first and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tumorlens.audit.findings import (
    Audit,
    CurvePoint,
    LabelConflict,
    LeakageCurve,
    Shortcut,
    SplitLeaks,
    TwinKind,
    WithInterval,
)
from tumorlens.reports.wording import counted, interval, number

__all__ = [
    "KIND_WORDS",
    "AuditFinding",
    "accuracy_words",
    "counts_sentence",
    "grouped_points",
    "leak_sentence",
    "leak_title",
    "percent",
    "price_sentence",
    "published_sentence",
    "queue_rows",
    "ranked_findings",
    "twins_sentence",
    "verdict",
]

KIND_WORDS: dict[TwinKind, str] = {
    "exact": "the same pixels",
    "copy": "a copy: re-encoded, rescaled, shifted or in other contrast",
    "mirrored": "a turned or mirrored copy",
    "neighbour": "a close neighbour",
}
"""What each kind of twin is."""

_COPIES_COUNT = 3.0
_NEIGHBOURS_COUNT = 0.5
_TWINS_COUNT = 0.3
_CONFLICTS_COUNT = 20.0
_ODD_COUNT = 2.0
_WORTH_SAYING = 0.01
_VERDICT_SENTENCES = 3


@dataclass(frozen=True)
class AuditFinding:
    """One thing that is wrong with a data set.

    Attributes:
        weight: How bad by the rule of thumb above, 0..1.
        subject: Where on the page it stands: ``leaks``, ``price``, ``shortcuts``, ``labels``, ``odd`` or ``clusters``.
        sentence: What it is, with its numbers.
    """

    weight: float
    subject: str
    sentence: str


def ranked_findings(audit: Audit) -> tuple[AuditFinding, ...]:
    """Everything worth saying, the worst first; empty where nothing was found."""
    found = [*_leaks(audit), *_price(audit), *_shortcuts(audit), *_labels(audit), *_twins(audit), *_odd(audit)]
    return tuple(sorted((one for one in found if one.weight >= _WORTH_SAYING), key=lambda one: -one.weight))


def verdict(audit: Audit) -> tuple[str, ...]:
    """Three sentences for a reader in a hurry: the worst findings, each subject once."""
    subjects: dict[str, str] = {}
    for finding in ranked_findings(audit):
        subjects.setdefault(finding.subject, finding.sentence)
    sentences = tuple(subjects.values())[:_VERDICT_SENTENCES]
    return sentences or ("Nothing was found that would make results on these scans look better than they are.",)


def counts_sentence(audit: Audit) -> str:
    """Scans, contents, groups and classes in one sentence."""
    classes = ", ".join(f"{name} {count:,}" for name, count in audit.by_class.items())
    return (
        f"{counted(audit.scans, 'scan')}, {audit.distinct:,} of them distinct, in "
        f"{counted(audit.groups, audit.groups_are.removesuffix('s'))}; {classes}."
    )


def twins_sentence(audit: Audit) -> str:
    """How many scans have a twin anywhere in the data set."""
    twins = audit.twins
    share = percent(_share(twins.near_twins, audit.scans))
    return (
        f"{twins.near_twins:,} of {counted(audit.scans, 'scan')} ({share}) have "
        f"a near-twin; {twins.scans_in_copies:,} of them are exact copies, in {counted(twins.exact_groups, 'group')}."
    )


def leak_sentence(leaks: SplitLeaks) -> str:
    """How many scans of one side have a twin on the other, by kind."""
    kinds = (
        (leaks.exact, "with the same pixels"),
        (leaks.near, "re-encoded, rescaled, shifted or in other contrast"),
        (leaks.mirrored, "turned or mirrored"),
    )
    copies = sum(count for count, _ in kinds)
    which = ", ".join(f"{count:,} {words}" for count, words in kinds if count)
    share = percent(_share(copies, leaks.test_scans))
    more = "more " if copies else ""
    return (
        f"{leak_title(leaks)}: {copies:,} of {counted(leaks.test_scans, 'scan')} ({share}) have "
        f"a copy on the other side{f' ({which})' if which else ''}, {leaks.neighbouring:,} {more}a close neighbour."
    )


def leak_title(leaks: SplitLeaks) -> str:
    """What was compared, as a heading; names stay as they are."""
    return _capital(leaks.of) if leaks.of.startswith("the ") else leaks.of


def queue_rows(audit: Audit) -> frozenset[int]:
    """Row ids of the scans whose labels are to be looked at."""
    pairs = (row for conflict in audit.label_conflicts for row in _rows(conflict))
    return frozenset(pairs) | frozenset(one.row_id for one in audit.contradictions)


def price_sentence(leakage: LeakageCurve, *, groups_are: str) -> str:
    """What leakage adds: random against grouped folds."""
    adds = _points(leakage.random.accuracy - leakage.grouped.accuracy)
    one = groups_are.removesuffix("s")
    return (
        f"{leakage.backbone} reaches {accuracy_words(leakage.random)} on randomly drawn test scans and "
        f"{accuracy_words(leakage.grouped)} where {groups_are} stay together: {adds} "
        f"scans of the same {one} in training."
    )


def grouped_points(leakage: LeakageCurve) -> tuple[CurvePoint, ...]:
    """The points of the curve under grouped folds; a point for the random split before them is left out."""
    whole = [place for place, point in enumerate(leakage.curve) if point.removed_above >= 1]
    return leakage.curve[whole[-1] if whole else 0 :]


def accuracy_words(value: WithInterval) -> str:
    """``0.944 (0.931–0.957)``."""
    return f"{number(value.accuracy)} ({interval(value.low, value.high)})"


def percent(share: float) -> str:
    """``83 %``, or ``2.4 %`` below ten."""
    hundredths = 100 * share
    whole = hundredths == 0 or hundredths >= 9.95
    return f"{hundredths:.0f} %" if whole else f"{hundredths:.1f} %"


def _leaks(audit: Audit) -> Iterator[AuditFinding]:
    for leaks in audit.leaks:
        yield AuditFinding(min(1.0, _telling(leaks, copies_count=_COPIES_COUNT)), "leaks", leak_sentence(leaks))
    for leaks in audit.against.values():  # shared scans leak only where one set tests what the other trained
        yield AuditFinding(_telling(leaks, copies_count=1.0), "leaks", leak_sentence(leaks))


def _telling(leaks: SplitLeaks, *, copies_count: float) -> float:
    copies = leaks.exact + leaks.near + leaks.mirrored
    neighbours_count = 0.0 if leaks.kept_together == "patients" else _NEIGHBOURS_COUNT
    return _share(copies_count * copies + neighbours_count * leaks.neighbouring, leaks.test_scans)


def _price(audit: Audit) -> Iterator[AuditFinding]:
    leakage = audit.leakage
    if leakage is None:
        return
    yield AuditFinding(
        _hidden_errors(leakage.random, leakage.grouped), "price", price_sentence(leakage, groups_are=audit.groups_are)
    )
    cleaned, control = leakage.published_cleaned, leakage.published_control
    if cleaned is not None and control is not None:
        yield AuditFinding(_hidden_errors(control, cleaned), "price", published_sentence(leakage))


def published_sentence(leakage: LeakageCurve) -> str:
    """What the split that came with the data promises, and what of it its twins give; blank without such a split."""
    published, cleaned, control = leakage.published, leakage.published_cleaned, leakage.published_control
    if published is None:
        return ""
    reached = f"On the split that came with the data {leakage.backbone} reaches {accuracy_words(published)}"
    removed, trained = leakage.published_removed, leakage.published_train
    if cleaned is None or control is None:
        which = f"{removed:,} of its {trained:,}" if trained else "nearly all of its"
        return (
            f"{reached}; {which} training scans are twins of test scans and too little is left without them, so it "
            "cannot be cleaned."
        )
    which = f"{removed:,} of {trained:,}" if trained else ""
    return (
        f"{reached}; without {f'the {which}'.strip()} training scans that are twins of test scans, "
        f"{accuracy_words(cleaned)}; without as many taken at random, {accuracy_words(control)}: "
        f"{_points(control.accuracy - cleaned.accuracy)} the twins."
    )


def _points(difference: float) -> str:
    """What a difference of two accuracies comes to, never less than nothing."""
    points = round(100 * difference, 1)
    return f"{points:.1f} points come from" if points > 0 else "no point comes from"


def _hidden_errors(flattering: WithInterval, honest: WithInterval) -> float:
    """Share of the honest estimate's errors that the flattering one does not show."""
    return _share(max(0.0, flattering.accuracy - honest.accuracy), 1.0 - honest.accuracy)


def _shortcuts(audit: Audit) -> Iterator[AuditFinding]:
    for shortcut in audit.shortcuts:
        gained = shortcut.accuracy - shortcut.majority if shortcut.low > shortcut.majority else 0.0
        weight = _share(gained, 1.0 - shortcut.majority)
        yield AuditFinding(weight, "shortcuts", _shortcut_sentence(shortcut))


def _shortcut_sentence(shortcut: Shortcut) -> str:
    known = "all trivial facts" if shortcut.name == "all together" else f"only {shortcut.name}"
    return (
        f"Knowing {known} gives the right label for {percent(shortcut.accuracy)} of the scans "
        f"({percent(shortcut.low)} to {percent(shortcut.high)}; the commonest class: {percent(shortcut.majority)}), "
        "with no look at the disease."
    )


def _labels(audit: Audit) -> Iterator[AuditFinding]:
    rows = {row for conflict in audit.label_conflicts for row in _rows(conflict)}
    if rows:
        sentence = (
            f"{counted(len(audit.label_conflicts), 'pair')} of near-twins carry different labels "
            f"({counted(len(rows), 'scan')}): one label of each pair may be wrong."
        )
        yield AuditFinding(min(1.0, _CONFLICTS_COUNT * _share(len(rows), audit.scans)), "labels", sentence)


def _rows(conflict: LabelConflict) -> tuple[int, int]:
    return conflict.twin.first, conflict.twin.second


def _twins(audit: Audit) -> Iterator[AuditFinding]:
    weight = _TWINS_COUNT * _share(audit.twins.near_twins, audit.scans)
    ending = " A random split puts them on both sides." if weight > _TWINS_COUNT / 2 else ""
    yield AuditFinding(weight, "clusters", twins_sentence(audit) + ending)


def _odd(audit: Audit) -> Iterator[AuditFinding]:
    reasons: dict[str, int] = {}
    for scan in audit.odd:
        reasons[scan.reason] = reasons.get(scan.reason, 0) + 1
    rows = {scan.row_id for scan in audit.odd}
    if rows:
        by_reason = ", ".join(f"{reason} {count:,}" for reason, count in reasons.items())
        verb = "does" if len(rows) == 1 else "do"
        sentence = f"{counted(len(rows), 'scan')} {verb} not look like the rest ({by_reason})."
        yield AuditFinding(min(1.0, _ODD_COUNT * _share(len(rows), audit.scans)), "odd", sentence)


def _share(part: float, whole: float) -> float:
    return part / whole if whole > 0 else 0.0


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
