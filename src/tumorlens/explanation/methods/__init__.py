"""Ways from a scan to a map of the log-odds of a class. An entry in ``METHODS`` adds one everywhere.

Not imported by :mod:`tumorlens.explanation`, as an answer with its map needs none of it.
"""

from tumorlens.explanation.methods.base import MapMethod, ModelFiles
from tumorlens.explanation.methods.cam import Cam
from tumorlens.explanation.methods.gradcam import GradCam
from tumorlens.explanation.methods.occlusion import Occlusion
from tumorlens.explanation.methods.registry import METHODS, find_method

__all__ = ["METHODS", "Cam", "GradCam", "MapMethod", "ModelFiles", "Occlusion", "find_method"]
