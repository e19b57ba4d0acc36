"""Predictions become figures: metrics, intervals over groups, baselines, signs of collapse."""

from tumorlens.evaluation.baselines import (
    MAJORITY_CLASS,
    TRIVIAL_BASELINE,
    area_and_brightness,
    majority_class,
)
from tumorlens.evaluation.bootstrap import Interval, Resampling, resample_groups
from tumorlens.evaluation.calibration import FittedCalibration, fit_calibration
from tumorlens.evaluation.collapse import collapse_reason, feature_spread
from tumorlens.evaluation.conformal import ConformalFigures, class_thresholds, conformal_figures, conformal_sets
from tumorlens.evaluation.figure import Figure
from tumorlens.evaluation.figures import figures
from tumorlens.evaluation.fold_figures import cross_validated_figures, mean_roc_curve
from tumorlens.evaluation.fold_row import CrossValidatedFigures, FoldFigures
from tumorlens.evaluation.metrics import (
    ClassFigures,
    RocCurve,
    confusion_matrix,
    positive_index,
    roc_curve,
)
from tumorlens.evaluation.paired import Difference, adjust_holm, paired_difference
from tumorlens.evaluation.precision_recall import PrecisionRecallCurve, precision_recall_curve
from tumorlens.evaluation.published import PublishedFigures, published_figures
from tumorlens.evaluation.reliability import Reliability, ReliabilityBin, reliability
from tumorlens.evaluation.row import ROW_KEYS, Classifier, GroupsAre, Kind, RowFigures, best_on_validation
from tumorlens.evaluation.selection import SELECTION_ROUNDS, Selection, equal_weights, select_members
from tumorlens.evaluation.summary import Summary, check_prevalence, summarise
from tumorlens.evaluation.threshold import OperatingWish, choose_threshold, parse_wish

__all__ = [
    "MAJORITY_CLASS",
    "ROW_KEYS",
    "SELECTION_ROUNDS",
    "TRIVIAL_BASELINE",
    "ClassFigures",
    "Classifier",
    "ConformalFigures",
    "CrossValidatedFigures",
    "Difference",
    "Figure",
    "FittedCalibration",
    "FoldFigures",
    "GroupsAre",
    "Interval",
    "Kind",
    "OperatingWish",
    "PrecisionRecallCurve",
    "PublishedFigures",
    "Reliability",
    "ReliabilityBin",
    "Resampling",
    "RocCurve",
    "RowFigures",
    "Selection",
    "Summary",
    "adjust_holm",
    "area_and_brightness",
    "best_on_validation",
    "check_prevalence",
    "choose_threshold",
    "class_thresholds",
    "collapse_reason",
    "conformal_figures",
    "conformal_sets",
    "confusion_matrix",
    "cross_validated_figures",
    "equal_weights",
    "feature_spread",
    "figures",
    "fit_calibration",
    "majority_class",
    "mean_roc_curve",
    "paired_difference",
    "parse_wish",
    "positive_index",
    "precision_recall_curve",
    "published_figures",
    "reliability",
    "resample_groups",
    "roc_curve",
    "select_members",
    "summarise",
]
