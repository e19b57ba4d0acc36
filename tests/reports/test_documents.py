"""Model card and data sheet: every chapter, facts where there are any, "not stated" where tumorlens cannot know."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tumorlens.datasets import short_check
from tumorlens.evaluation import Figure, Summary
from tumorlens.reports import ReportFacts, data_sheet, model_card, to_document_markdown
from tumorlens.reports.document import Chapter, Document
from tumorlens.reports.grid import Cell, Column, Grid, GridRow


def _facts(example, **changes) -> ReportFacts:
    return ReportFacts(comparison=example.comparison, row=example.comparison.rows[3], **changes)


def _chapter(document: Document, title: str) -> dict[str, str]:
    return dict(next(chapter.facts for chapter in document.chapters if chapter.title == title))


def test_the_card_has_the_sections_of_a_model_card(grouped_example) -> None:
    card = model_card(_facts(grouped_example))
    assert [chapter.title for chapter in card.chapters] == [
        "The model",
        "Intended use",
        "Factors",
        "Metrics",
        "Training data",
        "Evaluation data",
        "Ethical points",
        "Limits",
    ]
    assert "Care of patients" in _chapter(card, "Intended use")["Out of scope"]
    assert all(chapter.facts and all(chapter.facts.values()) for chapter in card.chapters)


def test_every_figure_of_the_card_has_its_interval_or_says_so(grouped_example) -> None:
    found = Summary(
        metrics={"accuracy": Figure(0.9, 0.85, 0.95), "mcc": Figure(0.8), "ppv": Figure(None)},
        per_class={},
        n_scans=10,
        n_groups=6,
        groups_are="clusters",
        classes=("a", "b"),
        positive_class="b",
        prevalence=None,
        level=0.95,
        draws=100,
    )
    metrics = _chapter(model_card(_facts(grouped_example, summary=found)), "Metrics")
    assert metrics["Accuracy"] == "0.900 (0.850–0.950)"
    assert metrics["Matthews' correlation"] == "0.800 (no interval)"
    assert metrics["Positive predictive value"] == "not defined"
    assert "majority class" in metrics["Beside it"] and "–" in metrics["Beside it"]


def test_there_is_no_card_without_a_model(grouped_example) -> None:
    assert model_card(ReportFacts(comparison=grouped_example.comparison)) is None


def test_a_collapsed_model_has_no_figures(grouped_example) -> None:
    facts = ReportFacts(comparison=grouped_example.comparison, row=grouped_example.comparison.rows[-1])
    assert _chapter(model_card(facts), "Metrics")["Figures"].startswith("None: collapsed")


def test_a_mistake_on_purpose_is_meant_for_nothing(grouped_example) -> None:
    row = replace(grouped_example.comparison.rows[3], mistake="scaling")
    facts = ReportFacts(comparison=grouped_example.comparison, row=row)
    assert "Nothing but to show" in _chapter(model_card(facts), "Intended use")["Meant for"]


def test_the_sheet_holds_what_is_known(tiny_study, grouped_example) -> None:
    dataset = tiny_study.dataset
    facts = _facts(
        grouped_example,
        record=dataset.record,
        check=short_check(dataset),
        formats={"PNG": 64},
        columns=("field_strength_t",),
        data_licence="CC-BY-4.0",
    )
    sheet = data_sheet(facts)
    composition = _chapter(sheet, "Composition")
    assert composition["Groups"] == "16 patients, known"
    assert composition["Digest of the manifest"] == dataset.digest
    assert composition["File formats"] == "PNG 64"
    assert composition["Facts of people (age, sex, …)"] == "not stated"
    assert _chapter(sheet, "Collection")["Machines and settings"] == "By part in Table 1: field strength t."
    assert _chapter(sheet, "Distribution")["Licence"] == "CC-BY-4.0"
    assert all(all(chapter.facts.values()) for chapter in sheet.chapters)


def test_a_sheet_without_the_data_says_so(grouped_example) -> None:
    sheet = data_sheet(_facts(grouped_example))
    assert "not in this workspace" in _chapter(sheet, "Composition")["Further"]
    assert _chapter(sheet, "Distribution")["Licence"] == "unknown"


@pytest.mark.parametrize("name", ["a_b*c", "<img src=x>", "x|y", "[link](https://x)", "# head", "`code`", "a\nb"])
def test_markdown_is_escaped_and_closes_with_the_words_for_research_use(name) -> None:
    grid = Grid("T", (Column("a", numeric=False),), (GridRow((Cell(name),)),))
    document = Document(name, name, (Chapter(name, {name: name}),), "x.md", (grid,))
    text = to_document_markdown(document)
    assert "<img" not in text and "\n# head" not in text
    assert not re.search(r"(?<!\\)\[link", text)
    assert text.count("\n# ") == 0 and text.startswith("# ")
    assert text.endswith("Research output, not for patient care.\n")
