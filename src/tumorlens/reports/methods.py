"""A paragraph for a paper's methods section, from a run's own facts, with the references it needs.

It states what was done, not what it is good for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tumorlens.datasets import ResidualNeighbours
from tumorlens.evaluation import GroupsAre, RowFigures
from tumorlens.reports.comparison import RESEARCH_ONLY
from tumorlens.reports.wording import counted, number
from tumorlens.scans import reading_of

__all__ = ["MemberFacts", "MethodsFacts", "methods_paragraph"]

_KERAS = "Chollet F. et al. Keras. 2015. https://keras.io"
_OPENVINO = "Intel Corporation. OpenVINO toolkit. https://docs.openvino.ai"
_NNCF = "Kozlov A. et al. Neural network compression framework for fast model inference. 2020, arXiv:2002.08679."
_SCIKIT_LEARN = (
    "Pedregosa F. et al. Scikit-learn: Machine Learning in Python. "
    "Journal of Machine Learning Research 12 (2011) 2825-2830."
)
_SCIPY = (
    "Virtanen P. et al. SciPy 1.0: fundamental algorithms for scientific computing in Python. "
    "Nature Methods 17 (2020) 261-272."
)
_CLUSTER_BOOTSTRAP = (
    "Field C. A., Welsh A. H. Bootstrapping clustered data. "
    "Journal of the Royal Statistical Society B 69 (2007) 369-390."
)
_BOOTSTRAP = "Efron B., Tibshirani R. J. An Introduction to the Bootstrap. Chapman & Hall, 1993."

_TEMPERATURE = "Guo C. et al. On calibration of modern neural networks. ICML 2017, arXiv:1706.04599."
_CONFORMAL = "Vovk V. Conditional validity of inductive conformal predictors. Machine Learning 92 (2013) 349-376."
_HIERARCHICAL = (
    "Lee Y., Barber R. F., Willett R. Distribution-free inference with hierarchical data. 2023, arXiv:2306.06342."
)

_ADAMW = "Loshchilov I., Hutter F. Decoupled weight decay regularization. ICLR 2019, arXiv:1711.05101."
_SELECTION = "Caruana R. et al. Ensemble selection from libraries of models. ICML 2004."

_KEPT_EPOCH = (
    "kept were the weights of the latest epoch whose validation loss was within one standard error (paired, over "
    "groups) of the lowest"
)
_UNSAID = {"head", "strength_rule"}

_WEIGHTS = {
    "imagenet": "ImageNet weights",
    "package": "ImageNet weights from an installed package",
    "file": "weights from a file",
    "random": "random weights, not pretrained",
}


@dataclass(frozen=True, kw_only=True)
class MemberFacts:
    """One member of an ensemble.

    Attributes:
        network: The network's name in text.
        citation: Its paper; empty for none.
        head: Kind of classifier on it.
        size: Side of its square input, pixels.
        weight: What it counts, 0..1.
    """

    network: str
    citation: str
    head: str
    size: int
    weight: float


@dataclass(frozen=True, kw_only=True)
class MethodsFacts:
    """What the paragraph is written from.

    Attributes:
        dataset: Name of the data set.
        classes: Scans by class, over the whole data set.
        distinct: Scans with different pixels; ``None`` where not counted.
        groups_are: What the data set's groups are.
        n_groups: Number of groups; ``None`` without groups.
        protocol: "grouped", or "study" for the original, leaky split.
        seed: Of the split (the study's is 42); ``None`` where it was read from a file that keeps none.
        parts: Scans by part.
        split_digest: 64 hex digits.
        size: Side of the network's square input, pixels; ``None`` for an ensemble.
        row: The run's figures.
        network: The network's name in text ("ResNet50"); ignored for the CNN from scratch.
        citation: The network's paper; empty for none.
        weights_digest: SHA-256 over the weight tensors; empty for none.
        head: Settings of the training, plain values.
        members: Of an ensemble; else empty.
        chosen_from: How many runs its members were chosen from; 0 where nothing was chosen.
        calibration: What the probabilities rest on, a sentence; empty for nothing to say.
        operating_point: How the threshold was chosen, in words; empty for one half.
        conformal: What sets of classes rest on, in words; empty where they are not offered.
        novelty: The same of the limit of novelty.
        residual_neighbours: Test scans with a close training neighbour; ``None`` where not counted.
        synthetic: Whether the scans are made up.
        scan_steps: What was done to every scan when it was read, such as ``crop=brain``.
        quantised: How the network was quantised, a sentence; empty in full precision.
        versions: Package to version.
    """

    dataset: str
    classes: Mapping[str, int]
    distinct: int | None = None
    groups_are: GroupsAre
    n_groups: int | None = None
    protocol: str
    seed: int | None = None
    parts: Mapping[str, int]
    split_digest: str
    size: int | None
    row: RowFigures
    network: str = ""
    citation: str = ""
    weights_digest: str = ""
    head: Mapping[str, Any] = field(default_factory=dict)
    members: tuple[MemberFacts, ...] = ()
    chosen_from: int = 0
    calibration: str = ""
    operating_point: str = ""
    conformal: str = ""
    novelty: str = ""
    residual_neighbours: ResidualNeighbours | None = None
    synthetic: bool = False
    scan_steps: tuple[str, ...] = ()
    quantised: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)


class _References:
    """Numbers references in the order they are first cited."""

    def __init__(self) -> None:
        self.cited: list[str] = []

    def cite(self, *references: str) -> str:
        """The mark for ``references`` ("[1, 2]"), or nothing for empty ones."""
        numbers = []
        for reference in filter(None, references):
            if reference not in self.cited:
                self.cited.append(reference)
            numbers.append(str(self.cited.index(reference) + 1))
        return f" [{', '.join(numbers)}]" if numbers else ""


def methods_paragraph(facts: MethodsFacts) -> str:
    """Markdown: a paragraph in British English, its references, and the words for research use."""
    references = _References()
    paragraph = " ".join(
        sentence
        for sentence in (
            _data(facts),
            _split(facts),
            _neighbours(facts),
            _model(facts, references),
            _training(facts, references),
            _quantisation(facts, references),
            _rules(facts, references),
            _evaluation(facts, references),
            _result(facts),
            _software(facts),
        )
        if sentence
    )
    listed = "\n".join(f"{place}. {text}" for place, text in enumerate(references.cited, start=1))
    ending = f"{RESEARCH_ONLY[0].upper()}{RESEARCH_ONLY[1:]}."
    return f"{paragraph}\n\nReferences\n\n{listed}\n\n{ending}\n"


def _data(facts: MethodsFacts) -> str:
    total = sum(facts.classes.values())
    by_class = ", ".join(f"{count:,} {name}" for name, count in facts.classes.items())
    kind = "synthetic axial slice" if facts.synthetic else "two-dimensional scan"
    distinct = f", of which {facts.distinct:,} differ in their pixels" if facts.distinct else ""
    return f"The data set “{facts.dataset}” holds {counted(total, kind)} ({by_class}){distinct}.{_steps(facts)}"


def _steps(facts: MethodsFacts) -> str:
    done = reading_of(facts.scan_steps).pixel_steps
    others = ", ".join(step for step in facts.scan_steps if step not in done.words)
    read = f" Scans were read with {others}." if others else ""
    if done.harmonise:
        return (
            f"{read} The skull was stripped (roughly, by thresholds and morphology), each scan was cut to the square "
            "around the head, and its grey levels were stretched linearly so that the head's 10th and 90th percentiles "
            "became 50 and 170; outside the head scans are black."
        )
    return f"{read} Each scan was cut to the square around the head." if done else read


def _split(facts: MethodsFacts) -> str:
    parts = ", ".join(f"{name} {count:,}" for name, count in facts.parts.items() if count)
    seed = "" if facts.seed is None else f"; seed {facts.seed}"
    if facts.protocol == "study":
        return (
            "To compare with published figures, scans were split at random as in the original "
            f"study ({parts}{seed}); neighbouring slices of one patient may stand in training and test, "
            "so the figures are likely too high for new patients."
        )
    groups = "" if facts.n_groups is None else f"{facts.n_groups:,} "
    kind = {
        "patients": f"the {groups}patients",
        "clusters": f"the {groups}clusters of near-duplicate slices, which stand in for unknown patients",
    }.get(facts.groups_are, "scans")
    how = ", as read from a file" if facts.seed is None else ", stratified by class"
    left_out = sum(facts.classes.values()) - sum(facts.parts.values())
    if facts.protocol == "strict":
        strict = f" {counted(left_out, 'scan')} that resemble a test scan were left out, so that no neighbour helps."
    else:
        strict = f" {counted(left_out, 'scan')} were left out." if left_out else ""
    return f"They were split by {kind}, so that no group stands in two parts{how} ({parts}{seed}).{strict}"


def _neighbours(facts: MethodsFacts) -> str:
    neighbours = facts.residual_neighbours
    if neighbours is None:
        return ""
    return (
        f"Of {counted(neighbours.test_scans, 'test scan')}, {neighbours.above_095:,} keep a "
        "training scan whose thumbnail correlates above 0.95, and "
        f"{neighbours.above_098:,} above 0.98."
    )


def _model(facts: MethodsFacts, references: _References) -> str:
    if facts.members:
        return _members(facts, references)
    pixels = f"{facts.size}×{facts.size} pixels"
    if facts.row.kind == "scratch":
        return (
            f"A convolutional network was trained from scratch{references.cite(_KERAS)} on scans resized to {pixels}."
        )
    weights = _WEIGHTS.get(facts.row.weights or "", f"{facts.row.weights} weights")
    digest = f" (SHA-256 of its tensors {facts.weights_digest[:12]})" if facts.weights_digest else ""
    network = facts.network or facts.row.backbone
    if facts.row.trained_from is not None:
        which = "all its layers" if facts.row.trained_from == "all" else f"its layers from {facts.row.trained_from} on"
        return (
            f"{network}{references.cite(facts.citation)} with {weights}{digest} was built with Keras"
            f"{references.cite(_KERAS)}, and {which} were trained further, with a linear classifier on pooled "
            f"features; scans were resized to {pixels} and preprocessed as in the network's own training. The trained "
            f"network is run with OpenVINO{references.cite(_OPENVINO)} in single precision."
        )
    return (
        f"{network}{references.cite(facts.citation)} with {weights}{digest} was used as a frozen "
        f"feature extractor, built with Keras{references.cite(_KERAS)} and run with OpenVINO"
        f"{references.cite(_OPENVINO)} in single precision; scans were resized to {pixels} and "
        "preprocessed as in the network's own training."
    )


def _members(facts: MethodsFacts, references: _References) -> str:
    listed = "; ".join(
        f"{member.network}{references.cite(member.citation)}, {member.head} head, {member.size}×{member.size} pixels "
        f"(weight {member.weight:.3f})"
        for member in facts.members
    )
    return (
        f"An ensemble of {len(facts.members)} models, each made on the same split, answers by the weighted mean of "
        f"their calibrated probabilities, as one graph run with OpenVINO{references.cite(_OPENVINO)} in single "
        f"precision: {listed}."
    )


def _quantisation(facts: MethodsFacts, references: _References) -> str:
    if not facts.quantised:
        return ""
    network = "The convolutional layers were" if facts.row.kind == "scratch" else "For all answers the network was"
    return (
        f"{network} quantised to 8-bit integers after training, with ranges from training scans, by NNCF"
        f"{references.cite(_NNCF)}; the classifier stayed in single precision. {facts.quantised}"
    )


def _training(facts: MethodsFacts, references: _References) -> str:
    if facts.members:
        return _selection(facts, references)
    settings = ", ".join(
        f"{name.replace('_', ' ')} {_plain(value)}"
        for name, value in facts.head.items()
        if name not in _UNSAID and value not in (None, "")
    )
    shown = f" ({settings})" if settings else ""
    head = facts.row.head or ""
    if facts.row.kind == "scratch":
        return (
            "It has two convolutional and three dense layers and was trained from random weights by AdamW"
            f"{references.cite(_ADAMW)} with warm-up and cosine decay in TensorFlow; {_KEPT_EPOCH}{shown}."
        )
    if head == "linear":
        return (
            "A softmax regression with L2 penalty was fitted on its pooled features by SciPy's L-BFGS-B"
            f"{references.cite(_SCIPY)}, its strength chosen by cross-validation within training, "
            f"with scikit-learn's grouped folds{references.cite(_SCIKIT_LEARN)}{shown}."
        )
    if head == "mlp":
        return (
            "A network with one hidden layer was trained on its pooled features with scikit-learn"
            f"{references.cite(_SCIKIT_LEARN)}{shown}."
        )
    if head == "fine-tuned":
        return (
            f"It was trained by AdamW{references.cite(_ADAMW)} with warm-up and cosine decay in TensorFlow, the "
            f"classifier starting as that of the frozen network; {_KEPT_EPOCH}{shown}."
        )
    what = "The dense layers of the original study were" if head == "study" else "A classifier was"
    return f"{what} trained on its flattened feature maps{shown}."


def _selection(facts: MethodsFacts, references: _References) -> str:
    if not facts.chosen_from:
        return "All of them count alike; none was chosen."
    return (
        f"Members and weights were chosen from {counted(facts.chosen_from, 'model')} by greedy forward selection with "
        f"replacement{references.cite(_SELECTION)}, by the cross-entropy on the validation part."
    )


def _rules(facts: MethodsFacts, references: _References) -> str:
    sentences = []
    if facts.calibration:
        cited = references.cite(_TEMPERATURE) if "calibrated by" in facts.calibration else ""
        sentences.append(f"{facts.calibration.removesuffix('.')}{cited}.")
    if facts.operating_point:
        sentences.append(f"The threshold was chosen for a {facts.operating_point}.")
    if facts.conformal:
        cited = references.cite(_CONFORMAL, _HIERARCHICAL)
        sentences.append(f"Sets of classes are conformal by class, with quantiles over {facts.conformal}{cited}.")
    if facts.novelty:
        sentences.append(
            "A scan counts as unlike the training data by the cosine distance of its features to the nearest reference "
            f"scan ({facts.novelty})."
        )
    return " ".join(sentences)


def _evaluation(facts: MethodsFacts, references: _References) -> str:
    interval = facts.row.interval
    figures = f"Figures were computed with scikit-learn{references.cite(_SCIKIT_LEARN)}."
    if interval is None:
        return f"{figures} No intervals are given, because the test part holds too few groups."
    cited = (_BOOTSTRAP,) if interval.unit == "scans" else (_CLUSTER_BOOTSTRAP, _BOOTSTRAP)
    return (
        f"{figures} Intervals are {100 * interval.level:g} % intervals ({interval.method} for the accuracy) from "
        f"{interval.draws:,} bootstrap draws of the {interval.n_groups:,} {interval.unit} in the test part"
        f"{references.cite(*cited)}."
    )


def _result(facts: MethodsFacts) -> str:
    row = facts.row
    if row.collapsed:
        return f"The classifier collapsed ({row.collapsed_because}), so no accuracy is given."
    ends = _ends(row.test_accuracy_low, row.test_accuracy_high)
    sentence = f"Accuracy on the test part was {number(row.test_accuracy)}{ends}"
    if row.test_roc_auc is not None:
        binary = len(row.per_class) == 2
        kind = "area under the ROC curve" if binary else "macro one-versus-rest ROC area"
        ends = _ends(row.test_roc_auc_low, row.test_roc_auc_high)
        sentence += f", the {kind} {number(row.test_roc_auc)}{ends}"
    return f"{sentence}, per slice."


def _software(facts: MethodsFacts) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in facts.versions.items())
    made_with = versions or "tumorlens"
    return f"All of it was made with {made_with}; split digest {facts.split_digest[:12]}."


def _ends(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f" ({number(low)} to {number(high)})"


def _plain(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.3g}"
    if isinstance(value, list | tuple):
        return " and ".join(_plain(entry) for entry in value)
    return str(value)
