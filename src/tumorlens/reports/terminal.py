"""Draws a comparison for the terminal; no figure is ever cut. Decides nothing about content.

Each table is drawn as widely as the terminal allows: with room to read, then as narrow as its figures permit, and where
even that does not fit as a list, one block a row.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.box import SIMPLE_HEAD
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from tumorlens.reports.caveats import caveats
from tumorlens.reports.comparison import Comparison
from tumorlens.reports.grid import Cell, Column, Grid, GridRow, Tone
from tumorlens.reports.tables import comparison_grids

__all__ = ["grids_to_rich", "to_rich"]

_STYLES: dict[Tone, str] = {
    "plain": "",
    "best": "bold",
    "baseline": "",
    "collapsed": "yellow",
    "published": "dim italic",
}

_COMFORTABLE_WIDTH = 13
_WIDE_COLUMNS, _WIDE = 3, 34  # tables of few columns have room for whole names
_UNLIMITED_WIDTH = 10_000
_INDENT = "  "


def to_rich(comparison: Comparison) -> RenderableType:
    """The tables and the sentences under them, for a terminal of any width."""
    return grids_to_rich(comparison_grids(comparison), sentences=caveats(comparison))


def grids_to_rich(grids: Sequence[Grid], *, sentences: Sequence[str]) -> RenderableType:
    """Tables, and a list of sentences under them."""
    tables: list[RenderableType] = [_TerminalGrid(grid) for grid in grids]
    listed = [Text(f"• {sentence}", style="dim") for sentence in sentences]
    return Group(*(part for table in tables for part in (table, Text(""))), *listed)


@dataclass(frozen=True)
class _TerminalGrid:
    """A grid that takes the widest form that fits."""

    grid: Grid

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        unlimited = options.update(max_width=_UNLIMITED_WIDTH)
        for table in (_table(self.grid, narrow=False), _table(self.grid, narrow=True)):
            if Measurement.get(console, unlimited, table).maximum <= options.max_width:
                yield table
                return
        yield from _blocks(self.grid)


def _table(grid: Grid, *, narrow: bool) -> Table:
    table = Table(
        title=grid.title,
        title_justify="left",
        title_style="bold",
        box=SIMPLE_HEAD,
        pad_edge=False,
        show_edge=False,
        padding=0 if narrow else (0, 1, 0, 0),
    )
    room = _WIDE if len(grid.columns) <= _WIDE_COLUMNS else _COMFORTABLE_WIDTH
    widths = [
        _column_width(column, [row.cells[index] for row in grid.rows], narrow=narrow, room=room)
        for index, column in enumerate(grid.columns)
    ]
    for column, width in zip(grid.columns, widths, strict=True):
        heading = _two_lines(_wrapped(column.title, width), column.sub)
        table.add_column(heading, justify="right" if column.numeric else "left", width=width, overflow="fold")
    for row in grid.rows:
        cells = zip(row.cells, grid.columns, widths, strict=True)
        mains = (
            _figures(cell, narrow=narrow) if column.numeric else _wrapped(cell.main, width)
            for cell, column, width in cells
        )
        table.add_row(*map(_two_lines, mains, (cell.sub for cell in row.cells)), style=_STYLES[row.tone])
    return table


def _two_lines(main: str, sub: str) -> Text:
    text = Text(main)
    if sub:
        text.append(f"\n{_squeezed(sub)}", style="dim not bold")
    return text


def _column_width(column: Column, cells: Sequence[Cell], *, narrow: bool, room: int) -> int:
    """Wide enough to keep figures whole; names break after blanks and hyphens, second lines between words."""
    seconds = [column.sub, *(cell.sub for cell in cells)]
    names = [column.title, *(cell.main for cell in cells if not column.numeric)]
    whole = [
        *(line for cell in cells if column.numeric for line in _figures(cell, narrow=narrow).split("\n")),
        *(piece for name in names for piece in _wrapped(name, 1).split("\n")),
        *(word for text in seconds for word in _squeezed(text).split()),
    ]
    least = max(map(len, whole))
    return least if narrow else max(least, min(max(map(len, [*names, *seconds])), room))


def _figures(cell: Cell, *, narrow: bool) -> str:
    """The figures of a cell in a line; where room is dear, what follows a bracketed one stands below it."""
    line = _squeezed(cell.main)
    return line.replace(")/", ")/\n") if narrow else line


def _wrapped(name: str, width: int) -> str:
    return "\n".join(textwrap.wrap(name, width, break_long_words=False))


def _squeezed(text: str) -> str:
    """Leave out the blanks around slashes: terminal columns are dear."""
    return text.replace(" / ", "/")


def _blocks(grid: Grid) -> Iterator[Text]:
    """The grid as a list: a row's name, then a line a figure."""
    yield Text(grid.title, style="bold")
    for row in grid.rows:
        yield Text("\n".join(_block_lines(grid.columns, row)), style=_STYLES[row.tone])


def _block_lines(columns: Sequence[Column], row: GridRow) -> Iterator[str]:
    name, *cells = row.cells
    yield _one_line(name.main, name.sub)
    for column, cell in zip(columns[1:], cells, strict=True):
        yield f"{_INDENT}{_one_line(column.title, column.sub)}: {_one_line(cell.main, cell.sub)}"


def _one_line(main: str, sub: str) -> str:
    if not sub:
        return main
    return f"{main} {sub}" if sub.startswith("(") else f"{main} ({sub})"
