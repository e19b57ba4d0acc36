"""Inferred clusters against known patients: synthetic heads, slices 1 to 5 mm apart, with copies among them.

The thresholds of ``tumorlens.datasets.clusters`` were chosen on ``tuning``: the lower one is the smallest, in steps of
0.005, at which at most 1 % of all its clusters mix patients. ``held_out`` has other deformation ranges and seeds.
Reported for each set, and beside it for average linkage of the thumbnails' correlation, cut at 0.94:

- ``neighbours_together``: pairs of slices of one patient at the stated distance that share a cluster;
- ``mixed_clusters``, ``scans_in_mixed``: clusters with slices of two patients or more, and the scans in them;
- ``pairs_across``: of all pairs of slices of one patient, those in different parts of a split by cluster
  (``pairs_across_random``: of a random split with the same parts).

A tenth of the slices also stand in the set mirrored and re-encoded, re-encoded alone, or turned by a quarter and
rescaled; ``copies_together`` is the share of these that share the cluster of their original.
"""

from __future__ import annotations

import argparse
import io
from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy.cluster.hierarchy import fcluster, linkage

from measuring import report
from tumorlens.datasets.clusters import LIKELY, SURE, cluster_scans
from tumorlens.datasets.grouped_split import DEFAULT_FRACTIONS, assign_groups
from tumorlens.datasets.measures import thumbnail
from tumorlens.datasets.similarity.descriptors import unit_rows
from tumorlens.datasets.synthesis import SynthesisSettings, virtual_patient
from tumorlens.datasets.synthesis.settings import Scaling

_SLICES = {1: 60, 2: 39, 3: 26, 4: 19, 5: 15}
_FRACTIONS = np.array(list(DEFAULT_FRACTIONS.values()))


@dataclass(frozen=True)
class Kind:
    """How the patients of some sets are deformed and scaled."""

    deformation_mm: tuple[float, float]
    seed: int
    spacings: tuple[int, ...]
    scaling: Scaling = "window"


TUNING = {"default": Kind((2.0, 4.5), 100, (1, 3, 5))}
HELD_OUT = {
    "stronger": Kind((2.5, 5.5), 900, (1, 2, 3, 4, 5)),
    "weaker, scaled to each slice's maximum": Kind((1.7, 3.8), 901, (1, 3, 5), "slice-maximum"),
}


@dataclass(frozen=True)
class Scans:
    """Thumbnails with what is known of them; copies come after the originals."""

    thumbnails: np.ndarray
    patients: np.ndarray
    heights: np.ndarray
    labels: np.ndarray
    original: np.ndarray


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patients", type=int, default=30)
    parser.add_argument("--size", type=int, default=240, help="edge of a slice in pixels")
    arguments = parser.parse_args()
    sets = {"tuning": TUNING, "held_out": HELD_OUT}
    report(
        {
            "thresholds": {"sure": SURE, "likely": LIKELY},
            **{
                name: {kind: measure_all(kinds[kind], arguments.patients, arguments.size) for kind in kinds}
                for name, kinds in sets.items()
            },
        }
    )


def measure_all(kind: Kind, patients: int, size: int) -> dict[str, object]:
    """Measure the sets of one kind, by distance of slices."""
    results: dict[str, object] = {}
    for spacing in kind.spacings:
        scans = make_scans(kind, spacing, patients, size)
        ours = measure(scans, cluster_scans(scans.thumbnails), spacing)
        results[f"{spacing} mm"] = {**ours, "average_linkage": measure(scans, average_linkage(scans), spacing)}
    return results


def make_scans(kind: Kind, spacing: int, patients: int, size: int) -> Scans:
    """Make the slices of all patients, and the copies."""
    settings = SynthesisSettings(
        patients=patients,
        slices_each=_SLICES[spacing],
        spacing_mm=float(spacing),
        seed=kind.seed,
        deformation_mm=kind.deformation_mm,
        size=size,
        scaling=kind.scaling,
    )
    rows: list[tuple[object, ...]] = []
    copies: list[tuple[object, ...]] = []
    rng = np.random.default_rng(0)
    for index in range(patients):
        for cut in virtual_patient(settings, index).slices:
            rows.append((small(cut.pixels), index, cut.height_mm, cut.label == "tumor", len(rows)))
            if rng.random() < 0.1:
                copies.append((small(changed(cut.pixels, int(rng.integers(3)))), *rows[-1][1:]))
    joined = rows + copies
    columns = [np.array([row[place] for row in joined]) for place in range(5)]
    return Scans(*columns)


def changed(picture: np.ndarray, way: int) -> np.ndarray:
    """Mirror and re-encode, re-encode, or turn by a quarter and rescale."""
    if way == 2:
        return np.asarray(Image.fromarray(np.rot90(picture)).resize((180, 180)))
    file = io.BytesIO()
    Image.fromarray(picture[:, ::-1] if way == 0 else picture).save(file, "JPEG", quality=60)
    return np.asarray(Image.open(file))


def small(picture: np.ndarray) -> np.ndarray:
    return thumbnail(Image.fromarray(picture))


def average_linkage(scans: Scans) -> np.ndarray:
    """Average linkage of the correlation of thumbnails, cut at 0.94."""
    units = unit_rows(scans.thumbnails.reshape(len(scans.thumbnails), -1).astype(np.float32))
    tree = linkage(1 - (units @ units.T)[np.triu_indices(len(units), 1)], "average")
    return np.unique(fcluster(tree, 0.06, criterion="distance"), return_inverse=True)[1]


def measure(scans: Scans, clusters: np.ndarray, spacing: int) -> dict[str, float]:
    """Compare clusters with patients."""
    originals = int((scans.original == np.arange(len(scans.original))).sum())
    same = np.triu(scans.patients[:, None] == scans.patients, 1)
    distance = np.abs(scans.heights[:, None] - scans.heights)
    near = same & (distance > 0) & (distance < 1.01 * spacing)
    near[originals:] = near[:, originals:] = False
    first, second = np.nonzero(near)
    held = np.zeros((clusters.max() + 1, scans.patients.max() + 1), bool)
    held[clusters, scans.patients] = True
    mixed = held.sum(axis=1) > 1
    copies = np.arange(originals, len(clusters))
    return {
        "scans": len(clusters),
        "clusters": len(mixed),
        "largest": int(np.bincount(clusters).max()),
        "neighbours_together": float((clusters[first] == clusters[second]).mean()),
        "mixed_clusters": float(mixed.mean()),
        "scans_in_mixed": float(mixed[clusters].mean()),
        "pairs_across": pairs_across(scans, clusters, same),
        "pairs_across_random": float(1 - np.square(_FRACTIONS).sum()),
        "copies_together": float((clusters[copies] == clusters[scans.original[copies]]).mean()),
    }


def pairs_across(scans: Scans, clusters: np.ndarray, same: np.ndarray) -> float:
    """Share of the pairs of one patient in different parts, over five splits by cluster."""
    counts = np.zeros((clusters.max() + 1, 2), np.int64)
    np.add.at(counts, (clusters, scans.labels.astype(np.int64)), 1)
    first, second = np.nonzero(same)
    shares = []
    for seed in range(5):
        parts = assign_groups(counts, fractions=_FRACTIONS, seed=seed)[clusters]
        shares.append((parts[first] != parts[second]).mean())
    return float(np.mean(shares))


if __name__ == "__main__":
    main()
