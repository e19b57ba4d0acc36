"""How much memory this process has needed at most."""

from __future__ import annotations

import sys
from pathlib import Path

import psutil

__all__ = ["peak_memory_mb"]

_MIB = 1024**2


def peak_memory_mb() -> float:
    """Highest resident memory of this process so far, MiB; pages of mapped files count while they
    are mapped.

    On Linux ``VmHWM`` is read: ``ru_maxrss`` of a child starts at its parent's memory.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        for line in status.read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    memory = psutil.Process().memory_info()
    if hasattr(memory, "peak_wset"):  # Windows
        return float(memory.peak_wset) / _MIB
    import resource  # absent on Windows

    unit_bytes = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit_bytes / _MIB
