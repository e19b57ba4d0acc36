"""Whether sets of classes and calibration hold what they say on new groups: a run's calibration and test parts, divided
again and again by groups.

In each repetition the groups of both parts together are dealt out in halves; temperature or Platt's scaling and the
sets are fitted on one half by the rules of every run, and judged on the other. Nothing is trained again.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
import numpy.typing as npt

from measuring import report
from tumorlens.datasets import load_dataset
from tumorlens.evaluation import class_thresholds, conformal_figures, conformal_sets, fit_calibration, reliability
from tumorlens.evaluation.metrics import scan_losses
from tumorlens.runtime import calibrate, uncalibrate
from tumorlens.workflows.evaluation_model import find_model
from tumorlens.workflows.rules import WANTED_COVERAGE
from tumorlens.workspace import Workspace


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", help="name of a run")
    parser.add_argument("--repetitions", type=int, default=200)
    arguments = parser.parse_args()
    workspace = Workspace.locate()
    model = find_model(arguments.run, workspace=workspace)
    assert model.run is not None
    dataset = load_dataset(workspace, str(model.run.config["run"]["dataset"]))
    table = model.predictions()
    rows = np.flatnonzero(table["part"].isin(("calibration", "test")).to_numpy())
    columns = [f"probability_{label}" for label in model.card.labels]
    raw = uncalibrate(table[columns].to_numpy(float)[rows], model.card.scaling)
    labels, groups = dataset.labels[rows], dataset.groups[rows]
    point = model.card.operating_point
    positive = None if point is None else model.card.labels.index(point.positive_class)
    found = [
        one_division(labels, raw, groups, classes=model.card.labels, positive=positive, seed=seed)
        for seed in range(arguments.repetitions)
    ]
    names = [name for name in found[0] if name != "method"]
    report(
        {
            "run": model.card.model,
            "scans": len(rows),
            "groups": len(np.unique(groups)),
            "groups_are": dataset.groups_are,
            "repetitions": len(found),
            "wanted": WANTED_COVERAGE,
            "methods": {name: sum(one["method"] == name for one in found) for name in ("none", "temperature", "platt")},
            **{name: spread([one[name] for one in found]) for name in names},
        }
    )


def one_division(
    labels: npt.NDArray[np.int64],
    raw: npt.NDArray[np.float64],
    groups: npt.NDArray[np.str_],
    *,
    classes: tuple[str, ...],
    positive: int | None,
    seed: int,
) -> dict[str, Any]:
    """Figures of one division into halves."""
    names = np.random.default_rng(seed).permutation(np.unique(groups))
    known = np.isin(groups, names[: len(names) // 2])
    fitted = fit_calibration(labels[known], raw[known], groups[known], positive=positive, seed=seed)
    given = calibrate(raw, fitted.calibration)
    thresholds = class_thresholds(labels[known], given[known], groups[known], wanted=WANTED_COVERAGE)
    assert thresholds is not None, "too few groups of a class for sets"
    new = ~known
    _, codes = np.unique(groups[new], return_inverse=True)
    sets = conformal_sets(given[new], thresholds)
    # no intervals: what varies from division to division is reported instead
    whole = conformal_figures(sets, labels[new], classes=classes, wanted=WANTED_COVERAGE, resampling=None)
    cells = codes * len(classes) + labels[new]
    alike = 1.0 / np.bincount(cells)[cells]
    covered = sets[np.arange(new.sum()), labels[new]]
    judged = {
        side: reliability(
            labels[new], probabilities[new], positive=positive, groups=groups[new], resampling=None, seed=seed
        )
        for side, probabilities in (("before", raw), ("after", given))
    }
    return {
        "method": fitted.method,
        "coverage_of_groups": float((covered * alike).sum() / alike.sum()),
        **{
            f"coverage_of_groups_{name}": float((covered * alike)[own].sum() / alike[own].sum())
            for place, name in enumerate(classes)
            if (own := labels[new] == place).any()
        },
        "coverage_of_scans": whole.coverage.value,
        "empty": whole.empty.value,
        "single": whole.single.value,
        "several": whole.several.value,
        "single_error": whole.single_error.value,
        "error_before": judged["before"].error,
        "error_after": judged["after"].error,
        "within_band_before": float(judged["before"].within_band),
        "within_band_after": float(judged["after"].within_band),
        "loss_before": float(scan_losses(labels[new], raw[new]).mean()),
        "loss_after": float(scan_losses(labels[new], given[new]).mean()),
    }


def spread(values: list[float]) -> dict[str, float]:
    numbers = np.array(values, float)
    return {
        "mean": float(np.nanmean(numbers)),
        "standard_error": float(np.nanstd(numbers, ddof=1) / np.sqrt(len(numbers))),
        "low": float(np.nanquantile(numbers, 0.025)),
        "high": float(np.nanquantile(numbers, 0.975)),
    }


if __name__ == "__main__":
    main()
