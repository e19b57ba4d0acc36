"""What every exported file says about itself: names and labels, and what the graph does not do."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from tumorlens.bundles.card import BundleCard

__all__ = ["FACTS_FORMAT", "as_texts", "export_facts"]

FACTS_FORMAT = 1


def export_facts(card: BundleCard) -> dict[str, Any]:
    """The facts of a bundle that an exported file carries, as plain JSON."""
    return {
        "format": FACTS_FORMAT,
        "model": card.model,
        "digest": card.digest,
        "labels": list(card.labels),
        "networks": [{key: each.get(key) for key in ("name", "title", "licence")} for each in card.networks],
        "sizes": list(card.sizes),
        "precision": card.precision,
        "scan_steps": list(card.scan_steps),
        "calibration": card.calibration,
        "operating_point": None if card.operating_point is None else asdict(card.operating_point),
        "conformal": None if card.conformal is None else asdict(card.conformal),
        "inputs": {"pixels": "(n, height, width, 3) uint8, 0..255, RGB; any size, resized in the graph"},
        "outputs": {
            "probabilities": "(n, classes) float32, in the order of labels",
            "map": "(n, rows, columns, classes) float32: where each class' score came from, on the network's grid",
            "features": "(n, features) float32",
        },
        "not_in_graph": _not_in_graph(card),
        "marks": list(card.marks),
        "use": card.use,
        "made_by": f"tumorlens {card.versions.get('tumorlens', '')}".strip(),
    }


def as_texts(facts: Mapping[str, Any]) -> dict[str, str]:
    """The facts for a format that holds text alone: text as it is, all else as JSON."""
    return {
        name: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for name, value in facts.items()
    }


def _not_in_graph(card: BundleCard) -> list[str]:
    """What `predict` does around the graph, a sentence each."""
    steps = ", ".join(card.scan_steps)
    said = [f"Scan steps, to be done before the graph: {steps}."] if steps else []
    if card.operating_point is not None:
        said.append("The threshold of operating_point is applied to the probabilities after the graph.")
    if card.conformal is not None:
        said.append("The sets of conformal (which classes reach their threshold) are made after the graph.")
    if card.novelty is not None:
        said.append("Whether a scan is unlike the training data is not said: its reference stays in the bundle.")
    return said
