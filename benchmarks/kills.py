"""``tumorlens compare`` killed at many points, then run to the end: the table must equal that of an undisturbed run.

Each attempt is killed with SIGKILL after a random time; what it leaves is what the next one finds.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from measuring import report, tumorlens


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="folder with images/ and BrainTumor.csv")
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--longest", type=float, default=8.0, help="seconds until a kill, at most")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report(measure(arguments.data, arguments.kills, arguments.longest, Path(folder)))


def measure(data: Path, kills: int, longest: float, folder: Path) -> dict[str, object]:
    """Kill, finish, compare with an undisturbed run."""
    tables = [
        compare(data, folder / name, kills=number, longest=longest) for name, number in (("calm", 0), ("killed", kills))
    ]
    calm, killed = (json.dumps([figures(row) for row in table["rows"]], sort_keys=True) for table in tables)
    leftovers = [str(path) for path in (folder / "killed").rglob(".tmp-*")]
    return {"kills": kills, "same_figures": calm == killed, "leftovers": len(leftovers)}


def compare(data: Path, workspace: Path, *, kills: int, longest: float) -> dict[str, Any]:
    """Import and compare, with kills in between."""
    place = ("--workspace", str(workspace), "--quiet", "--json")
    tumorlens(
        "data",
        "import",
        str(data / "images"),
        "--labels",
        str(data / "BrainTumor.csv"),
        "--name",
        "scans",
        *place,
    )
    words = ("compare", "scans", "--backbones", "efficientnet-lite0", *place)
    moments = random.Random(0)
    for _ in range(kills):
        process = subprocess.Popen(
            [sys.executable, "-m", "tumorlens", *words],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        time.sleep(moments.uniform(0.2, longest))
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    return dict(json.loads(tumorlens(*words).output))


def figures(row: dict[str, object]) -> dict[str, object]:
    """A row without what differs between any two runs: time and memory."""
    return {key: value for key, value in row.items() if key not in ("seconds", "peak_memory_mb")}


if __name__ == "__main__":
    main()
