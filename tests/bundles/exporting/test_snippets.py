"""The snippets of ``docs/export.md`` run as they stand there, and answer as the bundle does."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tumorlens.bundles import Predictor, read_card
from tumorlens.bundles.exporting.formats import FORMATS, ExportSource
from tumorlens.extras import has_extra

_PAGE = Path(__file__).parents[3] / "docs" / "export.md"
_HEADINGS = {"onnx": "ONNX", "openvino": "OpenVINO", "keras": "Keras", "tflite": "TensorFlow Lite"}
_NEEDS = {"onnx": "export", "keras": "train", "tflite": "train"}


def snippet(heading: str) -> str:
    """The Python code under a heading of the page."""
    (section,) = re.findall(rf"^## {heading}\n(.*?)(?=^## |\Z)", _PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    (code,) = re.findall(r"^```python\n(.*?)^```", section, re.DOTALL | re.MULTILINE)
    return code


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if name in ("keras", "tflite") else []) for name in FORMATS]
)
def test_snippet_answers_as_the_bundle(name: str, tiny_comparison, tmp_path: Path) -> None:
    if name in _NEEDS and not has_extra(_NEEDS[name]):
        pytest.skip(f"needs the extra {_NEEDS[name]!r}")
    code, bundle = snippet(_HEADINGS[name]), tiny_comparison.best_run.bundle
    assert len(code.replace("\n\n", "\n").strip().splitlines()) <= 11 and "import tumorlens" not in code
    FORMATS[name].write(ExportSource(bundle, read_card(bundle)), tmp_path / f"model{FORMATS[name].suffix}")
    rough = np.random.default_rng(1).integers(0, 256, (9, 7), dtype=np.uint8)
    Image.fromarray(rough).resize((70, 90), Image.Resampling.BICUBIC).save(tmp_path / "scan.png")
    said = _run(code, tmp_path)
    wanted = Predictor(bundle).predict(tmp_path / "scan.png").probabilities
    assert list(said) == list(wanted)
    assert said == pytest.approx(dict(wanted), abs=1e-4)
    assert min(said.values()) > 0.0  # not a corner where everything agrees


def _run(code: str, folder: Path) -> dict[str, float]:
    environment = {**os.environ, "KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONWARNINGS": "ignore"}
    environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_crop_snippet_gives_what_predict_sees(tmp_path: Path) -> None:
    section = _PAGE.read_text("utf-8").split("## What no format holds")[1].split("\n## ")[0]
    (code,) = re.findall(r"^ *```python\n(.*?)^ *```", section, re.DOTALL | re.MULTILINE)
    head = np.zeros((80, 100), np.uint8)
    head[20:60, 30:75] = 150
    head[30:40, 40:60] = 220
    Image.fromarray(head).save(tmp_path / "scan.png")
    lines = [line.strip() for line in code.splitlines()]
    program = "\n".join(
        [*lines, "import json", "print(json.dumps({'shape': pixels.shape, 'type': str(pixels.dtype)}))"]
    )
    said = _run(program, tmp_path)
    assert said["type"] == "uint8" and said["shape"][0] == 1 and said["shape"][1] == said["shape"][2] < 80
