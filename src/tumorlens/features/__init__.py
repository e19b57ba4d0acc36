"""A manifest and a graph become cached vectors. Knows nothing about labels, splits or heads."""

from tumorlens.features.extract import FeatureSet, extract_features, feature_kind
from tumorlens.features.kind import FeatureKind, View
from tumorlens.features.nearest import nearest_training_scans
from tumorlens.features.store import FeatureReader, FeatureStore, StoredKind

__all__ = [
    "FeatureKind",
    "FeatureReader",
    "FeatureSet",
    "FeatureStore",
    "StoredKind",
    "View",
    "extract_features",
    "feature_kind",
    "nearest_training_scans",
]
