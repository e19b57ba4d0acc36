"""A graph that many callers ask at once: each scan is a request, computed as soon as the CPU has room.

A lone scan is computed by all threads together, which answers soonest; as soon as others wait, each stream takes one,
which answers most in a second. The two are one graph compiled twice.
"""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np

from tumorlens.errors import BusyError, InputError, TumorlensError
from tumorlens.runtime.compiled import Outputs, compile_model
from tumorlens.types import Pixels

__all__ = ["GraphQueue"]

_Job = tuple[Pixels, "Future[Outputs]"]


class GraphQueue:
    """A compiled graph with a queue before it; any thread may ask.

    Args:
        graph: Path of the graph.
        outputs: Which outputs to compute.
        threads: How many CPU threads to use; ``None``: all.
        most_waiting: How many scans may wait.

    Raises:
        IntegrityError: The graph's file is damaged.
        InputError: There is no such output.
    """

    def __init__(self, graph: Path, *, outputs: list[str], threads: int | None = None, most_waiting: int = 256) -> None:
        self._names = outputs
        self._most_waiting = most_waiting
        self._waiting: deque[_Job] = deque()
        self._running = 0
        self._closed = False
        self._changed = threading.Condition()
        soon = compile_model(graph, goal="latency", outputs=outputs, threads=threads)
        many = compile_model(graph, goal="throughput", outputs=outputs, threads=threads)
        self._lone = soon.create_infer_request()
        self._free = [
            many.create_infer_request() for _ in range(int(many.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS")))
        ]
        self._many = len(self._free)
        self._lone_is_free = True
        self._thread = threading.Thread(target=self._dispatch, name="graph-queue", daemon=True)
        self._thread.start()

    @property
    def depth(self) -> int:
        """How many scans wait or are computed."""
        with self._changed:
            return len(self._waiting) + self._running

    def submit(self, pixels: Pixels) -> Future[Outputs]:
        """Ask about one scan.

        Args:
            pixels: ``(h, w, 3)`` uint8 in 0..255, not to be changed before the answer.

        Returns:
            Output name to float32 array whose first axis is 1. It may be cancelled while it waits.

        Raises:
            InputError: ``pixels`` are no such scan; the graph would fail on them without a word.
            BusyError: As many scans are waiting as may wait.
            TumorlensError: The queue was closed.
        """
        if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or 0 in pixels.shape:
            raise InputError(f"Expected a scan (h, w, 3) of uint8, got {pixels.dtype} of the shape {pixels.shape}.")
        future: Future[Outputs] = Future()
        with self._changed:
            if self._closed:
                raise TumorlensError("The model was replaced while the scan was read: send it again.")
            if len(self._waiting) >= self._most_waiting:
                raise BusyError(f"{len(self._waiting)} scans are waiting, as many as may: send this one again later.")
            self._waiting.append((np.ascontiguousarray(pixels)[None], future))
            self._changed.notify_all()
        return future

    def close(self) -> None:
        """Take no more scans, finish those that were taken, and let go of the graph."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join()
        with self._changed:
            self._changed.wait_for(lambda: self._running == 0)

    def _dispatch(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or (self._waiting and self._has_room()))
                if not self._waiting:
                    return  # closed
                if not self._has_room():
                    self._changed.wait_for(self._has_room)
                (pixels, future), request = self._waiting.popleft(), self._take_request()
            if not future.set_running_or_notify_cancel():
                self._give_back(request)
                continue
            try:
                self._start(request, pixels, future)
            except Exception as error:  # whatever is wrong with one scan, the others are to be answered
                self._give_back(request)
                future.set_exception(TumorlensError(f"The graph could not compute a scan: {error}"))

    def _has_room(self) -> bool:
        return bool(self._free) and (self._lone_is_free or self._running < self._many)

    def _take_request(self) -> Any:
        """The one that all threads serve where nothing else is to be done, else that of a stream."""
        alone = self._running == 0 and not self._waiting and self._lone_is_free
        self._running += 1
        if alone:
            self._lone_is_free = False
            return self._lone
        return self._free.pop()

    def _start(self, request: Any, pixels: Pixels, future: Future[Outputs]) -> None:
        def done(_: object) -> None:
            try:
                outputs = {name: np.array(request.get_tensor(name).data) for name in self._names}
            except RuntimeError as error:
                self._give_back(request)
                future.set_exception(TumorlensError(f"The graph could not compute a scan: {error}"))
                return
            self._give_back(request)
            future.set_result(outputs)

        request.set_callback(done, None)
        request.start_async({0: pixels})

    def _give_back(self, request: Any) -> None:
        with self._changed:
            self._running -= 1
            if request is self._lone:
                self._lone_is_free = True
            else:
                self._free.append(request)
            self._changed.notify_all()
