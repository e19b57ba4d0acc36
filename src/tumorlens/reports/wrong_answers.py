"""Test scans that a model decides wrongly, as small pictures with what the model saw in them. Decides nothing."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from tumorlens.reports.audit_tiles import Tile
from tumorlens.reports.grid import Cell, Column, Grid, GridRow
from tumorlens.reports.wording import NO_VALUE, counted, number

__all__ = ["Neighbour", "WrongAnswer", "WrongAnswers", "wrong_grid", "wrong_sentence"]


@dataclass(frozen=True)
class Neighbour:
    """A training scan that is like the scan in question.

    Attributes:
        label: Its label.
        distance: Cosine distance of pooled features, 0..2.
        tile: The scan, small; ``None`` without pictures.
    """

    label: str
    distance: float
    tile: Tile | None = None


@dataclass(frozen=True)
class WrongAnswer:
    """One scan of the test part.

    Attributes:
        row: Its row of the manifest.
        reference: Its reference label.
        answer: What the model said.
        probability: The probability of that answer, 0..1.
        tile: The scan, small; ``None`` without pictures.
        heatmap: JPEG file of the scan with the cells painted that spoke for the answer; ``None`` without, and where no
            cell did.
        silent: Whether no cell spoke for the answer.
        neighbours: The nearest training scans, nearest first; empty where features are not stored.
    """

    row: int
    reference: str
    answer: str
    probability: float
    tile: Tile | None = None
    heatmap: bytes | None = None
    silent: bool = False
    neighbours: tuple[Neighbour, ...] = ()

    @property
    def heatmap_base64(self) -> str:
        """The heatmap as text for a ``data:`` address."""
        return base64.b64encode(self.heatmap or b"").decode("ascii")


@dataclass(frozen=True)
class WrongAnswers:
    """The wrong answers of one model on its test part.

    Attributes:
        model: What the model is called.
        wrong: How many test scans are decided wrongly, copies counted.
        scans: Scans in the test part.
        shown: Some of them, most confident first, each pixel content once.
        notes: What must be said of them.
        heatmap_check: What the check of the model's heatmaps found, a sentence.
        informative: Whether it found that they depend on what was learned; ``None``: not checked.
    """

    model: str
    wrong: int
    scans: int
    shown: tuple[WrongAnswer, ...]
    notes: tuple[str, ...] = ()
    heatmap_check: str = ""
    informative: bool | None = None


def wrong_sentence(found: WrongAnswers) -> str:
    """How many scans are wrong, and which are shown."""
    sentence = f"{found.model} decides {found.wrong:,} of {counted(found.scans, 'test scan')} wrongly."
    if not found.shown:
        return sentence
    which = "All" if len(found.shown) == found.wrong else f"{len(found.shown):,}, each pixel content once,"
    return f"{sentence} {which} are below, the most confident first."


def wrong_grid(shown: Sequence[WrongAnswer]) -> Grid:
    """The same as a table without pictures or names of files."""
    columns = (
        Column("Row of the manifest", numeric=False),
        Column("Reference label", numeric=False),
        Column("Answer", numeric=False),
        Column("Probability"),
        Column("Nearest training scans", "label and distance", numeric=False),
    )
    lines = tuple(
        GridRow(
            (
                Cell(f"{entry.row}"),
                Cell(entry.reference),
                Cell(entry.answer),
                Cell(number(entry.probability)),
                Cell(", ".join(f"{near.label} {near.distance:.3f}" for near in entry.neighbours) or NO_VALUE),
            )
        )
        for entry in shown
    )
    return Grid("Wrong answers, most confident first", columns, lines)
