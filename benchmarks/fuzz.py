"""Damaged files of every format, each read in a watched child process: what was read, refused, and what went wrong.

A fault is any exception but one sentence of refusal, a crash, more than 2 s of processor time, a hang, memory growing
by more than 1 GB, or something left behind. Format, seed and index name a damaged file for ever (under the same
versions of the libraries that write the sound files); ``--only`` reads a single one again, ``--save`` keeps it.
"""

from __future__ import annotations

import argparse
import json
import queue
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fuzz_mutators import damaged
from fuzz_seeds import FORMATS, seeds
from measuring import report

_SLOWEST_SECONDS = 2.0
_LARGEST_MB = 1000.0
_HANG_SECONDS = 60.0
_SHOWN_FAULTS = 50


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("formats", nargs="+", choices=[*FORMATS], metavar="FORMAT", help=", ".join(FORMATS))
    parser.add_argument("--files", type=int, default=20_000, help="damaged files of each format")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--only", type=int, metavar="INDEX", help="read one damaged file")
    parser.add_argument("--save", type=Path, metavar="FILE", help="with --only: keep that file")
    arguments = parser.parse_args()
    if arguments.save is not None and arguments.only is not None:
        name = arguments.formats[0]
        arguments.save.write_bytes(damaged(name, seeds(name), seed=arguments.seed, index=arguments.only)[1])
    indices = range(arguments.files) if arguments.only is None else range(arguments.only, arguments.only + 1)
    tallies = {name: attack(name, arguments.seed, indices, arguments.jobs) for name in arguments.formats}
    report({"seed": arguments.seed, "formats": {name: tally.figures() for name, tally in tallies.items()}})
    sys.exit(any(tally.faults for tally in tallies.values()))


@dataclass
class Tally:
    """What came of the files of one format."""

    outcomes: Counter[str] = field(default_factory=Counter)
    faults: list[dict[str, Any]] = field(default_factory=list)
    slowest: float = 0.0
    largest: float = 0.0
    sound: dict[str, Any] = field(default_factory=dict)

    def add(self, result: dict[str, Any]) -> None:
        kind = result["kind"]
        self.slowest = max(self.slowest, result.get("seconds", 0.0))
        self.largest = max(self.largest, result.get("growth_mb", 0.0))
        if kind in ("read", "refused"):
            if result["seconds"] > _SLOWEST_SECONDS:
                kind = "slow"
            elif result["growth_mb"] > _LARGEST_MB:
                kind = "memory"
        self.outcomes[kind] += 1
        if kind not in ("read", "refused"):
            self.faults.append({**result, "kind": kind})

    def figures(self) -> dict[str, Any]:
        faults = sorted(self.faults, key=lambda fault: fault["end"])
        return {
            "files": self.outcomes.total(),
            "read": self.outcomes["read"],
            "refused": self.outcomes["refused"],
            "faults": len(faults),
            "fault_kinds": dict(Counter(fault["kind"] for fault in faults)),
            "slowest_seconds": self.slowest,
            "largest_growth_mb": self.largest,
            **self.sound,
            "first_faults": faults[:_SHOWN_FAULTS],
        }


def attack(name: str, seed: int, indices: range, jobs: int) -> Tally:
    """Read the damaged files in ``jobs`` children, each with its share."""
    print(f"{name}: {len(indices)} files", file=sys.stderr, flush=True)
    step = -(-len(indices) // jobs)
    shares = [indices[start : start + step] for start in range(0, len(indices), step)]
    tally = Tally()
    with ThreadPoolExecutor(jobs) as pool:
        for results in pool.map(lambda share: list(_share(name, seed, share)), shares):
            for result in results:
                if "sound" in result:
                    tally.sound = result
                else:
                    tally.add(result)
    return tally


def _share(name: str, seed: int, indices: range) -> Iterator[dict[str, Any]]:
    """Results of one child after another: one that crashes or hangs is followed by one that starts behind that file."""
    start = indices.start
    while start < indices.stop:
        with tempfile.TemporaryDirectory() as folder:
            begun, started = None, False
            for result in _child(name, seed, range(start, indices.stop), Path(folder)):
                if "begin" in result:
                    begun = result["begin"]
                elif "died" in result:
                    if not started:
                        raise SystemExit(f"The worker for {name} cannot start: {result['died']}")
                    fatal = start if begun is None else begun
                    print(f"{name}: {result['died']} at {fatal}", file=sys.stderr, flush=True)
                    yield {"end": fatal, "kind": result["died"], "message": ""}
                    start = fatal + 1
                else:
                    yield result
                    started = True
                    if result.get("end", 0) % 1000 == 999:
                        print(f"{name}: {result['end'] + 1} read or refused", file=sys.stderr, flush=True)
                    start, begun = result.get("end", start - 1) + 1, None


def _child(name: str, seed: int, indices: range, folder: Path) -> Iterator[dict[str, Any]]:
    command = [sys.executable, str(Path(__file__).with_name("fuzz_worker.py")), name, f"--seed={seed}"]
    command += [f"--start={indices.start}", f"--stop={indices.stop}", f"--folder={folder}"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    lines: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_pass_on, args=(process, lines), daemon=True).start()
    try:
        while True:
            try:
                line = lines.get(timeout=_HANG_SECONDS)
            except queue.Empty:
                yield {"died": "hang"}
                return
            if not line:
                break
            yield json.loads(line)
        if process.wait() != 0:
            yield {"died": f"crash ({process.returncode})"}
    finally:
        process.kill()
        process.wait()


def _pass_on(process: subprocess.Popen[str], lines: queue.Queue[str]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        lines.put(line)
    lines.put("")


if __name__ == "__main__":
    main()
