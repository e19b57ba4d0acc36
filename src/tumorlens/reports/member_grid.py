"""The members of an ensemble as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tumorlens.reports.grid import Cell, Column, Grid, GridRow
from tumorlens.reports.wording import number

__all__ = ["member_grid"]


def member_grid(members: Sequence[Mapping[str, Any]]) -> Grid | None:
    """Each member with network, head, input and weight; ``None`` without members.

    Args:
        members: As a bundle's card keeps them.
    """
    if not members:
        return None
    columns = (
        Column("Model", numeric=False),
        Column("Network", numeric=False),
        Column("Head", numeric=False),
        Column("Input", "pixels"),
        Column("Weight"),
    )
    rows = tuple(
        GridRow(
            (
                Cell(str(member["model"])),
                Cell(str(member["backbone"]["title"])),
                Cell(str(member["head"]["kind"])),
                Cell(str(member["size"])),
                Cell(number(member["weight"])),
            )
        )
        for member in members
    )
    return Grid("Members of the ensemble", columns, rows)
