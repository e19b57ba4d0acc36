"""Ways to fine-tune, judged on the training and validation parts of a data set alone.

    recipes.py NAME [--variants "half crop,longer,deeper"] [--seeds 0,1]

For choosing defaults on scans that no result rests on. The grouped split is that of ``train NAME``; rows of its
calibration and test parts, labels and pixels, are left out before anything begins. Results go to
``results/recipes.json`` one by one; what is there is not computed again.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from fine_tune_variants import VARIANTS, Variant, stand
from tumorlens.datasets import load_dataset
from tumorlens.evaluation.metrics import log_loss
from tumorlens.features import extract_features
from tumorlens.training import EpochRecord
from tumorlens.workflows.context import RunContext
from tumorlens.workflows.fine_tune import train_network
from tumorlens.workflows.fit import Network
from tumorlens.workflows.heads import HEADS, row_probabilities
from tumorlens.workflows.prepared_scans import Scans
from tumorlens.workflows.search_ground import without_test
from tumorlens.workflows.splits import prepare_split
from tumorlens.workspace import Workspace, write_json

_RESULTS = Path(__file__).parent / "results" / "recipes.json"


def main() -> None:
    """Train what is not in the results yet, and print them all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", help="data set")
    parser.add_argument("--workspace", type=Path)
    parser.add_argument("--variants", default="frozen,half,half crop")
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--threads", type=int, help="CPU threads [default: all]")
    parser.add_argument("--results", type=Path, default=_RESULTS)
    arguments = parser.parse_args()
    workspace = Workspace.locate(arguments.workspace)
    dataset = load_dataset(workspace, arguments.name)
    scans = Scans(dataset, prepare_split(dataset, protocol="grouped", seed=0))
    for seed in map(int, arguments.seeds.split(",")):
        for name in arguments.variants.split(","):
            key = {"dataset": dataset.digest, "split": scans.split.digest, "variant": name, "seed": seed}
            key["settings"] = VARIANTS[name].digest
            found = _read(arguments.results)
            if any(key.items() <= row.items() for row in found):
                continue
            row = key | _judged(VARIANTS[name], scans, seed, workspace, arguments.threads)
            write_json(arguments.results, [*_read(arguments.results), row])
    for row in _read(arguments.results):
        if row["dataset"] == dataset.digest:
            print(
                f"{row['variant']:14} seed {row['seed']}: validation loss {row['loss']:.4f}, accuracy "
                f"{row['accuracy']:.4f}, {row['seconds']:.0f} s"
            )


def _judged(variant: Variant, scans: Scans, seed: int, workspace: Workspace, threads: int | None) -> dict[str, Any]:
    started = time.perf_counter()
    with stand(variant, scans, seed=seed, workspace=workspace, weights="imagenet", threads=threads) as (whole, network):
        context = without_test(whole)
        loss, accuracy = (_frozen if variant.fine_tune is None else _tuned)(context, network, variant)
    return {"loss": loss, "accuracy": accuracy, "seconds": round(time.perf_counter() - started, 1)}


def _frozen(context: RunContext, network: Network, variant: Variant) -> tuple[float, float]:
    found = extract_features(context.dataset, network.graph, context.store, threads=context.threads)["pooled"]
    fitted = HEADS["linear"].fit(context, found)
    rows = context.split.rows("validation")
    vectors = context.store.read(found.kind, [found.digests[row] for row in rows])
    probabilities, labels = row_probabilities(fitted.head, vectors), context.dataset.labels[rows]
    return float(log_loss(labels, probabilities)), float(np.mean(probabilities.argmax(axis=1) == labels))


def _tuned(context: RunContext, network: Network, variant: Variant) -> tuple[float, float]:
    assert variant.fine_tune is not None
    with tempfile.TemporaryDirectory() as folder:
        fitted = train_network(context, network, variant.fine_tune, folder=Path(folder))
    kept = next(record for record in fitted.history if isinstance(record, EpochRecord) and record.kept)
    return kept.val_cross_entropy, kept.val_accuracy


def _read(path: Path) -> list[dict[str, Any]]:
    return json.loads(path.read_text()) if path.is_file() else []


if __name__ == "__main__":
    main()
