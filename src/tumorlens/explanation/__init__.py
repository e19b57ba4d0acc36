"""A graph's maps become a picture of where a score came from. Knows nothing about networks, data sets or training.

Needs neither Keras nor TensorFlow. A map says which cells of the network's coarse grid moved the score; it does not say
that the answer is right, nor that a lesion lies there.
"""

from tumorlens.explanation.evidence import class_evidence
from tumorlens.explanation.folder import HeatmapFolder
from tumorlens.explanation.heatmap import Heatmap

__all__ = ["Heatmap", "HeatmapFolder", "class_evidence"]
