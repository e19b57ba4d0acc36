"""A graph's maps become a picture of where a score came from. Knows nothing about networks, data sets or training.

Needs neither Keras nor TensorFlow. A map says which cells of the network's coarse grid moved the score; it does not say
that the answer is right, nor that a lesion lies there.
"""

from tumorlens.explanation.evidence import class_evidence
from tumorlens.explanation.folder import HeatmapFolder
from tumorlens.explanation.heatmap import Heatmap
from tumorlens.explanation.scoring import Box, Region, energy_inside, points_inside, region_of_boxes

__all__ = [
    "Box",
    "Heatmap",
    "HeatmapFolder",
    "Region",
    "class_evidence",
    "energy_inside",
    "points_inside",
    "region_of_boxes",
]
