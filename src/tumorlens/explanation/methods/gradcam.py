r"""Grad-CAM, through the bundle's ``.keras`` model in a child process with TensorFlow.

The weight of a channel is the mean over positions of the gradient of the log-odds with respect to the last map, the
map the weighted sum of the channels (Selvaraju et al., ICCV 2017, arXiv 1610.02391). Its negative part is kept, as with
every method here; the picture paints only what is above 0. For a head on pooled features the gradient is the same at
every position, so Grad-CAM is the graph's own map divided by the number of positions; for a head on the whole map it
is another one.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tumorlens.errors import InputError, TumorlensError
from tumorlens.explanation.methods.base import MapMethod
from tumorlens.extras import require_extra
from tumorlens.progress import SILENT
from tumorlens.types import Maps, Pixels

__all__ = ["GradCam"]

_SCANS_AT_ONCE = 8


class GradCam(MapMethod):
    """Grad-CAM of the last map before the head. Needs the extra ``train``."""

    name = "gradcam"
    title = "Grad-CAM (Selvaraju et al. 2017)"

    def class_maps(self, scans: Sequence[Pixels]) -> list[Maps]:
        """``(h, w, k)`` for each scan: Grad-CAM of each logit, before the ReLU and the temperature.

        Raises:
            MissingExtraError: TensorFlow is not installed.
            InputError: The bundle holds no ``.keras`` model.
            TumorlensError: Keras failed; the message gives the end of its log.
        """
        require_extra("train", purpose="Grad-CAM")
        if self.model.keras is None or not self.model.keras.is_file():
            raise InputError(
                "Grad-CAM needs a bundle with its .keras model, but this one has none: take the bundle of a single "
                "network (ensembles have none), or train the run again."
            )
        from tumorlens.training.jobs import run_job

        with tempfile.TemporaryDirectory(prefix="tumorlens-gradcam-") as name:
            folder = Path(name)
            arrays: dict[str, Any] = {f"scan{place}": scan for place, scan in enumerate(scans)}
            np.savez(folder / "scans.npz", **arrays)
            job = {
                "task": "gradcam",
                "seed": 0,
                "folder": str(folder),
                "model": str(self.model.keras.resolve()),
                "scans": len(scans),
                "batch_size": _SCANS_AT_ONCE,
            }
            log = folder / "gradcam.log"
            steps = -(-len(scans) // _SCANS_AT_ONCE)
            try:
                run_job(
                    job,
                    folder=folder,
                    log=log,
                    title="Grad-CAM",
                    total_steps=steps,
                    threads=self.model.threads,
                    progress=SILENT,
                )
            except TumorlensError as error:
                if str(log) not in str(error):
                    raise
                raise TumorlensError(f"Grad-CAM failed: {_last_line(log)}.") from error  # the log goes with its folder
            maps: Maps = np.load(folder / "maps.npy", allow_pickle=False)
        return list(maps)


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return (lines[-1] if lines else "its process ended without a word").rstrip(".")
