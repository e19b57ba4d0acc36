"""Runs work that needs Keras in a child process, so that Keras and its memory never enter this one.

The child uses Keras' OpenVINO engine and cannot import TensorFlow. What it is asked and what it answers are JSON files
(and arrays) in a temporary folder. Every failure becomes one sentence here.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tumorlens import errors
from tumorlens.errors import TumorlensError

__all__ = ["run_job"]

_MODULE = "tumorlens.runtime.children"


def run_job(task: str, request: dict[str, Any], *, folder: Path, purpose: str) -> dict[str, Any]:
    """Run one task in a child process and wait for it.

    Args:
        task: Its name in :mod:`tumorlens.runtime.children`.
        request: Its arguments: anything JSON can hold. Paths must be absolute.
        folder: An empty temporary folder for the files that go between the processes.
        purpose: What the user is waiting for, as the subject of a sentence ("Converting ResNet50").

    Returns:
        What the task returned.

    Raises:
        TumorlensError: The error the child raised on purpose, or one sentence about how it failed.
    """
    (folder / "request.json").write_text(json.dumps({"task": task, **request}), encoding="utf-8")
    process = subprocess.run(
        [sys.executable, "-m", _MODULE, str(folder)],
        env=_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    answer = folder / "answer.json"
    if not answer.is_file():
        raise TumorlensError(f"{purpose} failed: {_last_words(process)}.")
    result: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
    if "failure" in result:
        raise TumorlensError(f"{purpose} failed: {result['failure']}.")
    if "error" in result:
        raise getattr(errors, result["error"], TumorlensError)(result["message"])
    return result


def _environment() -> dict[str, str]:
    path = os.pathsep.join(entry for entry in sys.path if entry)
    return {**os.environ, "KERAS_BACKEND": "openvino", "PYTHONPATH": path, "PYTHONWARNINGS": "ignore"}


def _last_words(process: subprocess.CompletedProcess[str]) -> str:
    if process.returncode < 0:
        return (
            f"its process was stopped by signal {-process.returncode}, as happens when memory runs out; "
            "close other programs and run the command again"
        )
    lines = process.stderr.strip().splitlines()
    return (lines[-1] if lines else f"its process ended with code {process.returncode}").rstrip(".")
