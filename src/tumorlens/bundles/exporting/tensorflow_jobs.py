"""What export needs of TensorFlow, in a child process: writing TensorFlow Lite, running it, and running Keras."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tumorlens.errors import TumorlensError
from tumorlens.progress import SILENT
from tumorlens.runtime import Outputs
from tumorlens.runtime.export_files import read_batch_answers, write_batches
from tumorlens.training.jobs import run_job
from tumorlens.types import Pixels

__all__ = ["run_keras_under_tensorflow", "run_tflite", "write_tflite"]


def write_tflite(graph: Path, out: Path, *, threads: int | None) -> None:
    """Write ``graph`` (.xml) as TensorFlow Lite: uint8 pixels in, of any batch and size; named outputs.

    Raises:
        InputError: It holds an operation that has no translation.
        TumorlensError: TensorFlow failed.
    """
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".tmp-job-") as name:
        _run(Path(name), "tflite", threads=threads, title="Writing TensorFlow Lite", graph=str(graph.resolve()))
        shutil.move(Path(name) / "model.tflite", out)


def run_tflite(model: Path, batches: Sequence[Pixels], *, threads: int | None) -> list[Outputs]:
    """What a ``.tflite`` file answers, batch by batch.

    Raises:
        TumorlensError: TensorFlow failed.
    """
    return _answers("tflite_answers", model, batches, threads=threads)


def run_keras_under_tensorflow(model: Path, batches: Sequence[Pixels], *, threads: int | None) -> list[Outputs]:
    """What a ``.keras`` file answers under TensorFlow, batch by batch.

    Raises:
        TumorlensError: Keras failed.
    """
    return _answers("keras_answers", model, batches, threads=threads)


def _answers(task: str, model: Path, batches: Sequence[Pixels], *, threads: int | None) -> list[Outputs]:
    with tempfile.TemporaryDirectory(prefix="tumorlens-export-") as name:
        folder = Path(name)
        write_batches(folder, batches)
        words = {"model": str(model.resolve()), "batches": len(batches)}
        _run(folder, task, threads=threads, title="Running the exported model", **words)
        return read_batch_answers(folder, len(batches))


def _run(folder: Path, task: str, *, threads: int | None, title: str, **words: Any) -> None:
    log = folder / "child.log"
    try:
        run_job(
            {"task": task, "seed": 0, "folder": str(folder), **words},
            folder=folder,
            log=log,
            title=title,
            total_steps=1,
            threads=threads,
            progress=SILENT,
        )
    except TumorlensError as error:
        if str(log) not in str(error):
            raise
        raise TumorlensError(f"{title} failed: {_last_line(log)}.") from error  # the log goes with its folder


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return (lines[-1] if lines else "its process ended without a word").rstrip(".")
