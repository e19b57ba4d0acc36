"""What a run knows of the data items of a checklist: where scans come from, how they were split, what is missing."""

from __future__ import annotations

from tumorlens.reports.checklist_facts.registry import fact
from tumorlens.reports.report_facts import NOT_STATED, ReportFacts
from tumorlens.reports.wording import counted

__all__: list[str] = []  # found by name in FACTS


@fact
def data_source(facts: ReportFacts) -> str:
    """Which data set, and that its origin is unknown."""
    digest = f", digest {facts.record.digest[:12]}" if facts.record else ""
    kind = (
        " Its scans are made up."
        if "synthetic" in facts.comparison.marks
        else " Where its scans come from: not stated."
    )
    return f"Data set “{facts.comparison.dataset}”{digest}.{kind}"


@fact
def eligibility(facts: ReportFacts) -> str:
    """What the import left out."""
    if facts.record is None:
        return ""
    flow = facts.record.flow
    return (
        f"Of {counted(flow.files, 'file')}, {flow.readable:,} could be read and {flow.dropped:,} were left out because "
        "copies had different labels. Criteria for patients: not stated."
    )


@fact
def subsets(facts: ReportFacts) -> str:
    """Whether parts of images were used."""
    if facts.record is None:
        return ""
    return f"Single slices; steps applied to every scan: {', '.join(facts.record.scan_steps) or 'none'}."


@fact
def deidentification(facts: ReportFacts) -> str:
    """What happens to identities in DICOM files."""
    if "DICOM" not in facts.formats:
        return ""
    return "Patient ids of DICOM files were kept as a keyed hash only; names and dates were not kept."


@fact
def missing(facts: ReportFacts) -> str:
    """Files without readable content; nothing is imputed."""
    if facts.record is None:
        return ""
    flow = facts.record.flow
    return f"{counted(flow.files - flow.readable, 'file')} could not be read and are left out; nothing was imputed."


@fact
def acquisition(facts: ReportFacts) -> str:
    """Coded facts of the headers, where there are any."""
    shown = ", ".join(name.replace("_", " ") for name in facts.columns)
    return f"By part in Table 1: {shown}." if shown else ""


@fact
def reference_label(facts: ReportFacts) -> str:
    """Classes, and that their making is unknown."""
    positive = facts.comparison.positive_class
    which = f", “{positive}” counting as positive" if positive else ""
    return (
        f"Reference labels as imported: {', '.join(facts.comparison.classes)}{which}. How they were made: not stated."
    )


@fact
def conflicts(facts: ReportFacts) -> str:
    """Labels that disagree."""
    return facts.label_conflicts


@fact
def partitions(facts: ReportFacts) -> str:
    """Scans by part."""
    parts = ", ".join(
        f"{part} {sum(counts.values()):,} ({', '.join(f'{count:,} {name}' for name, count in counts.items())})"
        for part, counts in facts.comparison.parts.items()
    )
    return f"{parts}. Split digest {facts.comparison.split_digest[:12]}."


@fact
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


@fact
def test_size(facts: ReportFacts) -> str:
    """How large the test part is."""
    scans = sum(facts.comparison.parts.get("test", {}).values())
    groups = next((row.interval for row in facts.comparison.rows if row.interval), None)
    over = f" in {groups.n_groups:,} {groups.unit}" if groups and groups.unit != "scans" else ""
    return (
        f"The test part holds {counted(scans, 'scan')}{over}; its size follows from the split, not from a calculation."
    )


@fact
def flow(facts: ReportFacts) -> str:
    """The flow of numbers."""
    if facts.record is None:
        return ""
    found = facts.record.flow
    return (
        f"{counted(found.files, 'file')}, {found.readable:,} readable, {found.imported:,} imported, "
        f"{found.distinct:,} distinct, in {facts.record.groups:,} {facts.record.groups_are}; drawn on the page."
    )


@fact
def characteristics(facts: ReportFacts) -> str:
    """What Table 1 holds."""
    more = f" and {', '.join(name.replace('_', ' ') for name in facts.columns)}" if facts.columns else ""
    return f"Table 1 gives scans, groups and classes{more} by part. Other facts of the people scanned: {NOT_STATED}."


@fact
def predictors(facts: ReportFacts) -> str:
    """What the model is given."""
    return "" if facts.row is None else "All pixels of a slice; nothing else about the patient."


@fact
def class_balance(facts: ReportFacts) -> str:
    """Shares of the classes."""
    total = {
        name: sum(counts.get(name, 0) for counts in facts.comparison.parts.values())
        for name in facts.comparison.classes
    }
    scans = max(1, sum(total.values()))
    shares = ", ".join(f"{name} {100 * count / scans:.1f} %" for name, count in total.items())
    return f"Shares of scans: {shares}. Whether they are those of the people it is meant for: not stated."


@fact
def poor_input(facts: ReportFacts) -> str:
    """What is refused."""
    return (
        ""
        if facts.card is None
        else "Files that cannot be read are refused with a sentence; the quality of a scan is not judged."
    )


@fact
def data_licence(facts: ReportFacts) -> str:
    """Licence of the data, where given."""
    return f"Licence of the data: {facts.data_licence}." if facts.data_licence else ""


@fact
def blinding(facts: ReportFacts) -> str:
    """That the model sees pixels alone."""
    return (
        ""
        if facts.row is None
        else "The model is given pixels alone; reference labels of test scans play no role in training or choice."
    )
