"""Child's side of the parity check: what a file answers in TensorFlow Lite, or in Keras under TensorFlow."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from tumorlens.runtime.children.run_model import run_model
from tumorlens.training.child import Say

__all__ = ["run"]


def run(job: Mapping[str, Any], say: Say) -> dict[str, Any]:
    """Answer for each batch in the job's folder; see :func:`~tumorlens.runtime.children.run_model.run_model`."""
    folder, model = Path(job["folder"]), str(job["model"])
    if job["task"] == "keras_answers":
        return run_model(folder, model=model, batches=job["batches"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # TensorFlow would have another package run it
        interpreter = tf.lite.Interpreter(model, num_threads=job["threads"] or None)
    run_batch = interpreter.get_signature_runner()
    for place in range(job["batches"]):
        pixels = np.load(folder / f"batch{place}.npy", allow_pickle=False)
        answers: dict[str, Any] = dict(run_batch(pixels=pixels))
        np.savez(folder / f"answers{place}.npz", **answers)
    return {}
