"""Task: what a ``.keras`` file from ``tumorlens export`` answers, under whichever of Keras' engines runs here."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import openvino as ov

__all__ = ["run_model"]


def run_model(folder: Path, *, model: str, batches: int) -> dict[str, Any]:
    """Answer for ``batch0.npy`` and so on in ``folder``, ``(n, h, w, 3)`` uint8 each, in ``answers0.npz`` and so on.

    Returns:
        ``engine``: Keras' name of it.
    """
    _compile_in_full_precision()
    loaded = keras.saving.load_model(model, compile=False, safe_mode=True)
    for place in range(batches):
        pixels = np.load(folder / f"batch{place}.npy", allow_pickle=False)
        answers = loaded.predict_on_batch(pixels)
        named: dict[str, Any] = {name: np.asarray(answers[name], np.float32) for name in answers}
        np.savez(folder / f"answers{place}.npz", **named)
    return {"engine": keras.backend.backend()}


def _compile_in_full_precision() -> None:
    """Keras compiles with OpenVINO's defaults, which on some processors compute in half precision."""
    ov.compile_model = partial(ov.compile_model, config={"INFERENCE_PRECISION_HINT": "f32"})
