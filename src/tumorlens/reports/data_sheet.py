"""A data sheet after Gebru et al. (2021): what a data set holds and how it came about, as far as tumorlens knows.

It says "not stated" wherever only the people who made the data can answer.
"""

from __future__ import annotations

from tumorlens.reports.checklist_facts import FACTS
from tumorlens.reports.comparison import SYNTHETIC
from tumorlens.reports.document import Chapter, Document
from tumorlens.reports.grid import Grid
from tumorlens.reports.report_facts import NOT_STATED, ReportFacts
from tumorlens.reports.wording import counted

__all__ = ["data_sheet"]


def data_sheet(facts: ReportFacts, *, tables: tuple[Grid, ...] = ()) -> Document:
    """The sheet of the data set that a report rests on.

    Args:
        facts: What is known.
        tables: Table 1, for the file.
    """
    chapters = (
        Chapter("Motivation", _motivation(facts)),
        Chapter("Composition", _composition(facts)),
        Chapter("Collection", _collection(facts)),
        Chapter("Preparation and labels", _preparation(facts)),
        Chapter("Uses", _uses(facts)),
        Chapter("Distribution", _distribution(facts)),
        Chapter("Maintenance", _maintenance(facts)),
    )
    opening = "Sections after Gebru et al., Datasheets for Datasets, 2021. “Not stated” is for the owners to answer."
    return Document(f"Data sheet: {facts.comparison.dataset}", opening, chapters, "data-sheet.md", tables)


def _motivation(facts: ReportFacts) -> dict[str, str]:
    made_up = SYNTHETIC in facts.comparison.marks
    why = "Made up by tumorlens to show and test its way without data of patients." if made_up else NOT_STATED
    return {"Why it was made": why, "By whom, and who paid": "tumorlens" if made_up else NOT_STATED}


def _composition(facts: ReportFacts) -> dict[str, str]:
    record, check = facts.record, facts.check
    classes = FACTS["class_balance"](facts)
    if record is None or check is None:
        return {
            "Scans in the split": f"{facts.scans:,}",
            "Classes": classes,
            "Further": "The data set is not in this workspace as it was, so no more is known here.",
        }
    formats = ", ".join(f"{name} {count:,}" for name, count in facts.formats.items())
    return {
        "One instance is": "a two-dimensional slice with a label",
        "Scans": f"{check.scans:,}, of which {check.distinct:,} differ in their pixels",
        "Classes": classes,
        "Groups": _groups(facts),
        "Exact copies": f"{check.scans_in_copies:,} scans in {counted(check.exact_groups, 'group')} of equal pixels",
        "Near-twins": "not counted" if check.near_twins is None else counted(check.near_twins, "scan"),
        "Labels that disagree": facts.label_conflicts or "none met at import",
        "File formats": formats or NOT_STATED,
        "Parts": FACTS["partitions"](facts),
        "Digest of the manifest": record.digest,
        "Facts of people (age, sex, …)": NOT_STATED,
        "Whole, or a sample of more": NOT_STATED,
    }


def _groups(facts: ReportFacts) -> str:
    assert facts.record is not None
    if facts.record.groups_are == "patients":
        return f"{counted(facts.record.groups, 'patient')}, known"
    return f"{counted(facts.record.groups, 'cluster')} of near-duplicates; patients are not known"


def _collection(facts: ReportFacts) -> dict[str, str]:
    return {
        "How and when taken": NOT_STATED,
        "Machines and settings": FACTS["acquisition"](facts) or NOT_STATED,
        "Consent and approval": NOT_STATED,
        "Identities": FACTS["deidentification"](facts) or NOT_STATED,
    }


def _preparation(facts: ReportFacts) -> dict[str, str]:
    record = facts.record
    if record is None:
        return {"How labels were made": NOT_STATED}
    return {
        "Flow of numbers": FACTS["flow"](facts),
        "Left out": FACTS["eligibility"](facts),
        "Steps applied to every scan": ", ".join(record.scan_steps) or "none",
        "What the import said": " ".join(record.notes) or "nothing further",
        "How labels were made": NOT_STATED,
        "Are raw data kept": "the source files stay where they were; the workspace keeps decoded pixels",
    }


def _uses(facts: ReportFacts) -> dict[str, str]:
    row = facts.row
    return {
        "Used here for": FACTS["goal"](facts),
        "By the model": (row.run or row.backbone) if row else "none",
        "What bears on later uses": FACTS["disjointness"](facts),
        "Should not be used for": NOT_STATED,
    }


def _distribution(facts: ReportFacts) -> dict[str, str]:
    return {"Licence": facts.data_licence or "unknown", "Where it can be had": NOT_STATED}


def _maintenance(facts: ReportFacts) -> dict[str, str]:
    return {"Kept by, errors reported to": NOT_STATED, "Versions": "the manifest’s digest names this one exactly"}
