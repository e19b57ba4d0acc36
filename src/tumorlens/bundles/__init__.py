"""The portable model: a folder without pickle that verifies itself and answers for a scan.

Imports neither Keras nor TensorFlow.
"""

from tumorlens.bundles.batch import Answer, find_bundle, predict_files
from tumorlens.bundles.card import BundleCard, OperatingPoint, read_card, write_card
from tumorlens.bundles.files import GRAPH_FILE, KERAS_FILE, WEIGHTS_FILE, digest_files, verify_files
from tumorlens.bundles.predictor import Prediction, Predictor, decide

__all__ = [
    "GRAPH_FILE",
    "KERAS_FILE",
    "WEIGHTS_FILE",
    "Answer",
    "BundleCard",
    "OperatingPoint",
    "Prediction",
    "Predictor",
    "decide",
    "digest_files",
    "find_bundle",
    "predict_files",
    "read_card",
    "verify_files",
    "write_card",
]
