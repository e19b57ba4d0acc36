"""Runs a training job in a child process and relays what it says. The only parent of TensorFlow.

The child holds the other end of two pipes: it writes one JSON object a line, and it ends itself
when its standard input closes, that is when the parent is gone. Everything else it prints goes to a
log file.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tumorlens import errors
from tumorlens.errors import TumorlensError
from tumorlens.progress import Progress
from tumorlens.workspace import storage_errors, write_json

__all__ = ["run_job"]

_STOP_SECONDS = 5.0

# glibc gives large blocks back after each use and clears them anew: 60 % of the time of a training
# step on 131,072 features. Up to 64 MiB they are kept; other C libraries ignore these names.
_KEEP_BLOCKS = {
    "MALLOC_MMAP_THRESHOLD_": str(64 << 20),
    "MALLOC_TOP_PAD_": str(64 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(256 << 20),
}


def run_job(
    job: Mapping[str, Any],
    *,
    folder: Path,
    log: Path,
    title: str,
    total_steps: int,
    threads: int | None,
    progress: Progress,
    on_epoch: Callable[[dict[str, Any]], None] | None = None,
) -> dict[str, Any]:
    """Run ``job`` in a child process until it has finished.

    Args:
        job: JSON values; ``task`` names what :mod:`tumorlens.training.child` is to do.
        folder: Where the job file is written; the job's own files lie there too.
        log: Where everything the child prints is kept.
        title: What the progress bar and error messages call the work.
        total_steps: Batches the child reports at most.
        threads: CPU threads of the child; ``None``: as many as it likes.
        progress: Told of every batch and epoch.
        on_epoch: Given what each epoch gave, for work that reports it; what it raises ends the child.

    Returns:
        The child's last message: its result as JSON values.

    Raises:
        TumorlensError: The child's own error, or one sentence with the log's path when it failed
            otherwise.
    """
    job_file = folder / "job.json"
    write_json(job_file, {**job, "threads": threads})
    with (
        storage_errors(log),
        log.open("wb") as log_file,
        _child(job_file, log_file, threads) as child,
    ):
        last = _relay(child, title=title, total_steps=total_steps, progress=progress, on_epoch=on_epoch)
        code = child.wait()
    if last.get("event") == "error":
        raise _error(last)
    if code or last.get("event") != "done":
        raise TumorlensError(f"{title} stopped before its end ({_reason(code)}): see {log}.")
    return last


@contextmanager
def _child(job_file: Path, log_file: Any, threads: int | None) -> Iterator[subprocess.Popen[str]]:
    """The running child; it is gone when the block ends, however it ends."""
    child = subprocess.Popen(
        _command(job_file),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log_file,
        env=_environment(threads),
        text=True,
        encoding="utf-8",
    )
    try:
        yield child
    finally:
        if child.stdin:
            child.stdin.close()
        try:
            child.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        if child.stdout:
            child.stdout.close()


def _command(job_file: Path) -> list[str]:
    return [sys.executable, "-m", "tumorlens.training.child", str(job_file)]


def _environment(threads: int | None) -> dict[str, str]:
    quiet = {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "2", "PYTHONHASHSEED": "0"}
    # The child looks for modules where this process did: a checkout need not be installed.
    paths = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    limits = {"OMP_NUM_THREADS": str(threads)} if threads else {}
    return {**os.environ, **quiet, **_KEEP_BLOCKS, **paths, **limits, "CUDA_VISIBLE_DEVICES": "-1"}


def _relay(
    child: subprocess.Popen[str],
    *,
    title: str,
    total_steps: int,
    progress: Progress,
    on_epoch: Callable[[dict[str, Any]], None] | None,
) -> dict[str, Any]:
    """Pass the child's messages on; give back its last one (empty when it said nothing)."""
    assert child.stdout is not None
    last: dict[str, Any] = {}
    with progress.task(title, total=total_steps) as task:
        for line in child.stdout:
            try:
                last = json.loads(line)
            except ValueError:  # half a line: the child was killed while it wrote
                continue
            if last["event"] == "steps":
                task.advance(last["steps"], note=last["note"])
            elif last["event"] == "epoch" and on_epoch is not None:
                on_epoch(last["record"])
    return last


def _error(message: Mapping[str, Any]) -> TumorlensError:
    kind = getattr(errors, message["kind"], TumorlensError)
    return kind(message["message"])


def _reason(code: int) -> str:
    if code == -getattr(signal, "SIGKILL", 9):
        return "it was killed, most often because memory ran out"
    return f"signal {-code}" if code < 0 else f"exit code {code}"
