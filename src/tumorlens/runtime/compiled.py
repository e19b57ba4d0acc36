"""Runs a graph on the CPU: the only place where OpenVINO computes.

Always full float32 precision. A compiled graph takes one scan a request (static shapes behind the resize), and as many
requests at a time as there are streams, with one more waiting: on a CPU that is faster than batches.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Hashable, Iterable, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
import numpy.typing as npt
import openvino as ov

from tumorlens.errors import InputError, IntegrityError
from tumorlens.runtime.feature_graphs import FeatureGraph
from tumorlens.types import Pixels

__all__ = ["CompiledGraph", "Goal", "Outputs", "compile_graph", "compile_model"]

Goal = Literal["throughput", "latency"]
Outputs = dict[str, npt.NDArray[np.float32]]
Key = TypeVar("Key", bound=Hashable)


def compile_graph(
    graph: FeatureGraph | Path | str | ov.Model,
    *,
    goal: Goal = "throughput",
    outputs: Sequence[str] | None = None,
    threads: int | None = None,
    scan_size: tuple[int, int] | None = None,
) -> CompiledGraph:
    """Make a graph ready to run.

    Args:
        graph: A converted network, the path of a graph, or a graph in memory (which stays as it is).
        goal: "throughput": many scans a second; "latency": one scan soon.
        outputs: Which outputs to compute; ``None``: all. What only the others need is not computed.
        threads: How many CPU threads to use; ``None``: all.
        scan_size: ``(height, width)`` if all scans have it: saves a little time.

    Raises:
        InputError: There is no such output.
        IntegrityError: The graph's file is damaged.
    """
    return CompiledGraph(compile_model(graph, goal=goal, outputs=outputs, threads=threads, scan_size=scan_size))


def compile_model(
    graph: FeatureGraph | Path | str | ov.Model,
    *,
    goal: Goal,
    outputs: Sequence[str] | None,
    threads: int | None,
    scan_size: tuple[int, int] | None = None,
) -> ov.CompiledModel:
    """What :func:`compile_graph` wraps; its arguments and errors."""
    model = _read(graph)
    model = _select(model, outputs) if outputs is not None else model
    model.reshape({0: ov.PartialShape([1, *(scan_size or (-1, -1)), 3])})
    settings: dict[str, Any] = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": goal.upper()}
    if threads is not None:
        settings["INFERENCE_NUM_THREADS"] = threads
    return ov.Core().compile_model(model, "CPU", settings)


class CompiledGraph:
    """A graph that is ready to run. Made by :func:`compile_graph`; not to be shared between threads."""

    def __init__(self, compiled: ov.CompiledModel) -> None:
        """Wrap a compiled model whose input takes one scan a request."""
        self._compiled = compiled
        self._names = tuple(output.get_any_name() for output in compiled.outputs)
        height, width = (compiled.inputs[0].get_partial_shape()[i] for i in (1, 2))
        self._scan_size = None if height.is_dynamic else (height.get_length(), width.get_length())

    @property
    def streams(self) -> int:
        """How many scans are computed at the same time."""
        return int(self._compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))

    def run(self, pixels: Pixels) -> Outputs:
        """Compute the outputs of one scan or a batch.

        Args:
            pixels: ``(n, h, w, 3)`` uint8, or one scan ``(h, w, 3)``.

        Returns:
            Output name to float32 array whose first axis is n (1 for one scan).

        Raises:
            InputError: ``pixels`` is not uint8 or has another shape.
        """
        batch = self._check(pixels)
        results = dict(self._stream(enumerate(batch[:, None])))
        return {name: np.concatenate([results[i][name] for i in range(len(batch))]) for name in self._names}

    def stream(self, scans: Iterable[tuple[Key, Pixels]]) -> Generator[tuple[Key, Outputs], None, None]:
        """Compute the outputs of many scans, reading the next ones while others are computed.

        Memory stays bounded by the number of streams; results come in the order of the scans.

        Args:
            scans: Pairs of a key and one scan ``(h, w, 3)`` or ``(1, h, w, 3)``, uint8.

        Yields:
            Key and outputs, as :meth:`run` returns them for one scan.

        Raises:
            InputError: A scan is not uint8 or has another shape.
        """
        return self._stream((key, self._check(pixels, single=True)) for key, pixels in scans)

    def _stream(self, scans: Iterable[tuple[Key, Pixels]]) -> Generator[tuple[Key, Outputs], None, None]:
        free = [self._compiled.create_infer_request() for _ in range(self.streams + 1)]
        busy: deque[tuple[Key, ov.InferRequest]] = deque()
        try:
            for key, pixels in scans:
                if not free:
                    done, request = busy.popleft()
                    yield done, self._collect(request)
                    free.append(request)
                request = free.pop()
                request.start_async({0: pixels})
                busy.append((key, request))
            while busy:
                done, request = busy.popleft()
                yield done, self._collect(request)
        finally:
            for _, request in busy:
                request.wait()

    def _collect(self, request: ov.InferRequest) -> Outputs:
        request.wait()
        return {name: np.array(request.get_tensor(name).data) for name in self._names}

    def _check(self, pixels: Pixels, *, single: bool = False) -> Pixels:
        dtype, shape = getattr(pixels, "dtype", type(pixels).__name__), np.shape(pixels)
        if dtype != np.uint8:
            raise InputError(
                f"Pixels must be uint8 in 0..255, got {dtype}: pass the scan as it was read; the graph normalises it."
            )
        if len(shape) not in (3, 4) or shape[-1] != 3 or 0 in shape or (single and len(shape) == 4 and shape[0] != 1):
            expected = "(h, w, 3)" if single else "(n, h, w, 3) or (h, w, 3)"
            raise InputError(f"Pixels must have the shape {expected}, got {shape}: pass RGB scans, channels last.")
        if self._scan_size not in (None, shape[-3:-1]):
            raise InputError(
                f"The graph was compiled for scans of {self._scan_size} pixels, got {shape[-3:-1]}: "
                "compile it without scan_size."
            )
        return np.ascontiguousarray(pixels if len(shape) == 4 else pixels[None])


def _read(graph: FeatureGraph | Path | str | ov.Model) -> ov.Model:
    if isinstance(graph, ov.Model):
        return graph.clone()
    path = Path(graph.path if isinstance(graph, FeatureGraph) else graph)
    try:
        return ov.Core().read_model(path)
    except RuntimeError as error:
        raise IntegrityError(
            f"The graph {path} cannot be read, it is missing or damaged: delete its folder and run the command again."
        ) from error


def _select(model: ov.Model, names: Sequence[str]) -> ov.Model:
    known = [output.get_any_name() for output in model.outputs]
    for name in names:
        if name not in known:
            raise InputError(f"The graph has no output {name!r}: choose among {', '.join(known)}.")
    results = [model.output(name).get_node() for name in names]
    return ov.Model(results, model.get_parameters(), model.get_friendly_name())
