"""What a run knows of the items of a reporting checklist: one named function a subject.

Each gives a sentence or two, or nothing where the run does not know; none says that an item is met.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from tumorlens.bundles import BundleCard, check_words
from tumorlens.evaluation import TRIVIAL_BASELINE
from tumorlens.reports.caveats import caveats
from tumorlens.reports.report_facts import NOT_STATED, ReportFacts
from tumorlens.reports.wording import counted, interval, number, row_title

__all__ = ["FACTS", "licences"]

Fact: TypeAlias = Callable[[ReportFacts], str]

FACTS: dict[str, Fact] = {}
"""Every fact function by the name that the lists use."""


def _fact(function: Fact) -> Fact:
    FACTS[function.__name__] = function
    return function


@_fact
def technique(facts: ReportFacts) -> str:
    """The kind of AI."""
    if facts.row is None:
        return ""
    if facts.row.kind == "scratch":
        return "Deep learning: a convolutional network trained from scratch, on single two-dimensional slices."
    if facts.row.kind == "ensemble":
        return "Deep learning by transfer: several models, the weighted mean of whose probabilities is the answer."
    if facts.row.trained_from is not None:
        which = "all layers" if facts.row.trained_from == "all" else f"the layers from {facts.row.trained_from} on"
        return f"Deep learning by transfer: {facts.network}, of which {which} were trained further."
    return f"Deep learning by transfer: {facts.network} as a frozen feature extractor with a {facts.row.head} head."


@_fact
def use(facts: ReportFacts) -> str:
    """The limits of use."""
    return facts.card.use if facts.card else ""


@_fact
def goal(facts: ReportFacts) -> str:
    """What was done, which is not the same as why."""
    models = sum(row.kind != "baseline" for row in facts.comparison.rows)
    if facts.single:
        return f"One model was made and tested on a held-out part of the data set “{facts.comparison.dataset}”."
    return f"{counted(models, 'model')} compared on one split of “{facts.comparison.dataset}”, beside two baselines."


@_fact
def data_source(facts: ReportFacts) -> str:
    """Which data set, and that its origin is unknown."""
    digest = f", digest {facts.record.digest[:12]}" if facts.record else ""
    kind = (
        " Its scans are made up."
        if "synthetic" in facts.comparison.marks
        else " Where its scans come from: not stated."
    )
    return f"Data set “{facts.comparison.dataset}”{digest}.{kind}"


@_fact
def eligibility(facts: ReportFacts) -> str:
    """What the import left out."""
    if facts.record is None:
        return ""
    flow = facts.record.flow
    return (
        f"Of {counted(flow.files, 'file')}, {flow.readable:,} could be read and {flow.dropped:,} were left out because "
        "copies had different labels. Criteria for patients: not stated."
    )


@_fact
def preprocessing(facts: ReportFacts) -> str:
    """Steps from a file to the network."""
    if facts.card is None:
        return ""
    steps = ", ".join(facts.card.scan_steps) or "none"
    return (
        f"Steps before the network: {steps}. The graph resizes to {_pixels(facts.card)} pixels and normalises as in "
        "each network's own training."
    )


@_fact
def subsets(facts: ReportFacts) -> str:
    """Whether parts of images were used."""
    if facts.record is None:
        return ""
    return f"Single slices; steps applied to every scan: {', '.join(facts.record.scan_steps) or 'none'}."


@_fact
def deidentification(facts: ReportFacts) -> str:
    """What happens to identities in DICOM files."""
    if "DICOM" not in facts.formats:
        return ""
    return "Patient ids of DICOM files were kept as a keyed hash only; names and dates were not kept."


@_fact
def missing(facts: ReportFacts) -> str:
    """Files without readable content; nothing is imputed."""
    if facts.record is None:
        return ""
    flow = facts.record.flow
    return f"{counted(flow.files - flow.readable, 'file')} could not be read and are left out; nothing was imputed."


@_fact
def acquisition(facts: ReportFacts) -> str:
    """Coded facts of the headers, where there are any."""
    shown = ", ".join(name.replace("_", " ") for name in facts.columns)
    return f"By part in Table 1: {shown}." if shown else ""


@_fact
def reference_label(facts: ReportFacts) -> str:
    """Classes, and that their making is unknown."""
    positive = facts.comparison.positive_class
    which = f", “{positive}” counting as positive" if positive else ""
    return (
        f"Reference labels as imported: {', '.join(facts.comparison.classes)}{which}. How they were made: not stated."
    )


@_fact
def conflicts(facts: ReportFacts) -> str:
    """Labels that disagree."""
    return facts.label_conflicts


@_fact
def partitions(facts: ReportFacts) -> str:
    """Scans by part."""
    parts = ", ".join(
        f"{part} {sum(counts.values()):,} ({', '.join(f'{count:,} {name}' for name, count in counts.items())})"
        for part, counts in facts.comparison.parts.items()
    )
    return f"{parts}. Split digest {facts.comparison.split_digest[:12]}."


@_fact
def disjointness(facts: ReportFacts) -> str:
    """What keeps the parts apart, and what does not."""
    if facts.comparison.protocol == "study":
        return "Split at random by slice, as in the original study: slices of one patient may stand in two parts."
    kind = {
        "patients": "By patient: no patient stands in two parts.",
        "clusters": "By cluster of near-duplicate slices, in the place of unknown patients; clusters are not patients.",
    }.get(facts.comparison.groups_are, "By single scan.")
    neighbours = facts.comparison.residual_neighbours
    rest = (
        ""
        if neighbours is None
        else (
            f" {neighbours.above_095:,} of {counted(neighbours.test_scans, 'test scan')} keep a training scan whose "
            "thumbnail correlates above 0.95."
        )
    )
    return kind + rest


@_fact
def test_size(facts: ReportFacts) -> str:
    """How large the test part is."""
    scans = sum(facts.comparison.parts.get("test", {}).values())
    groups = next((row.interval for row in facts.comparison.rows if row.interval), None)
    over = f" in {groups.n_groups:,} {groups.unit}" if groups and groups.unit != "scans" else ""
    return (
        f"The test part holds {counted(scans, 'scan')}{over}; its size follows from the split, not from a calculation."
    )


@_fact
def architecture(facts: ReportFacts) -> str:
    """Network, head, input and output."""
    if facts.card is None:
        return ""
    parts = [_part(facts.card.backbone, facts.card.head)] if facts.card.backbone else []
    parts += [
        f"{_part(each['backbone'], each['head'])}, at {each['size']} pixels (weight {each['weight']:.3f})"
        for each in facts.card.members
    ]
    return (
        f"{'; '.join(parts)}; input {_pixels(facts.card)} pixels; output a probability for each of "
        f"{len(facts.card.labels)} classes and a coarse map of where each score came from."
    )


def _part(backbone: Mapping[str, Any], head: Mapping[str, Any] | None) -> str:
    """One network with its head."""
    paper = backbone.get("paper", "")
    on_top = f"; {head.get('kind')} head on its {head.get('input')} features" if head else ""
    return f"{backbone.get('title')}{f' ({paper})' if paper else ''}{on_top}"


def _pixels(card: BundleCard) -> str:
    """``240×240``, of an ensemble ``192×192 and 240×240``."""
    return " and ".join(f"{size}×{size}" for size in card.sizes)


@_fact
def software(facts: ReportFacts) -> str:
    """Versions."""
    return ", ".join(f"{name} {version}" for name, version in facts.comparison.versions.items())


@_fact
def initialisation(facts: ReportFacts) -> str:
    """Where the weights came from."""
    if facts.card is None:
        return ""
    return " ".join(dict.fromkeys(_weights(network) for network in facts.card.networks))


def _weights(network: Mapping[str, Any]) -> str:
    weights = network.get("weights")
    if not isinstance(weights, dict):
        return "Random weights, trained from scratch."
    return f"Weights: {weights.get('kind')}; SHA-256 of the tensors {str(weights.get('tensors', ''))[:12]}."


@_fact
def training(facts: ReportFacts) -> str:
    """Settings of the training."""
    return "; ".join(f"{name.replace('_', ' ')}: {_plain(value)}" for name, value in facts.head.items())


@_fact
def selection(facts: ReportFacts) -> str:
    """How the model was chosen."""
    if facts.single:
        return ""
    best = facts.comparison.best_row
    chosen = "no model could be chosen" if best is None else row_title(best)
    rule = "The highest accuracy on the validation part, the lower loss deciding ties"
    return f"{rule}: {chosen}. Test scans played no role."


@_fact
def ensemble(facts: ReportFacts) -> str:
    """Whether one model answers, or which together."""
    if facts.row is None:
        return ""
    if facts.row.members is None:
        return "None: one model answers."
    shares = ", ".join(f"{run} {weight:.3f}" for run, weight in facts.row.members.items())
    return f"The weighted mean of calibrated probabilities: {shares}. {facts.row.note or ''}".rstrip()


@_fact
def metrics(facts: ReportFacts) -> str:
    """Which figures are given."""
    return (
        "Accuracy, cross-entropy, area under the ROC curve, average precision, and precision, recall and F1 by class, "
        f"beside the commonest class and {TRIVIAL_BASELINE} alone."
    )


@_fact
def uncertainty(facts: ReportFacts) -> str:
    """How intervals and differences were made."""
    found = next((row.interval for row in facts.comparison.rows if row.interval), None)
    if found is None:
        return "No intervals: the test part holds too few groups."
    said = f"{100 * found.level:g} % intervals, bootstrap over {found.n_groups:,} {found.unit}, {found.draws:,} draws"
    paired = "; differences by paired bootstrap and sign-flip test, p adjusted by Holm's method"
    return f"{said}{paired if facts.comparison.differences else ''}."


@_fact
def robustness(facts: ReportFacts) -> str:
    """Points to the audit, which studies it."""
    found = f"Accuracy by {_listed(facts.subgroups)}, on the page. " if facts.subgroups else ""
    return f"{found}tumorlens data audit {facts.comparison.dataset} measures leaks and shortcuts."


def _listed(names: Sequence[str]) -> str:
    return ", ".join(name.replace("_", " ") for name in names)


@_fact
def explanation(facts: ReportFacts) -> str:
    """The heatmap."""
    if facts.card is None:
        return ""
    return (
        "A coarse map of where each score came from, from the same pass as the score; it does not say that a lesion "
        f"lies there. {check_words(facts.card.heatmap_check)}"
    )


@_fact
def internal_testing(facts: ReportFacts) -> str:
    """Training against test."""
    row = facts.row
    if row is None or row.collapsed:
        return ""
    fitted = f"Accuracy in training {number(row.train_accuracy)}, in validation {number(row.val_accuracy)}"
    return f"{fitted}, on the test part {_with_ends(facts)}."


@_fact
def external_testing(facts: ReportFacts) -> str:
    """That no other source is in this report."""
    command = f" tumorlens evaluate {facts.row.run} DATASET gives figures on another data set." if facts.row else ""
    return f"None in this report: training and test scans are of one data set.{command}"


@_fact
def flow(facts: ReportFacts) -> str:
    """The flow of numbers."""
    if facts.record is None:
        return ""
    found = facts.record.flow
    return (
        f"{counted(found.files, 'file')}, {found.readable:,} readable, {found.imported:,} imported, "
        f"{found.distinct:,} distinct, in {facts.record.groups:,} {facts.record.groups_are}; drawn on the page."
    )


@_fact
def characteristics(facts: ReportFacts) -> str:
    """What Table 1 holds."""
    more = f" and {', '.join(name.replace('_', ' ') for name in facts.columns)}" if facts.columns else ""
    return f"Table 1 gives scans, groups and classes{more} by part. Other facts of the people scanned: {NOT_STATED}."


@_fact
def performance(facts: ReportFacts) -> str:
    """Accuracy by part."""
    return internal_testing(facts)


@_fact
def accuracy(facts: ReportFacts) -> str:
    """Figures with intervals."""
    row = facts.row
    if row is None or row.collapsed:
        return ""
    area = number(row.test_roc_auc)
    ends = interval(row.test_roc_auc_low, row.test_roc_auc_high)
    return f"Test accuracy {_with_ends(facts)}, ROC area {area}{f' ({ends})' if ends else ''}, per slice."


@_fact
def failures(facts: ReportFacts) -> str:
    """Errors."""
    if facts.wrong is None:
        return ""
    scans = sum(facts.comparison.parts.get("test", {}).values())
    return (
        f"{facts.wrong:,} of {counted(scans, 'test scan')} are decided wrongly; confusion matrix and the most "
        "confident errors stand on the page."
    )


@_fact
def limitations(facts: ReportFacts) -> str:
    """The sentences that stand under the table."""
    return " ".join(caveats(facts.comparison)[:-1][:4])


@_fact
def technical_detail(facts: ReportFacts) -> str:
    """The methods paragraph."""
    return "" if facts.row is None else "The methods paragraph on the page, with settings and digests."


@_fact
def availability(facts: ReportFacts) -> str:
    """What can be shared, and by what it is known."""
    if facts.card is None:
        return ""
    licence = licences(facts)
    weights = f" Licence of the pretrained weights: {licence}." if licence else ""
    return (
        f"The model is the bundle {facts.card.model}, which holds no scan; tumorlens is free software (Apache-2.0)."
        f"{weights} Data: {facts.data_licence or NOT_STATED}."
    )


def licences(facts: ReportFacts) -> str:
    """Licences of the pretrained weights behind the model; empty for none."""
    networks = facts.card.networks if facts.card else ()
    return ", ".join(dict.fromkeys(str(network["licence"]) for network in networks if network.get("licence")))


@_fact
def predictors(facts: ReportFacts) -> str:
    """What the model is given."""
    return "" if facts.row is None else "All pixels of a slice; nothing else about the patient."


@_fact
def no_judgement(facts: ReportFacts) -> str:
    """That pixels are read by no one."""
    return "" if facts.row is None else "The model reads pixels; no person measures a predictor."


@_fact
def updating(facts: ReportFacts) -> str:
    """Calibration after training."""
    if facts.card is None:
        return ""
    return f"{facts.card.calibration} A run is not changed once its test part was opened."


@_fact
def prediction_path(facts: ReportFacts) -> str:
    """How predictions are made."""
    if facts.row is None or facts.row.run is None:
        return ""
    return f"By the stored graph: tumorlens predict {facts.row.run} SCAN; a user gives a file and needs to do no more."


@_fact
def class_balance(facts: ReportFacts) -> str:
    """Shares of the classes."""
    total = {
        name: sum(counts.get(name, 0) for counts in facts.comparison.parts.values())
        for name in facts.comparison.classes
    }
    scans = max(1, sum(total.values()))
    shares = ", ".join(f"{name} {100 * count / scans:.1f} %" for name, count in total.items())
    return f"Shares of scans: {shares}. Whether they are those of the people it is meant for: not stated."


@_fact
def output(facts: ReportFacts) -> str:
    """Probabilities and threshold."""
    if facts.card is None:
        return ""
    point = facts.card.operating_point
    if point is None:
        return f"A probability for each class; the largest is the answer. {facts.card.calibration}"
    return (
        f"A probability for each class; “{point.positive_class}” from {point.threshold:.3g} on ({point.basis}), fixed "
        f"without test scans. {facts.card.calibration}"
    )


@_fact
def poor_input(facts: ReportFacts) -> str:
    """What is refused."""
    return (
        ""
        if facts.card is None
        else "Files that cannot be read are refused with a sentence; the quality of a scan is not judged."
    )


@_fact
def data_licence(facts: ReportFacts) -> str:
    """Licence of the data, where given."""
    return f"Licence of the data: {facts.data_licence}." if facts.data_licence else ""


@_fact
def blinding(facts: ReportFacts) -> str:
    """That the model sees pixels alone."""
    return (
        ""
        if facts.row is None
        else "The model is given pixels alone; reference labels of test scans play no role in training or choice."
    )


@_fact
def undecided(facts: ReportFacts) -> str:
    """That all scans count."""
    return (
        ""
        if facts.summary is None
        else "Every test scan has one answer and one reference label in the figures; none is left out."
    )


@_fact
def cross_table(facts: ReportFacts) -> str:
    """The confusion matrix in words."""
    if facts.detail is None:
        return ""
    classes = facts.comparison.classes
    cells = [
        f"{int(count):,} {classes[down]} taken for {classes[across]}"
        for down, line in enumerate(facts.detail.confusion)
        for across, count in enumerate(line)
    ]
    return f"{'; '.join(cells)}." if len(classes) <= 4 else "The confusion matrix stands on the page."


@_fact
def kept_outputs(facts: ReportFacts) -> str:
    """Where predictions are kept."""
    return (
        ""
        if facts.row is None
        else "The run keeps its answer for every scan; a ledger counts every opening of the test part."
    )


def _with_ends(facts: ReportFacts) -> str:
    row = facts.row
    assert row is not None
    ends = interval(row.test_accuracy_low, row.test_accuracy_high)
    return f"{number(row.test_accuracy)} ({ends if ends else 'no interval'})"


def _plain(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.3g}"
    return " and ".join(map(_plain, value)) if isinstance(value, list | tuple) else str(value)
