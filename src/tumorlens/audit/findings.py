"""What an audit finds, as plain values: what is computed fills them in, and what is shown reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from tumorlens.datasets.record import GroupKind

__all__ = [
    "Audit",
    "Contradiction",
    "CurvePoint",
    "LabelConflict",
    "LeakageCurve",
    "LearningPoint",
    "NullDistribution",
    "OddScan",
    "Shortcut",
    "SplitLeaks",
    "Twin",
    "TwinKind",
    "Twins",
    "WithInterval",
]

TwinKind = Literal["exact", "copy", "mirrored", "neighbour"]
"""``exact``: same pixels. ``copy``: the same picture re-encoded, rescaled, shifted or in other contrast. ``mirrored``:
such a copy turned or mirrored. ``neighbour``: very alike, as neighbouring slices of one patient are."""


@dataclass(frozen=True)
class Twin:
    """Two scans that are copies or nearly so.

    Attributes:
        first: Row id of the one (in a split: the test scan).
        second: Row id of the other (in a split: the training scan; against another data set: a row of that).
        kind: How they are alike.
        similarity: Correlation of their thumbnails once aligned, -1..1.
    """

    first: int
    second: int
    kind: TwinKind
    similarity: float


@dataclass(frozen=True)
class Twins:
    """Copies and near-twins of a data set.

    Attributes:
        exact_groups: Contents that occur more than once.
        scans_in_copies: Scans that hold one of these.
        near_twins: Scans with a twin of any kind, exact copies included.
        by_kind: Scans by the closest kind of twin they have; scans without one are in none.
        clusters: Number of clusters of near-duplicates (single scans count).
        largest: Row ids of the largest clusters, the largest first.
        examples: Pairs to show, some of every kind, the most telling first.
    """

    exact_groups: int
    scans_in_copies: int
    near_twins: int
    by_kind: Mapping[TwinKind, int]
    clusters: int
    largest: tuple[tuple[int, ...], ...]
    examples: tuple[Twin, ...]


@dataclass(frozen=True)
class SplitLeaks:
    """Test scans with a twin in training, each counted once, under its closest kind.

    Attributes:
        of: What was compared, for a sentence: ``"the published Testing and Training parts"``.
        test_scans: Scans looked at.
        exact: With the same pixels in training.
        near: With a copy (re-encoded, rescaled, shifted, other contrast).
        mirrored: With a turned or mirrored copy.
        neighbouring: With a neighbour only.
        examples: Pairs to show; ``first`` is the test scan.
        kept_together: What tumorlens' own split keeps on one side, ``patients`` or ``clusters``; ``None`` for others.
    """

    of: str
    test_scans: int
    exact: int
    near: int
    mirrored: int
    neighbouring: int
    examples: tuple[Twin, ...] = ()
    kept_together: GroupKind | None = None


@dataclass(frozen=True)
class LabelConflict:
    """Two near-twins whose labels disagree.

    Attributes:
        twin: The pair.
        labels: Their labels, in the order of the pair.
    """

    twin: Twin
    labels: tuple[str, str]


@dataclass(frozen=True)
class Contradiction:
    """A scan whose out-of-fold prediction contradicts its label.

    Attributes:
        row_id: The scan.
        label: Its reference label.
        predicted: The class predicted by a model that saw neither the scan nor its group.
        probability: Probability of that class, 0..1, uncalibrated.
    """

    row_id: int
    label: str
    predicted: str
    probability: float


@dataclass(frozen=True)
class WithInterval:
    """An accuracy with its 95 % interval, from a bootstrap over groups; 0..1."""

    accuracy: float
    low: float
    high: float


@dataclass(frozen=True)
class Shortcut:
    """How well facts that have nothing to do with disease predict the label, out of fold under grouped folds.

    Attributes:
        name: ``"image mode"``, ``"file format"``, ``"size"``, ``"aspect"``, ``"brain area"``, ``"brightness"``,
            ``"border pixels"``, ``"slice height"``, …, ``"area and brightness"``, ``"all together"``.
        accuracy: Share of scans predicted right.
        low: Lower end of its 95 % interval.
        high: Upper end.
        roc_auc: ROC area (macro one-versus-rest for more than two classes).
        majority: Accuracy of the commonest class.
        words: What it means, in a sentence or two.
    """

    name: str
    accuracy: float
    low: float
    high: float
    roc_auc: float | None
    majority: float
    words: str


@dataclass(frozen=True)
class CurvePoint:
    """The accuracy once training scans closer to the test scans than a similarity are removed.

    Attributes:
        removed_above: Training scans whose similarity to any test scan is above this are removed; 1.0: none, which
            the first point (random folds) and the second (grouped folds, as all that follow) have.
        train_scans: What is left for training, on average over the folds.
        removed: Accuracy after this removal.
        control: Accuracy after removing equally many training scans at random.
    """

    removed_above: float
    train_scans: int
    removed: WithInterval
    control: WithInterval


@dataclass(frozen=True)
class NullDistribution:
    """Accuracies with one random label per group (Yagis et al. 2021): what exceeds chance is leakage.

    Attributes:
        mean: Mean accuracy over the draws, 0..1.
        low: 2.5th percentile of the draws.
        high: 97.5th percentile.
        chance: What no leakage gives: the mean of the majority's share under random folds, one half (of two random
            labels) under grouped folds.
        draws: Number of draws.
    """

    mean: float
    low: float
    high: float
    chance: float
    draws: int


@dataclass(frozen=True)
class LearningPoint:
    """The grouped test accuracy with fewer groups in training.

    Attributes:
        groups: Groups in training.
        train_scans: Scans in training.
        test: Accuracy on the same test scans.
    """

    groups: int
    train_scans: int
    test: WithInterval


@dataclass(frozen=True)
class LeakageCurve:
    """The price of leakage, with one network's features and one kind of head throughout.

    Attributes:
        backbone: Whose features.
        random: Accuracy under random folds.
        grouped: Accuracy under grouped folds.
        curve: From nothing removed to much removed.
        permuted_random: Random label per group, random folds.
        permuted_grouped: Random label per group, grouped folds.
        learning: Accuracy by number of groups.
        published: Accuracy on the split that came with the data; ``None`` without one.
        published_cleaned: The same after removing training scans that are twins of test scans.
        published_control: The same after removing equally many training scans of each class at random.
        published_train: Scans of its training part.
        published_removed: How many of these are twins of its test scans.
        judged_scans: Scans that all these figures rest on: whole groups, where the data set is too large.
    """

    backbone: str
    random: WithInterval
    grouped: WithInterval
    curve: tuple[CurvePoint, ...]
    permuted_random: NullDistribution
    permuted_grouped: NullDistribution
    learning: tuple[LearningPoint, ...]
    published: WithInterval | None = None
    published_cleaned: WithInterval | None = None
    published_control: WithInterval | None = None
    published_train: int = 0
    published_removed: int = 0
    judged_scans: int | None = None


@dataclass(frozen=True)
class OddScan:
    """A scan that does not look like the rest.

    Attributes:
        row_id: The scan.
        reason: ``"far from all others"``, ``"empty"``, ``"inverted"``, ``"clipped"``, ``"burned-in text"``, …
        score: How odd; larger is odder; comparable within a reason only.
        words: What was seen, with its number.
    """

    row_id: int
    reason: str
    score: float
    words: str


@dataclass(frozen=True, kw_only=True)
class Audit:
    """Everything an audit found.

    Attributes:
        dataset: Name of the data set.
        digest: Digest of its manifest.
        synthetic: Whether its scans are made up.
        scans: Rows of the manifest.
        distinct: Different pixel contents.
        groups: Number of groups.
        groups_are: ``patients`` or ``clusters``.
        by_class: Scans of each class.
        twins: Copies and near-twins.
        leaks: In the split that came with the data, and in tumorlens' own grouped split.
        against: Test scans here with a twin in another data set, by that data set's name.
        shortcuts: Worst first.
        leakage: The price of leakage; ``None`` where it was not asked for or there are too few groups.
        label_conflicts: Near-twins with different labels, the most alike first.
        contradictions: The most confident first; empty without features.
        odd: Odd ones out, by reason and score.
        notes: What could not be done, and why.
        seconds: Seconds by step.
        created: ISO 8601 time, UTC.
        predicted_by: Network whose out-of-fold predictions the labels were compared with; ``None`` where none were.
    """

    dataset: str
    digest: str
    synthetic: bool
    scans: int
    distinct: int
    groups: int
    groups_are: GroupKind
    by_class: Mapping[str, int]
    twins: Twins
    leaks: tuple[SplitLeaks, ...]
    against: Mapping[str, SplitLeaks]
    shortcuts: tuple[Shortcut, ...]
    leakage: LeakageCurve | None
    label_conflicts: tuple[LabelConflict, ...]
    contradictions: tuple[Contradiction, ...]
    odd: tuple[OddScan, ...]
    notes: tuple[str, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
    created: str = ""
    predicted_by: str | None = None
