"""Predictions become figures: metrics, intervals over groups, baselines, signs of collapse."""

from tumorlens.evaluation.baselines import (
    MAJORITY_CLASS,
    TRIVIAL_BASELINE,
    area_and_brightness,
    majority_class,
)
from tumorlens.evaluation.bootstrap import Interval, Resampling, resample_groups
from tumorlens.evaluation.collapse import collapse_reason, feature_spread
from tumorlens.evaluation.figures import figures
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
from tumorlens.evaluation.row import ROW_KEYS, Classifier, GroupsAre, Kind, RowFigures, best_on_validation
from tumorlens.evaluation.summary import Figure, Summary, check_prevalence, summarise

__all__ = [
    "MAJORITY_CLASS",
    "ROW_KEYS",
    "TRIVIAL_BASELINE",
    "ClassFigures",
    "Classifier",
    "Difference",
    "Figure",
    "GroupsAre",
    "Interval",
    "Kind",
    "PrecisionRecallCurve",
    "PublishedFigures",
    "Resampling",
    "RocCurve",
    "RowFigures",
    "Summary",
    "adjust_holm",
    "area_and_brightness",
    "best_on_validation",
    "check_prevalence",
    "collapse_reason",
    "confusion_matrix",
    "feature_spread",
    "figures",
    "majority_class",
    "paired_difference",
    "positive_index",
    "precision_recall_curve",
    "published_figures",
    "resample_groups",
    "roc_curve",
    "summarise",
]
