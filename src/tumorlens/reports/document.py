"""A text of headed facts, for the page and as a Markdown file. Knows nothing about what it says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tumorlens.reports.comparison import RESEARCH_ONLY
from tumorlens.reports.grid import Grid
from tumorlens.reports.rendering import markdown_grid

__all__ = ["Chapter", "Document", "escape_markdown", "to_document_markdown"]


@dataclass(frozen=True)
class Chapter:
    """One heading with facts below it.

    Attributes:
        title: The heading.
        facts: Name to what is known of it, in order.
    """

    title: str
    facts: Mapping[str, str]


@dataclass(frozen=True)
class Document:
    """A model card or data sheet.

    Attributes:
        title: Its name.
        opening: The sentence under the title.
        chapters: In order.
        file_name: What its Markdown file is called.
        tables: Tables that close the file; on the page they stand elsewhere.
    """

    title: str
    opening: str
    chapters: tuple[Chapter, ...]
    file_name: str
    tables: tuple[Grid, ...] = ()


def to_document_markdown(document: Document) -> str:
    """The document as a Markdown file; what a user named is escaped."""
    blocks = [f"# {escape_markdown(document.title)}", escape_markdown(document.opening)]
    for chapter in document.chapters:
        lines = [f"- **{escape_markdown(name)}:** {escape_markdown(text)}" for name, text in chapter.facts.items()]
        blocks += [f"## {escape_markdown(chapter.title)}", "\n".join(lines)]
    for grid in document.tables:
        blocks += [f"## {escape_markdown(grid.title)}", markdown_grid(grid)]
    return "\n\n".join([*blocks, f"{RESEARCH_ONLY.capitalize()}."]) + "\n"


def escape_markdown(text: str) -> str:
    """``text`` in one line, with the signs that mean something in Markdown made plain."""
    for character in ("\\", "`", "*", "_", "|", "[", "]", "#"):
        text = text.replace(character, f"\\{character}")
    return " ".join(text.replace("&", "&amp;").replace("<", "&lt;").split())
