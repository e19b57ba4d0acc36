"""The methods by name."""

from __future__ import annotations

from tumorlens.errors import InputError
from tumorlens.explanation.methods.base import MapMethod
from tumorlens.explanation.methods.cam import Cam
from tumorlens.explanation.methods.gradcam import GradCam
from tumorlens.explanation.methods.occlusion import Occlusion

__all__ = ["METHODS", "find_method"]

METHODS: dict[str, type[MapMethod]] = {method.name: method for method in (Cam, GradCam, Occlusion)}
"""Every method by name."""


def find_method(name: str) -> type[MapMethod]:
    """The method called ``name``.

    Raises:
        InputError: There is none of that name.
    """
    if name not in METHODS:
        raise InputError(f"Expected one of the methods {', '.join(METHODS)}, got {name!r}.")
    return METHODS[name]
