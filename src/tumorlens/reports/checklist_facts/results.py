"""What a run knows of the other items of a checklist: evaluation, figures, limits, use."""

from __future__ import annotations

from collections.abc import Sequence

from tumorlens.evaluation import TRIVIAL_BASELINE
from tumorlens.reports.caveats import caveats
from tumorlens.reports.checklist_facts.model import licences
from tumorlens.reports.checklist_facts.registry import fact
from tumorlens.reports.report_facts import NOT_STATED, ReportFacts
from tumorlens.reports.wording import counted, interval, number

__all__: list[str] = []  # found by name in FACTS


@fact
def use(facts: ReportFacts) -> str:
    """The limits of use."""
    return facts.card.use if facts.card else ""


@fact
def goal(facts: ReportFacts) -> str:
    """What was done, which is not the same as why."""
    models = sum(row.kind != "baseline" for row in facts.comparison.rows)
    if facts.single:
        return f"One model was made and tested on a held-out part of the data set “{facts.comparison.dataset}”."
    return f"{counted(models, 'model')} compared on one split of “{facts.comparison.dataset}”, beside two baselines."


@fact
def metrics(facts: ReportFacts) -> str:
    """Which figures are given."""
    return (
        "Accuracy, cross-entropy, area under the ROC curve, average precision, and precision, recall and F1 by class, "
        f"beside the commonest class and {TRIVIAL_BASELINE} alone."
    )


@fact
def uncertainty(facts: ReportFacts) -> str:
    """How intervals and differences were made."""
    found = next((row.interval for row in facts.comparison.rows if row.interval), None)
    if found is None:
        return "No intervals: the test part holds too few groups."
    said = f"{100 * found.level:g} % intervals, bootstrap over {found.n_groups:,} {found.unit}, {found.draws:,} draws"
    paired = "; differences by paired bootstrap and sign-flip test, p adjusted by Holm's method"
    return f"{said}{paired if facts.comparison.differences else ''}."


@fact
def robustness(facts: ReportFacts) -> str:
    """Points to the audit, which studies it."""
    found = f"Accuracy by {_listed(facts.subgroups)}, on the page. " if facts.subgroups else ""
    return f"{found}tumorlens data audit {facts.comparison.dataset} measures leaks and shortcuts."


def _listed(names: Sequence[str]) -> str:
    return ", ".join(name.replace("_", " ") for name in names)


@fact
def internal_testing(facts: ReportFacts) -> str:
    """Training against test."""
    row = facts.row
    if row is None or row.collapsed:
        return ""
    fitted = f"Accuracy in training {number(row.train_accuracy)}, in validation {number(row.val_accuracy)}"
    return f"{fitted}, on the test part {_with_ends(facts)}."


@fact
def external_testing(facts: ReportFacts) -> str:
    """That no other source is in this report."""
    command = f" tumorlens evaluate {facts.row.run} DATASET gives figures on another data set." if facts.row else ""
    return f"None in this report: training and test scans are of one data set.{command}"


@fact
def performance(facts: ReportFacts) -> str:
    """Accuracy by part."""
    return internal_testing(facts)


@fact
def accuracy(facts: ReportFacts) -> str:
    """Figures with intervals."""
    row = facts.row
    if row is None or row.collapsed:
        return ""
    area = number(row.test_roc_auc)
    ends = interval(row.test_roc_auc_low, row.test_roc_auc_high)
    return f"Test accuracy {_with_ends(facts)}, ROC area {area}{f' ({ends})' if ends else ''}, per slice."


@fact
def failures(facts: ReportFacts) -> str:
    """Errors."""
    if facts.wrong is None:
        return ""
    scans = sum(facts.comparison.parts.get("test", {}).values())
    return (
        f"{facts.wrong:,} of {counted(scans, 'test scan')} are decided wrongly; confusion matrix and the most "
        "confident errors stand on the page."
    )


@fact
def limitations(facts: ReportFacts) -> str:
    """The sentences that stand under the table."""
    return " ".join(caveats(facts.comparison)[:-1][:4])


@fact
def technical_detail(facts: ReportFacts) -> str:
    """The methods paragraph."""
    return "" if facts.row is None else "The methods paragraph on the page, with settings and digests."


@fact
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


@fact
def no_judgement(facts: ReportFacts) -> str:
    """That pixels are read by no one."""
    return "" if facts.row is None else "The model reads pixels; no person measures a predictor."


@fact
def undecided(facts: ReportFacts) -> str:
    """That all scans count."""
    return (
        ""
        if facts.summary is None
        else "Every test scan has one answer and one reference label in the figures; none is left out."
    )


@fact
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


@fact
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
