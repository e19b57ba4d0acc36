"""A graph's maps become a picture of where a score came from. Knows nothing about networks, data sets or training.

Needs neither Keras nor TensorFlow. A map says which cells of the network's coarse grid moved the score; it does not say
that the answer is right, nor that a lesion lies there.
"""

from tumorlens.explanation.evidence import class_evidence
from tumorlens.explanation.folder import HeatmapFolder
from tumorlens.explanation.heatmap import Heatmap
from tumorlens.explanation.regions import Box, Region, region_of_boxes, region_of_mask
from tumorlens.explanation.removal import (
    RemovalCurve,
    blurred_picture,
    deletion_curve,
    insertion_curve,
    mean_picture,
)
from tumorlens.explanation.scoring import Overlap, best_overlap, energy_inside, points_inside

__all__ = [
    "Box",
    "Heatmap",
    "HeatmapFolder",
    "Overlap",
    "Region",
    "RemovalCurve",
    "best_overlap",
    "blurred_picture",
    "class_evidence",
    "deletion_curve",
    "energy_inside",
    "insertion_curve",
    "mean_picture",
    "points_inside",
    "region_of_boxes",
    "region_of_mask",
]
