"""The tasks by name. Importing this module imports Keras."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras

from tumorlens.runtime.children.convert_backbone import convert_backbone
from tumorlens.runtime.children.convert_file import convert_file
from tumorlens.runtime.children.convert_lower import convert_lower
from tumorlens.runtime.children.export_model import export_model
from tumorlens.runtime.children.run_model import run_model
from tumorlens.runtime.children.save_model import save_model

__all__ = ["TASKS"]

# What a user's keras.json says must not change the networks.
keras.config.set_image_data_format("channels_last")
keras.config.set_floatx("float32")

TASKS: dict[str, Callable[..., dict[str, Any]]] = {
    "convert_backbone": convert_backbone,
    "convert_file": convert_file,
    "convert_lower": convert_lower,
    "export_model": export_model,
    "run_model": run_model,
    "save_model": save_model,
}
