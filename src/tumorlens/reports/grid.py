"""A table before it is drawn: columns, cells of two lines, and a tone for each row.

Markdown, terminal and HTML draw the same grid, so no figure can differ between them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = ["Cell", "Column", "Grid", "GridRow", "Tone"]

Tone: TypeAlias = Literal["plain", "best", "baseline", "collapsed", "published"]


@dataclass(frozen=True)
class Cell:
    """One cell.

    Attributes:
        main: What is read first.
        sub: A smaller second line, such as an interval; may be empty.
    """

    main: str
    sub: str = ""


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        title: Heading.
        sub: Smaller second line of the heading.
        numeric: Whether cells are aligned to the right.
    """

    title: str
    sub: str = ""
    numeric: bool = True


@dataclass(frozen=True)
class GridRow:
    """One row: as many cells as the grid has columns, the first of them its heading."""

    cells: tuple[Cell, ...]
    tone: Tone = "plain"


@dataclass(frozen=True)
class Grid:
    """One table.

    Attributes:
        title: What it shows.
        columns: Headings.
        rows: Cells.
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[GridRow, ...]
