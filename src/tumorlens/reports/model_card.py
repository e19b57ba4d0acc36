"""A model card after Mitchell et al. (2019): what a model is, what it is for, what it can do, where it ends.

Facts of the run where there are any, "not stated" where tumorlens cannot know.
"""

from __future__ import annotations

from tumorlens.bundles import check_words
from tumorlens.evaluation import Figure
from tumorlens.reports.caveats import caveats
from tumorlens.reports.checklist_facts import FACTS, licences
from tumorlens.reports.comparison import RESEARCH_ONLY
from tumorlens.reports.document import Chapter, Document
from tumorlens.reports.report_facts import NOT_STATED, ReportFacts
from tumorlens.reports.wording import FIGURE_NAMES, capitalised, counted, interval, number, row_title

__all__ = ["figure_words", "model_card"]


_PRECISION_WORDS = {
    "fp32": "Single precision throughout.",
    "int8": "The network computes in 8-bit integers; its input, the classifier and the probabilities are in single "
    "precision, and so is the .keras model for further training, whose answers therefore differ a little.",
    "mixed": "Some members compute in 8-bit integers, the others in single precision.",
}


def model_card(facts: ReportFacts) -> Document | None:
    """The card of the run, or of the comparison's best model; ``None`` where there is no model."""
    row = facts.row
    if row is None:
        return None
    chapters = (
        Chapter("The model", _model(facts)),
        Chapter("Intended use", _use(facts)),
        Chapter("Factors", _factors(facts)),
        Chapter("Metrics", _metrics(facts)),
        Chapter("Training data", _data(facts, ("train", "validation", "calibration"))),
        Chapter("Evaluation data", _data(facts, ("test",))),
        Chapter("Ethical points", _ethics(facts)),
        Chapter("Limits", _limits(facts)),
    )
    opening = "Sections after Mitchell et al., Model Cards for Model Reporting, 2019."
    return Document(f"Model card: {row.run or row_title(row)}", opening, chapters, "model-card.md")


def figure_words(figure: Figure) -> str:
    """A figure with its interval, in words."""
    if figure.value is None:
        return "not defined"
    ends = interval(figure.low, figure.high)
    return f"{number(figure.value)} ({ends if ends else 'no interval'})"


def _model(facts: ReportFacts) -> dict[str, str]:
    card = facts.card
    if card is None:
        return {
            "Model": f"{facts.network}; its bundle is not at hand",
            "Settings": FACTS["training"](facts) or NOT_STATED,
        }
    return {
        "Name and digest": card.model,
        "Made": card.created,
        "Kind": FACTS["technique"](facts),
        "Network": FACTS["architecture"](facts),
        "Weights": FACTS["initialisation"](facts),
        "Training": FACTS["training"](facts) or NOT_STATED,
        "Input": FACTS["preprocessing"](facts),
        "Output": FACTS["output"](facts),
        "Precision": _PRECISION_WORDS[card.precision],
        "Licence of the pretrained weights": licences(facts) or "none used",
        "Versions": ", ".join(f"{name} {version}" for name, version in card.versions.items()),
        "Made by, contact": NOT_STATED,
        "How to cite": "references.bib, beside this card",
    }


def _use(facts: ReportFacts) -> dict[str, str]:
    assert facts.row is not None
    if facts.row.mistake is not None:
        return {"Meant for": "Nothing but to show what a mistake does: use neither its figures nor its answers."}
    return {
        "Meant for": "Research on classifying two-dimensional brain-MRI slices, and comparing networks.",
        "Meant for whom": "Researchers who can judge the data and the figures.",
        "Out of scope": "Care of patients in any form; scans of other organs, sequences or sources than the training "
        "data, unless evaluated there; saying where a lesion lies; volumes or patients, as all figures are per slice.",
        "What probabilities rest on": facts.card.calibration if facts.card else NOT_STATED,
        "Not offered": " ".join(facts.card.not_offered if facts.card else ()) or "Nothing is left out.",
        "Heatmaps": check_words(facts.card.heatmap_check) if facts.card else NOT_STATED,
        "Limits of use": facts.card.use if facts.card else f"{RESEARCH_ONLY.capitalize()}.",
    }


def _factors(facts: ReportFacts) -> dict[str, str]:
    shown = ", ".join(name.replace("_", " ") for name in facts.columns)
    return {
        "Subgroups": f"Accuracy by {', '.join(name.replace('_', ' ') for name in facts.subgroups)}, on the page."
        if facts.subgroups
        else "No column of the manifest divides the test scans.",
        "Groups of people": f"What the manifest does not hold is {NOT_STATED}.",
        "Instruments and settings": f"In the manifest: {shown}; counts by part in Table 1." if shown else NOT_STATED,
        "Surroundings": f"Hospitals, countries, years: {NOT_STATED}.",
    }


def _metrics(facts: ReportFacts) -> dict[str, str]:
    row = facts.row
    assert row is not None
    if row.collapsed:
        return {"Figures": f"None: collapsed, {row.collapsed_because}."}
    if facts.summary is None:
        shown = {"Accuracy, ROC area": FACTS["accuracy"](facts)}
    else:
        found = facts.summary.metrics
        shown = {capitalised(name): figure_words(found[key]) for key, name in FIGURE_NAMES.items() if key in found}
    return {
        **shown,
        "How intervals were made": FACTS["uncertainty"](facts),
        "Threshold": FACTS["output"](facts) or NOT_STATED,
        "Beside it": _baselines(facts),
    }


def _baselines(facts: ReportFacts) -> str:
    rows = [row for row in facts.comparison.rows if row.kind == "baseline"]
    shown = [f"{row.backbone} {number(row.test_accuracy)}" for row in rows]
    if not shown:
        return "Baselines are kept with a comparison, and none in this workspace holds this run."
    ends = {row.backbone: interval(row.test_accuracy_low, row.test_accuracy_high) for row in rows}
    return "Accuracy of " + "; ".join(
        f"{text} ({ends[row.backbone] or 'no interval'})" for text, row in zip(shown, rows, strict=True)
    )


def _data(facts: ReportFacts, parts: tuple[str, ...]) -> dict[str, str]:
    counts = {part: facts.comparison.parts[part] for part in parts if part in facts.comparison.parts}
    shown = {
        part: f"{counted(sum(found.values()), 'scan')} ("
        + ", ".join(f"{count:,} {name}" for name, count in found.items())
        + ")"
        for part, found in counts.items()
    }
    apart = {"Apart from training": FACTS["disjointness"](facts)} if parts == ("test",) else {}
    opened = {}
    if parts == ("test",) and facts.test_openings is not None:
        opened = {"Opened": f"{counted(facts.test_openings, 'time')} in this workspace"}
    return {"Data set": FACTS["data_source"](facts), **shown, **apart, **opened, "More": "data-sheet.md"}


def _ethics(facts: ReportFacts) -> dict[str, str]:
    return {
        "Sensitive data": FACTS["deidentification"](facts)
        or f"Where scans come from, consent and approval: {NOT_STATED}.",
        "Risks": "A confident answer can be wrong, and a map of where a score came from can look right by chance.",
        "In the bundle": "No scan, no thumbnail, and no name of a person or file.",
        "Approval by a board": NOT_STATED,
    }


def _limits(facts: ReportFacts) -> dict[str, str]:
    sentences = caveats(facts.comparison)[:-1]
    return {f"{place}": sentence for place, sentence in enumerate(sentences, start=1)}
