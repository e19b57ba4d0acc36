"""Seconds and peak memory of a piece of work, its child processes included."""

from __future__ import annotations

import threading
import time
from types import TracebackType

import psutil

__all__ = ["ResourceMeter"]

_INTERVAL_SECONDS = 0.05
_BYTES_PER_MB = 1e6


class ResourceMeter:
    """Measures while its context is open.

    Args:
        after: An earlier piece of the same work, whose seconds and peak count too.

    Attributes:
        seconds: Wall-clock time.
        peak_memory_mb: Largest sum of resident memory of this process and its children seen at 20 looks a second,
            in 10^6 bytes; file pages that the system may drop at will are counted too.
    """

    def __init__(self, *, after: ResourceMeter | None = None) -> None:
        self.seconds: float = 0.0
        self.peak_memory_mb: float = after.peak_memory_mb if after else 0.0
        self._seconds_before = after.seconds if after else 0.0
        self._process = psutil.Process()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._started = 0.0

    def __enter__(self) -> ResourceMeter:
        self._started = time.perf_counter()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.look()
        self._stop.set()
        self._thread.join()

    def look(self) -> None:
        """Bring both figures up to now."""
        self.seconds = self._seconds_before + time.perf_counter() - self._started
        self.peak_memory_mb = max(self.peak_memory_mb, self._resident() / _BYTES_PER_MB)

    def _watch(self) -> None:
        while not self._stop.wait(_INTERVAL_SECONDS):
            self.look()

    def _resident(self) -> int:
        total = 0
        for process in (self._process, *self._process.children(recursive=True)):
            try:
                total += process.memory_info().rss
            except psutil.Error:  # it ended in between
                continue
        return total
