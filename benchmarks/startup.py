"""Wall time of short commands from process start: ``--help``, one ``predict``, and ``data synthesize`` of 400 slices.

Each is run as a user would, in a process of its own; the first run of each may also read files from a cold disk cache,
so every single time is told beside median, smallest and largest.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path

from measuring import report, tumorlens

_PATIENTS = 40
_SLICES_EACH = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundle", type=Path, help="bundle folder, or run folder")
    parser.add_argument("scan", type=Path, help="one scan for predict")
    parser.add_argument("--repeats", type=int, default=10)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report(measure(arguments.bundle, arguments.scan, arguments.repeats, Path(folder)))


def measure(bundle: Path, scan: Path, repeats: int, folder: Path) -> dict[str, object]:
    """Times of all commands, in seconds."""
    synthesized = tumorlens(
        "data",
        "synthesize",
        str(folder / "scans"),
        "--patients",
        str(_PATIENTS),
        "--slices",
        str(_SLICES_EACH),
        "--workspace",
        str(folder / "workspace"),
        "--quiet",
        "--json",
    )
    return {
        "help": times("--help", repeats=repeats),
        "predict": times("predict", str(bundle), str(scan), "--json", "--quiet", repeats=repeats),
        "synthesize": {"slices": _PATIENTS * _SLICES_EACH, "seconds": synthesized.seconds},
    }


def times(*words: str, repeats: int) -> dict[str, object]:
    """Seconds of ``repeats`` runs of ``tumorlens WORDS``, one after another."""
    seconds = [tumorlens(*words).seconds for _ in range(repeats)]
    return {
        "median_seconds": statistics.median(seconds),
        "min_seconds": min(seconds),
        "max_seconds": max(seconds),
        "seconds": seconds,
    }


if __name__ == "__main__":
    main()
