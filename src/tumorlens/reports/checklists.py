"""Reporting checklists with what a run knows beside each item; nothing is ever ticked.

The items lie in TOML files in ``forms/``; each may name a function of :mod:`tumorlens.reports.checklist_facts`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from tumorlens.reports.checklist_facts import FACTS
from tumorlens.reports.comparison import RESEARCH_ONLY
from tumorlens.reports.document import escape_markdown
from tumorlens.reports.report_facts import ReportFacts

__all__ = [
    "FOR_AUTHORS",
    "Checklist",
    "ChecklistItem",
    "FilledChecklist",
    "FilledItem",
    "checklists_markdown",
    "fill_checklists",
    "read_checklists",
]

FOR_AUTHORS = "for the authors to answer"
"""Stands where the run knows nothing of an item."""

_FORMS = ("claim.toml", "tripod_ai.toml", "stard_ai.toml")
OPENING = (
    "What this run knows stands beside each item. It answers no item by itself: the authors complete, check and tick."
)


@dataclass(frozen=True)
class ChecklistItem:
    """One item.

    Attributes:
        number: As in the published list ("12a").
        section: Part of a paper it belongs to.
        asks: What it asks, in words of our own.
        fact: Name of the function that may know something; empty for none.
    """

    number: str
    section: str
    asks: str
    fact: str = ""

    @property
    def main_number(self) -> int:
        """The number without its letter."""
        return int(re.match(r"\d+", self.number).group())  # type: ignore[union-attr]


@dataclass(frozen=True)
class Checklist:
    """A published list.

    Attributes:
        name: Its short name.
        title: Its long name.
        reference: Where it was published.
        doi: Digital object identifier.
        checked: How far numbers and contents were checked.
        items: In order.
    """

    name: str
    title: str
    reference: str
    doi: str
    checked: str
    items: tuple[ChecklistItem, ...]


@dataclass(frozen=True)
class FilledItem:
    """An item with what the run knows of it.

    Attributes:
        item: The item.
        known: A fact of the run, or :data:`FOR_AUTHORS`.
    """

    item: ChecklistItem
    known: str

    @property
    def open(self) -> bool:
        """Whether the run knows nothing of it."""
        return self.known == FOR_AUTHORS


@dataclass(frozen=True)
class FilledChecklist:
    """A list with what the run knows of each item."""

    checklist: Checklist
    items: tuple[FilledItem, ...]


@cache
def read_checklists() -> tuple[Checklist, ...]:
    """CLAIM 2024, TRIPOD+AI and STARD-AI, as they lie in ``forms/``."""
    folder = resources.files("tumorlens.reports") / "forms"
    return tuple(_read((folder / name).read_text("utf-8")) for name in _FORMS)


def fill_checklists(facts: ReportFacts) -> tuple[FilledChecklist, ...]:
    """Set what is known beside every item of every list."""
    return tuple(
        FilledChecklist(checklist, tuple(FilledItem(item, _known(item, facts)) for item in checklist.items))
        for checklist in read_checklists()
    )


def checklists_markdown(filled: Sequence[FilledChecklist]) -> str:
    """All lists as one Markdown file."""
    blocks = ["# Reporting checklists", OPENING]
    for entry in filled:
        source = f"{entry.checklist.reference}, doi:{entry.checklist.doi}."
        blocks += [
            f"## {entry.checklist.name}: {entry.checklist.title}",
            f"{escape_markdown(source)} {entry.checklist.checked}",
        ]
        lines = ["| item | section | what it asks | what this run knows |", "| --- | --- | --- | --- |"]
        lines += [
            f"| {found.item.number} | {found.item.section} | {found.item.asks} | {escape_markdown(found.known)} |"
            for found in entry.items
        ]
        blocks.append("\n".join(lines))
    return "\n\n".join([*blocks, f"{RESEARCH_ONLY.capitalize()}."]) + "\n"


def _known(item: ChecklistItem, facts: ReportFacts) -> str:
    return (FACTS[item.fact](facts) if item.fact else "") or FOR_AUTHORS


def _read(text: str) -> Checklist:
    values = tomllib.loads(text)
    return Checklist(
        name=values["name"],
        title=values["title"],
        reference=values["reference"],
        doi=values["doi"],
        checked=values["checked"],
        items=tuple(ChecklistItem(**item) for item in values["items"]),
    )
