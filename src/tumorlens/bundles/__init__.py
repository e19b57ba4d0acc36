"""The portable model: a folder without pickle that verifies itself and answers for a scan.

Imports neither Keras nor TensorFlow.
"""

from tumorlens.bundles.batch import Answer, find_bundle, predict_files
from tumorlens.bundles.card import BundleCard, check_words, read_card, write_card
from tumorlens.bundles.files import GRAPH_FILE, KERAS_FILE, WEIGHTS_FILE, digest_files, verify_files
from tumorlens.bundles.predictor import ManyAnswers, Prediction, Predictor
from tumorlens.bundles.reference import (
    Neighbour,
    Neighbours,
    nearest_distance,
    read_reference,
    unit_vectors,
    write_reference,
)
from tumorlens.bundles.rules import (
    UNDECIDED,
    UNLIKE,
    ConformalRule,
    NoveltyRule,
    OperatingPoint,
    decide,
    final_decision,
)
from tumorlens.bundles.views import MOST_VIEWS, ViewCost, Views, fixed_views, total_cost, views_words

__all__ = [
    "GRAPH_FILE",
    "KERAS_FILE",
    "MOST_VIEWS",
    "UNDECIDED",
    "UNLIKE",
    "WEIGHTS_FILE",
    "Answer",
    "BundleCard",
    "ConformalRule",
    "ManyAnswers",
    "Neighbour",
    "Neighbours",
    "NoveltyRule",
    "OperatingPoint",
    "Prediction",
    "Predictor",
    "ViewCost",
    "Views",
    "check_words",
    "decide",
    "digest_files",
    "final_decision",
    "find_bundle",
    "fixed_views",
    "nearest_distance",
    "predict_files",
    "read_card",
    "read_reference",
    "total_cost",
    "unit_vectors",
    "verify_files",
    "views_words",
    "write_card",
    "write_reference",
]
