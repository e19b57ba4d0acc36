"""Time and memory of a piece of work, children included."""

from __future__ import annotations

import subprocess
import sys

import numpy as np

from tumorlens.workflows.measure import ResourceMeter


def test_memory_of_this_process_is_seen() -> None:
    with ResourceMeter() as meter:
        meter.look()
        before = meter.peak_memory_mb
        block = np.ones(30_000_000)
        meter.look()
        del block
    assert meter.peak_memory_mb > before + 200
    assert meter.seconds > 0


def test_memory_of_a_child_is_seen() -> None:
    with ResourceMeter() as meter:
        meter.look()
        before = meter.peak_memory_mb
        code = "import time; block = b'x' * 300_000_000; time.sleep(1)"
        subprocess.run([sys.executable, "-c", code], check=True)
    assert meter.peak_memory_mb > before + 200
