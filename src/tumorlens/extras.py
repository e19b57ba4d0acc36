"""The one gate for optional dependencies: it names the missing extra and the command that installs it."""

from __future__ import annotations

import importlib.util

from tumorlens.errors import MissingExtraError

__all__ = ["has_extra", "require_extra"]

_MODULE_OF_EXTRA = {
    "train": "tensorflow",
    "int8": "nncf",
    "search": "optuna",
    "mlflow": "mlflow",
    "serve": "python_multipart",
    "export": "onnx onnxruntime",
}


def has_extra(extra: str) -> bool:
    """Whether the modules behind ``extra`` are installed (they are not imported)."""
    return all(importlib.util.find_spec(module) is not None for module in _MODULE_OF_EXTRA[extra].split())


def require_extra(extra: str, *, purpose: str) -> None:
    """Raise unless ``extra`` is installed.

    Args:
        extra: Name of the extra, as in ``pip install "tumorlens[train]"``.
        purpose: What needs it, as the subject of a sentence ("a CNN from scratch").

    Raises:
        MissingExtraError: The extra is not installed.
    """
    if not has_extra(extra):
        raise MissingExtraError(
            f"{purpose} needs {' and '.join(_MODULE_OF_EXTRA[extra].split())}, which is not installed: "
            f'run pip install "tumorlens[{extra}]" and try again.'
        )
