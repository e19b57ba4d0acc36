"""The child process for work with TensorFlow, most of it training: ``python -m tumorlens.training.child JOB.json``.

Standard output carries one JSON object a line (``steps``, then ``done`` or ``error``) and nothing
else.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TextIO

from tumorlens.errors import TumorlensError

__all__ = ["Say", "main"]

Say = Callable[[dict[str, Any]], None]
"""Sends one message to the parent."""

_TASKS = {
    "study": "tumorlens.training.study_task",
    "fine_tune": "tumorlens.training.fine_tune_task",
    "scratch": "tumorlens.training.scratch_task",
    "gradcam": "tumorlens.explanation.methods.gradcam_task",
    "tflite": "tumorlens.bundles.exporting.tflite_task",
    "tflite_answers": "tumorlens.bundles.exporting.answers_task",
    "keras_answers": "tumorlens.bundles.exporting.answers_task",
}


def main(job_file: Path) -> int:
    """Run the job; return the exit code."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what Ctrl-C means
    messages = _claim_stdout()
    _end_with_parent()

    def say(message: dict[str, Any]) -> None:
        messages.write(json.dumps(message, allow_nan=False) + "\n")
        messages.flush()

    try:
        job = json.loads(job_file.read_text(encoding="utf-8"))
        result = _run(job, say)
    except TumorlensError as error:
        say({"event": "error", "kind": type(error).__name__, "message": str(error)})
        return 2
    except MemoryError:
        say({"event": "error", "kind": "TumorlensError", "message": _NO_MEMORY})
        return 2
    except Exception:  # the parent says one sentence; the traceback goes to the log it names
        traceback.print_exc()
        return 1
    say({"event": "done", **result})
    return 0


_NO_MEMORY = "Training ran out of memory: give a smaller --size, or close other programs and try again."


def _run(job: Mapping[str, Any], say: Say) -> dict[str, Any]:
    import keras
    import tensorflow as tf

    if job["threads"]:
        tf.config.threading.set_intra_op_parallelism_threads(job["threads"])
        tf.config.threading.set_inter_op_parallelism_threads(1)
    keras.utils.set_random_seed(job["seed"])
    tf.config.experimental.enable_op_determinism()
    return importlib.import_module(_TASKS[job["task"]]).run(job, say)


def _claim_stdout() -> TextIO:
    """Keep standard output for messages; all else that prints goes to the log (standard error)."""
    messages = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return messages


def _end_with_parent() -> None:
    """End this process at once when standard input closes."""

    def watch() -> None:
        os.read(sys.stdin.fileno(), 1)  # unbuffered: a lock held here would stop Python from ending
        os._exit(3)

    threading.Thread(target=watch, daemon=True).start()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
