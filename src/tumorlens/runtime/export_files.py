"""What export needs of OpenVINO and of Keras: a graph with metadata inside, and ``.keras`` models for prediction."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tumorlens.runtime.calibration import Calibration
from tumorlens.runtime.compiled import Outputs
from tumorlens.runtime.graphs import read_graph, save_graph
from tumorlens.runtime.jobs import run_job
from tumorlens.types import Pixels

__all__ = [
    "KerasJoin",
    "export_keras_models",
    "read_batch_answers",
    "run_keras_model",
    "write_batches",
    "write_graph_copy",
]

_SECTION = "tumorlens"


@dataclass(frozen=True)
class KerasJoin:
    """How several bundles' answers become one; see :mod:`tumorlens.runtime.ensemble_graphs`.

    Attributes:
        weights: What each counts, with the sum 1.
        temperatures: What each one's logits are divided by.
        map_adds_up: Whether each one's logits are the sum of its map's cells, not their mean.
        calibration: What is done to the logarithms of the mean probabilities.
    """

    weights: tuple[float, ...]
    temperatures: tuple[float, ...]
    map_adds_up: tuple[bool, ...]
    calibration: Calibration

    def to_json(self) -> dict[str, Any]:
        """As the child process takes it."""
        return {
            "weights": list(self.weights),
            "temperatures": list(self.temperatures),
            "map_adds_up": list(self.map_adds_up),
            "temperature": self.calibration.temperature,
            "shift": list(self.calibration.shift),
        }


def write_graph_copy(graph: Path, out: Path, *, metadata: Mapping[str, str]) -> None:
    """Write a graph again, with ``metadata`` in its section "tumorlens" of ``rt_info``.

    Args:
        graph: The graph (.xml).
        out: Where the copy goes (.xml; the .bin beside it); the folder is there.
        metadata: Names and values.

    Raises:
        IntegrityError: The graph cannot be read.
        StorageError: The copy could not be written whole.
    """
    model = read_graph(graph)
    for name, value in metadata.items():
        model.set_rt_info(value, [_SECTION, name])
    save_graph(model, out)


def export_keras_models(models: Sequence[Path], out: Path, *, join: KerasJoin | None = None) -> None:
    """Write one ``.keras`` model for prediction: uint8 pixels of any size in; probabilities, map and features out.

    Args:
        models: The ``.keras`` models of bundles, one or several.
        out: Where it goes; the folder is there.
        join: What each of several counts.

    Raises:
        InputError: A file is not a model that tumorlens wrote.
        TumorlensError: Keras failed.
    """
    request = {"models": [str(path.resolve()) for path in models], "join": None if join is None else join.to_json()}
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".tmp-job-") as job:
        run_job("export_model", request, folder=Path(job), purpose="Writing the Keras model")
        shutil.move(Path(job) / "model.keras", out)


def run_keras_model(model: Path, batches: Sequence[Pixels]) -> list[Outputs]:
    """What a ``.keras`` model from :func:`export_keras_models` answers under Keras' OpenVINO engine, batch by batch.

    Raises:
        TumorlensError: Keras failed.
    """
    with tempfile.TemporaryDirectory(prefix="tumorlens-keras-") as job:
        write_batches(Path(job), batches)
        request = {"model": str(model.resolve()), "batches": len(batches)}
        run_job("run_model", request, folder=Path(job), purpose="Running the Keras model")
        return read_batch_answers(Path(job), len(batches))


def write_batches(folder: Path, batches: Sequence[Pixels]) -> None:
    """Hand batches ``(n, h, w, 3)`` over to a child process."""
    for place, batch in enumerate(batches):
        np.save(folder / f"batch{place}.npy", batch, allow_pickle=False)


def read_batch_answers(folder: Path, count: int) -> list[Outputs]:
    """What a child process answered for each batch."""
    answers: list[Outputs] = []
    for place in range(count):
        with np.load(folder / f"answers{place}.npz", allow_pickle=False) as arrays:
            answers.append({name: arrays[name] for name in arrays.files})
    return answers
