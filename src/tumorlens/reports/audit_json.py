"""The document of ``data audit --json``: plain values under the keys that ``docs/json.md`` names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from tumorlens.audit.findings import Audit, LeakageCurve, SplitLeaks, Twin
from tumorlens.reports.comparison import RESEARCH_ONLY, SYNTHETIC

__all__ = ["audit_document"]


def audit_document(audit: Audit, *, sources: Sequence[str]) -> dict[str, Any]:
    """The audit as plain values, ready for :func:`json.dumps`; ``None`` stands where nothing was computed.

    Args:
        audit: What was found.
        sources: Source of every row, in row order.
    """
    twins = audit.twins
    return {
        "dataset": audit.dataset,
        "digest": audit.digest,
        "scans": audit.scans,
        "distinct": audit.distinct,
        "exact_groups": twins.exact_groups,
        "scans_in_copies": twins.scans_in_copies,
        "near_twins": twins.near_twins,
        "by_kind": dict(twins.by_kind),
        "clusters": twins.clusters,
        "largest_clusters": [list(rows) for rows in twins.largest],
        "groups": audit.groups,
        "groups_are": audit.groups_are,
        "by_class": dict(audit.by_class),
        "split_leaks": _leaks(audit.leaks[0], sources) if audit.leaks else None,
        "all_split_leaks": [_leaks(leaks, sources) for leaks in audit.leaks],
        "against": {name: _leaks(leaks, sources) for name, leaks in audit.against.items()},
        "shortcuts": [asdict(shortcut) for shortcut in audit.shortcuts],
        "leakage": None if audit.leakage is None else _leakage(audit.leakage),
        "label_conflicts": [
            {
                "rows": [conflict.twin.first, conflict.twin.second],
                "sources": [sources[conflict.twin.first], sources[conflict.twin.second]],
                "labels": list(conflict.labels),
                "kind": conflict.twin.kind,
                "similarity": conflict.twin.similarity,
            }
            for conflict in audit.label_conflicts
        ],
        "contradictions": [{**asdict(one), "source": sources[one.row_id]} for one in audit.contradictions],
        "odd": [{**asdict(scan), "source": sources[scan.row_id]} for scan in audit.odd],
        "notes": list(audit.notes),
        "seconds": dict(audit.seconds),
        "created": audit.created,
        "predicted_by": audit.predicted_by,
        "marks": [SYNTHETIC] if audit.synthetic else [],
        "use": f"{RESEARCH_ONLY.capitalize()}.",
    }


def _leaks(leaks: SplitLeaks, sources: Sequence[str]) -> dict[str, Any]:
    return {**asdict(leaks), "examples": [_example(twin, sources) for twin in leaks.examples]}


def _example(twin: Twin, sources: Sequence[str]) -> dict[str, Any]:
    """A pair by row ids; the second may be a row of another data set, so only the first is named."""
    return {**asdict(twin), "source": sources[twin.first]}


def _leakage(leakage: LeakageCurve) -> dict[str, Any]:
    values = asdict(leakage)
    permuted = {"random": values.pop("permuted_random"), "grouped": values.pop("permuted_grouped")}
    return {**values, "curve": list(values["curve"]), "learning": list(values["learning"]), "permuted": permuted}
