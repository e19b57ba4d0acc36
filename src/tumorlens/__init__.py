"""Fair transfer learning on brain MRI. For research, not for patient care.

The pipeline, and the packages in its order::

    files ── scans ──> pixels ── datasets ──> manifest, clusters, splits
                                                  │
    backbones ── runtime ──> compiled graph ── features ──> cached vectors
                                                  │
                         training ──> heads ── evaluation ──> figures with intervals
                                        │                          │
                                     bundles                    reports
                                        └──── workflows ── cli ────┘

In Python::

    import tumorlens as tl

    scans = tl.import_scans("images", labels="labels.csv", name="clinic")
    result = tl.compare(scans, backbones=["resnet50", "vgg16", "efficientnetb0"])
    result.table()
    result.best.predict("scan.png").heatmap.save("why.png")

Names are loaded when first used, so importing the package costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tumorlens.bundles import Prediction, Predictor
    from tumorlens.datasets import Dataset
    from tumorlens.errors import TumorlensError
    from tumorlens.training import Recipe
    from tumorlens.workflows.compare import ComparisonResult
    from tumorlens.workflows.cross_validation import CrossValidationResult
    from tumorlens.workflows.ensemble import EnsembleResult
    from tumorlens.workflows.evaluation_result import Evaluation
    from tumorlens.workflows.export import ExportResult
    from tumorlens.workflows.fine_tune import FineTuneSettings
    from tumorlens.workflows.public_compare import compare
    from tumorlens.workflows.public_data import import_scans, load_scans
    from tumorlens.workflows.public_models import ensemble, export_bundle, search
    from tumorlens.workflows.public_results import evaluate, report
    from tumorlens.workflows.report import ReportResult
    from tumorlens.workflows.scratch import ScratchSettings
    from tumorlens.workflows.search import SearchResult
    from tumorlens.workspace import Workspace

__all__ = [
    "ComparisonResult",
    "CrossValidationResult",
    "Dataset",
    "EnsembleResult",
    "Evaluation",
    "ExportResult",
    "FineTuneSettings",
    "Prediction",
    "Predictor",
    "Recipe",
    "ReportResult",
    "ScratchSettings",
    "SearchResult",
    "TumorlensError",
    "Workspace",
    "compare",
    "ensemble",
    "evaluate",
    "export_bundle",
    "import_scans",
    "load_scans",
    "report",
    "search",
]

_HOME = {
    "ComparisonResult": "tumorlens.workflows.compare",
    "CrossValidationResult": "tumorlens.workflows.cross_validation",
    "Dataset": "tumorlens.datasets",
    "EnsembleResult": "tumorlens.workflows.ensemble",
    "Evaluation": "tumorlens.workflows.evaluation_result",
    "ExportResult": "tumorlens.workflows.export",
    "FineTuneSettings": "tumorlens.workflows.fine_tune",
    "Prediction": "tumorlens.bundles",
    "Predictor": "tumorlens.bundles",
    "Recipe": "tumorlens.training",
    "ReportResult": "tumorlens.workflows.report",
    "ScratchSettings": "tumorlens.workflows.scratch",
    "SearchResult": "tumorlens.workflows.search",
    "TumorlensError": "tumorlens.errors",
    "Workspace": "tumorlens.workspace",
    "compare": "tumorlens.workflows.public_compare",
    "ensemble": "tumorlens.workflows.public_models",
    "evaluate": "tumorlens.workflows.public_results",
    "export_bundle": "tumorlens.workflows.public_models",
    "import_scans": "tumorlens.workflows.public_data",
    "load_scans": "tumorlens.workflows.public_data",
    "report": "tumorlens.workflows.public_results",
    "search": "tumorlens.workflows.public_models",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'tumorlens' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
