"""Which scans the audit's page shows, and beside which: pairs of twins, labels to look at, odd ones, clusters.

Numbers are limited, so that the page stays small enough to be sent around.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tumorlens.audit.findings import Audit, Twin, TwinKind
from tumorlens.reports.audit_tiles import Tile, TileOf
from tumorlens.reports.audit_words import KIND_WORDS, percent
from tumorlens.reports.wording import counted

__all__ = [
    "Gallery",
    "Show",
    "cluster_gallery",
    "conflict_gallery",
    "contradiction_gallery",
    "odd_galleries",
    "twin_galleries",
]

_PAIRS_A_KIND = 6
_CONFLICTS = 12
_CONTRADICTIONS = 18
_ODD_A_REASON = 12
_CLUSTERS = 4
_SCANS_A_CLUSTER = 12


@dataclass(frozen=True)
class Show:
    """Scans side by side with a sentence under them.

    Attributes:
        tiles: One, two or more scans.
        words: What to see.
    """

    tiles: tuple[Tile, ...]
    words: str


@dataclass(frozen=True)
class Gallery:
    """Shows under one heading.

    Attributes:
        title: Heading.
        shows: What is shown; never empty.
        wide: Whether each show takes a line of its own.
    """

    title: str
    shows: tuple[Show, ...]
    wide: bool = False


def twin_galleries(twins: Iterable[Twin], *, first: TileOf, second: TileOf) -> tuple[Gallery, ...]:
    """Pairs of twins, a gallery a kind.

    Args:
        twins: The most telling first.
        first: Tiles of the first of each pair.
        second: Tiles of the second, of the same data set or another.
    """
    by_kind: dict[TwinKind, list[Twin]] = {kind: [] for kind in KIND_WORDS}
    for twin in twins:
        by_kind[twin.kind].append(twin)
    return tuple(
        Gallery(
            _capital(KIND_WORDS[kind]),
            tuple(Show((first(twin.first), second(twin.second)), _twin_words(twin)) for twin in chosen[:_PAIRS_A_KIND]),
        )
        for kind, chosen in by_kind.items()
        if chosen
    )


def conflict_gallery(audit: Audit, tile: TileOf) -> Gallery | None:
    """Near-twins with different labels, side by side."""
    shows = tuple(
        Show(
            (tile(conflict.twin.first), tile(conflict.twin.second)),
            f"{conflict.labels[0]} or {conflict.labels[1]}? {_twin_words(conflict.twin)}",
        )
        for conflict in audit.label_conflicts[:_CONFLICTS]
    )
    title = _title("Near-twins with different labels", len(shows), len(audit.label_conflicts))
    return Gallery(title, shows) if shows else None


def contradiction_gallery(audit: Audit, tile: TileOf) -> Gallery | None:
    """Scans whose out-of-fold prediction contradicts their label."""
    shows = tuple(
        Show((tile(one.row_id),), f"labelled {one.label}, predicted {one.predicted} at {percent(one.probability)}")
        for one in audit.contradictions[:_CONTRADICTIONS]
    )
    title = _title("Labels that a model contradicts", len(shows), len(audit.contradictions))
    return Gallery(title, shows) if shows else None


def odd_galleries(audit: Audit, tile: TileOf, *, labels: Sequence[str]) -> tuple[Gallery, ...]:
    """Odd ones out, a gallery a reason, the classes of each together.

    Args:
        audit: What was found.
        tile: Tiles of rows.
        labels: Label of every row.
    """
    galleries = []
    for reason in dict.fromkeys(scan.reason for scan in audit.odd):
        scans = [scan for scan in audit.odd if scan.reason == reason]
        shown = sorted(scans[:_ODD_A_REASON], key=lambda scan: labels[scan.row_id])
        shows = tuple(Show((tile(scan.row_id),), scan.words) for scan in shown)
        galleries.append(Gallery(_title(_capital(reason), len(shows), len(scans)), shows))
    return tuple(galleries)


def cluster_gallery(audit: Audit, tile: TileOf) -> Gallery | None:
    """The largest clusters, a line each."""
    shows = tuple(
        Show(tuple(tile(row) for row in _spread(rows)), _cluster_words(rows))
        for rows in audit.twins.largest[:_CLUSTERS]
        if len(rows) > 1
    )
    alike = "near-twins" if audit.groups_are == "clusters" else "copies"
    return Gallery(f"The largest clusters of {alike}", shows, wide=True) if shows else None


def _spread(rows: Sequence[int]) -> list[int]:
    """As many as are shown, evenly over all."""
    count = min(len(rows), _SCANS_A_CLUSTER)
    return [rows[place * len(rows) // count] for place in range(count)]


def _cluster_words(rows: Sequence[int]) -> str:
    some = f", {_SCANS_A_CLUSTER} of them shown" if len(rows) > _SCANS_A_CLUSTER else ""
    return f"{counted(len(rows), 'scan')}{some}"


def _twin_words(twin: Twin) -> str:
    return "same pixels" if twin.kind == "exact" else f"similarity {twin.similarity:.3f}"


def _title(title: str, shown: int, found: int) -> str:
    return title if shown == found else f"{title}: {shown} of {found:,}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
