"""What the benchmarks share: running the command, timing it, and telling the machine."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

__all__ = ["Timed", "machine", "report", "run", "tumorlens"]


@dataclass(frozen=True)
class Timed:
    """A finished command: wall-clock seconds, peak memory of its process tree in MB (10^6 bytes), standard output."""

    seconds: float
    peak_memory_mb: float
    output: str


def tumorlens(*words: str, environment: Mapping[str, str] | None = None) -> Timed:
    """Run ``tumorlens WORDS`` in its own process, as a user would."""
    return run([sys.executable, "-m", "tumorlens", *words], environment=environment)


def run(command: Sequence[str], *, environment: Mapping[str, str] | None = None) -> Timed:
    """Run a command; raise with its standard error when it fails."""
    started = time.perf_counter()
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **(environment or {})},
    )
    peak = _Peak(process.pid)
    output, errors = process.communicate()
    seconds = time.perf_counter() - started
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}:\n{errors}")
    return Timed(seconds, peak.stop(), output)


class _Peak:
    """Largest sum of resident memory of a process and its children, looked at 20 times a second."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._largest = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._done.wait(0.05):
            try:
                processes = (self._process, *self._process.children(recursive=True))
            except psutil.NoSuchProcess:  # the command itself ended
                continue
            self._largest = max(self._largest, sum(map(_resident, processes)))

    def stop(self) -> float:
        self._done.set()
        self._thread.join()
        return self._largest / 1e6


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:  # it ended in between
        return 0


def machine() -> dict[str, Any]:
    """Processor, cores and memory, without the machine's name."""
    model = platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else ():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    return {
        "processor": model,
        "threads": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9),
    }


def report(document: Mapping[str, Any]) -> None:
    """Print one JSON document, the machine included."""
    print(json.dumps({**document, "machine": machine()}, indent=2))
