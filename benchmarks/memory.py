"""Peak memory of ``tumorlens compare`` on a data set, and on perturbed copies of it, ten times as many.

The copies differ from the originals by noise of a few grey levels and a shift of up to three pixels; groups are
given (the original's number), so no clusters are searched. The allowance for the large set is the small set's limit
plus three times the matrix of pooled features.
"""

from __future__ import annotations

import argparse
import csv
import json
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from measuring import Timed, report, tumorlens

_LIMIT_MB = 2500.0
_WIDTH = 1280


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="folder with images/ and BrainTumor.csv")
    parser.add_argument("--copies", type=int, default=10)
    parser.add_argument("--size", type=int, default=240)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report(measure(arguments.data, arguments.copies, arguments.size, Path(folder)))


def measure(data: Path, copies: int, size: int, folder: Path) -> dict[str, object]:
    """Peaks of import and compare, small and large."""
    small_import, small = compare(data / "images", data / "BrainTumor.csv", folder / "small", size)
    n_large = perturb(data, folder / "scans", copies)
    large_import, large = compare(
        folder / "scans",
        folder / "scans" / "labels.csv",
        folder / "large",
        size,
        "--group-column",
        "Group",
    )
    return {
        "size": size,
        "small_compare_mb": small.peak_memory_mb,
        "small_import_mb": small_import.peak_memory_mb,
        "small_limit_mb": _LIMIT_MB,
        "large_scans": n_large,
        "large_compare_mb": large.peak_memory_mb,
        "large_import_mb": large_import.peak_memory_mb,
        "large_limit_mb": _LIMIT_MB + 3 * n_large * _WIDTH * 4 / 1e6,
        "small_seconds": small.seconds,
        "large_seconds": large.seconds,
        "accuracy": [row["test_accuracy"] for row in json.loads(large.output)["rows"]],
    }


def compare(images: Path, labels: Path, workspace: Path, size: int, *more: str) -> tuple[Timed, Timed]:
    """Import, then compare EfficientNet-Lite0."""
    place = ("--workspace", str(workspace), "--quiet", "--json")
    imported = tumorlens("data", "import", str(images), "--labels", str(labels), "--name", "scans", *more, *place)
    return imported, tumorlens("compare", "scans", "--backbones", "efficientnet-lite0", "--size", str(size), *place)


def perturb(data: Path, folder: Path, copies: int) -> int:
    """Write perturbed copies with a table of labels and groups."""
    folder.mkdir()
    random = np.random.default_rng(0)
    with (data / "BrainTumor.csv").open() as file:
        rows = [(row["Image"], row["Class"]) for row in csv.DictReader(file)]
    with (folder / "labels.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["Image", "Class", "Group"])
        for number, (name, label) in enumerate(rows):
            pixels = np.asarray(Image.open(data / "images" / f"{name}.jpg").convert("L")).astype(np.int16)
            for copy in range(copies):
                moved = np.roll(pixels, random.integers(-3, 4, size=2), axis=(0, 1))
                noisy = np.clip(moved + random.integers(-4, 5, size=moved.shape) * (moved > 0), 0, 255)
                Image.fromarray(noisy.astype(np.uint8)).save(folder / f"{name}-{copy}.jpg", quality=90)
                table.writerow([f"{name}-{copy}", label, f"g{number}"])
    return copies * len(rows)


if __name__ == "__main__":
    main()
