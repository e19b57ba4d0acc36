"""A manifest and a graph become cached vectors. Knows nothing about labels, splits or heads."""

from tumorlens.features.boundary import BoundarySet, cache_boundary
from tumorlens.features.extract import FeatureSet, extract_features, feature_kind
from tumorlens.features.kind import BoundaryKind, FeatureKind, View
from tumorlens.features.store import FeatureReader, FeatureStore, StoredKind
from tumorlens.features.views import AUGMENTATIONS, ViewSettings, cached_view, draw_view

__all__ = [
    "AUGMENTATIONS",
    "BoundaryKind",
    "BoundarySet",
    "FeatureKind",
    "FeatureReader",
    "FeatureSet",
    "FeatureStore",
    "StoredKind",
    "View",
    "ViewSettings",
    "cache_boundary",
    "cached_view",
    "draw_view",
    "extract_features",
    "feature_kind",
]
