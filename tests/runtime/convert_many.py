"""A child process that converts several networks, so that Keras starts once for a whole family.

Usage: ``python convert_many.py FOLDER SIZE SUFFIX NAME...``: reads ``FOLDER/BUILDER.SUFFIX``, writes
``FOLDER/NAME/graph.xml``, and prints as JSON what each network consists of.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

os.environ["KERAS_BACKEND"] = "openvino"
sys.modules["tensorflow"] = None  # type: ignore[assignment]

import keras  # noqa: E402  # the engine must be chosen before

from tumorlens.backbones import find_backbone  # noqa: E402
from tumorlens.runtime.children.networks import load_network  # noqa: E402
from tumorlens.runtime.children.tasks import TASKS  # noqa: E402


def structure(name: str, size: int) -> dict[str, Any]:
    network = load_network(find_backbone(name), size=size, weights=None)
    return {
        "parameters": network.model.count_params(),
        "layers": [layer.name for layer in network.model.layers],
        "last": network.model.layers[-1].name,
        "width": network.body.output.shape[-1],
        "inner_preprocessing": any(
            isinstance(layer, (keras.layers.Rescaling, keras.layers.Normalization)) for layer in network.body.layers
        ),
    }


def main(folder: Path, size: int, suffix: str, names: list[str]) -> None:
    answers = {}
    for name in names:
        weights = folder / f"{find_backbone(name).builder}.{suffix}"
        answers[name] = structure(name, size)
        if weights.is_file():
            (folder / name).mkdir()
            request = {"backbone": name, "size": size, "weights": str(weights)}
            answers[name] |= TASKS["convert_backbone"](folder / name, **request)
    print(json.dumps(answers))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4:])
