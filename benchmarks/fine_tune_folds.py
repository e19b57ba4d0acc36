"""Fine-tuning against the frozen network, on the frozen folds of ``bohaju``.

    fine_tune_folds.py run [--variants frozen,half] [--protocols strict,clusters] [--folds 1,2] [--seeds 0,1,2]
    fine_tune_folds.py table

Every variant is trained, calibrated and scored as the product does it, and scored on a fold's test part once. Results
go to ``results/fine_tune_folds.json`` one by one; what is there is not computed again. Intervals draw the groups which
the protocol keeps whole, all five folds together, with the mean over seeds of each scan; they hold for these trainings
and do not cover what a new training would change, for which the spread between seeds stands beside.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.metrics import roc_auc_score

from fine_tune_variants import MIXES, VARIANTS, Variant, stand
from fold_results import FoldResult, FoldResults, interval, pack, pack_probabilities, right_by_row, right_of_mean
from protocols import DATASET, FOLDS, read_protocol, read_units
from tumorlens.bundles import Predictor
from tumorlens.datasets import Dataset, Split, load_dataset
from tumorlens.evaluation.metrics import log_loss
from tumorlens.workflows.fine_tune import fit_fine_tuned_run
from tumorlens.workflows.fit import fit_backbone
from tumorlens.workflows.heads import HEADS
from tumorlens.workflows.prepared_scans import Scans
from tumorlens.workflows.runs import HISTORY_FILE, RunRecord, read_predictions
from tumorlens.workspace import Workspace

_RESULTS = Path(__file__).parent / "results" / "fine_tune_folds.json"
_POSITIVE = "tumor"


def main() -> None:
    """Train, or print what there is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=("run", "table"))
    parser.add_argument("--workspace", type=Path)
    parser.add_argument("--variants", default="frozen,half")
    parser.add_argument("--protocols", default="strict,clusters")
    parser.add_argument("--folds", default="1,2,3,4,5")
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--results", type=Path, default=_RESULTS)
    parser.add_argument("--threads", type=int, help="CPU threads [default: all]")
    parser.add_argument("--weights", default="imagenet", help="imagenet or a file")
    arguments = parser.parse_args()
    workspace = Workspace.locate(arguments.workspace)
    for name in arguments.variants.split(",") if arguments.weights != "imagenet" else ():
        if VARIANTS[name].backbone == "efficientnet-lite0":
            raise SystemExit(f"{name} stands for ImageNet weights: leave out --weights.")
    dataset = load_dataset(workspace, DATASET)
    results = FoldResults(arguments.results)
    protocols = arguments.protocols.split(",")
    if arguments.action == "table":
        _print_table(dataset, results, protocols)
        return
    tasks = [
        (name, protocol, int(fold), int(seed))
        for seed in arguments.seeds.split(",")
        for protocol in protocols
        for fold in arguments.folds.split(",")
        for name in arguments.variants.split(",")
    ]
    splits = {protocol: read_protocol(dataset, protocol) for protocol in protocols}
    for name, protocol, fold, seed in tasks:
        variant = VARIANTS[name]
        if results.has((name, variant.digest, protocol, fold, seed)):
            continue
        started = time.perf_counter()
        run = _train(variant, dataset, splits[protocol][fold - 1], seed, workspace, arguments)
        test = _test_table(run, variant, workspace, arguments.threads)
        result = _result(run, test, name, protocol, fold, seed, seconds=time.perf_counter() - started)
        results.add(result)
        print(
            f"{name}, {protocol} {fold}, seed {seed}: accuracy {result.accuracy:.3f}, validation "
            f"{result.validation_accuracy:.3f}, {result.epochs} epochs, {result.seconds:.0f} s",
            flush=True,
        )


def _train(
    variant: Variant, dataset: Dataset, split: Split, seed: int, workspace: Workspace, arguments: argparse.Namespace
) -> RunRecord:
    place = Scans(dataset, split)
    with stand(
        variant, place, seed=seed, workspace=workspace, weights=arguments.weights, threads=arguments.threads
    ) as (context, network):
        if variant.fine_tune is None:
            return fit_backbone(context, network, [HEADS["linear"]])[0]
        return fit_fine_tuned_run(context, network, variant.fine_tune)


def _test_table(run: RunRecord, variant: Variant, workspace: Workspace, threads: int | None) -> pd.DataFrame:
    """What the run says of the test part, over the variant's views."""
    predictions = read_predictions(run.folder)
    test = predictions[predictions["part"] == "test"]
    if variant.test_views == 1:
        return test
    names = [str(column) for column in test if str(column).startswith("probability_")]
    classes = np.array([name.removeprefix("probability_") for name in names])
    dataset = load_dataset(workspace, str(run.config["run"]["dataset"]))
    with dataset.open_pixels() as store:
        pixels = (store.get(digest) for digest in test["pixel_digest"])
        found = Predictor(run.bundle, threads=threads).predict_many(pixels, views=variant.test_views)
    columns = {f"probability_{label}": found.probabilities[:, place] for place, label in enumerate(classes)}
    return test.assign(predicted_label=classes[found.probabilities.argmax(axis=1)], **columns)


def _result(
    run: RunRecord, test: pd.DataFrame, name: str, protocol: str, fold: int, seed: int, *, seconds: float
) -> FoldResult:
    right = (test["reference_label"] == test["predicted_label"]).to_numpy()
    labels, row = (test["reference_label"] == _POSITIVE).to_numpy(), run.row
    positive = test[f"probability_{_POSITIVE}"].to_numpy()
    assert row.val_accuracy is not None and row.val_loss is not None
    return FoldResult(
        variant=name,
        settings=VARIANTS[name].digest,
        protocol=protocol,
        fold=fold,
        seed=seed,
        accuracy=float(right.mean()),
        loss=float(log_loss(labels.astype(np.int64), np.stack([1.0 - positive, positive], axis=1))),
        roc_auc=float(roc_auc_score(labels, positive)),
        validation_accuracy=row.val_accuracy,
        validation_loss=row.val_loss,
        epochs=0 if VARIANTS[name].fine_tune is None else len(pd.read_csv(run.folder / HISTORY_FILE)),
        seconds=round(seconds, 1),
        right=pack(right),
        probabilities=pack_probabilities(positive),
    )


def _print_table(dataset: Dataset, results: FoldResults, protocols: list[str]) -> None:
    positive = dataset.labels == dataset.classes.index(_POSITIVE)
    for protocol in protocols:
        splits = read_protocol(dataset, protocol)
        test_rows = {fold: split.rows("test") for fold, split in enumerate(splits, start=1)}
        groups = read_units(protocol)
        base: dict[int, float] = {}
        for name, variant in VARIANTS.items():
            found = _whole_seeds(results.of(name, variant.digest, protocol))
            if not found:
                continue
            right = right_by_row(found, test_rows)
            base = right if name == "frozen" else base
            loss = statistics.fmean(result.loss for result in found)
            print(f"{protocol:9}{name:14} {_figures(right, base, test_rows, groups)}, loss {loss:.3f}{_spread(found)}")
            if len({result.seed for result in found}) > 1:
                mean = right_of_mean(found, test_rows, positive)
                print(f"{protocol:9}{'  mean of seeds':14} {_figures(mean, base, test_rows, groups)}")
        for name, members in MIXES.items():
            parts = [_whole_seeds(results.of(member, VARIANTS[member].digest, protocol)) for member in members]
            seeds = set.intersection(*({result.seed for result in part} for part in parts))
            if seeds:
                mixed = [result for part in parts for result in part if result.seed == min(seeds)]
                mean = right_of_mean(mixed, test_rows, positive)
                print(f"{protocol:9}{name} (seed {min(seeds)}) {_figures(mean, base, test_rows, groups)}")


def _whole_seeds(found: list[FoldResult]) -> list[FoldResult]:
    """Without seeds that have not been through all folds."""
    return [one for one in found if sum(other.seed == one.seed for other in found) == FOLDS]


def _figures(
    right: Mapping[int, float],
    base: Mapping[int, float],
    test_rows: Mapping[int, npt.NDArray[np.int64]],
    groups: npt.NDArray[np.int64],
) -> str:
    """Accuracy over all scans tested, its interval, by fold, and the difference to ``base`` on the same scans."""
    rows = np.array(sorted(right))
    values = np.array([right[row] for row in rows])
    around = interval(values, groups[rows], share=True)
    folds = [
        np.mean([right[row] for row in of_fold.tolist()])
        for of_fold in test_rows.values()
        if all(row in right for row in of_fold.tolist())
    ]
    words = f"{values.mean():.3f} ({around.low:.3f} to {around.high:.3f}), folds "
    words += " ".join(f"{fold:.3f}" for fold in folds)
    if right is base or not all(row in base for row in right):
        return words
    change = values - np.array([base[row] for row in rows])
    if not change.any():
        return f"{words}, as frozen"
    gain = interval(change, groups[rows], share=False)
    return f"{words}, against frozen {change.mean():+.3f} ({gain.low:+.3f} to {gain.high:+.3f})"


def _spread(found: list[FoldResult]) -> str:
    """The mean over folds of each seed, lowest and highest, where there are several."""
    seeds = sorted({result.seed for result in found})
    means = [statistics.fmean(result.accuracy for result in found if result.seed == seed) for seed in seeds]
    return f", seeds {min(means):.3f} to {max(means):.3f}" if len(means) > 1 else ""


if __name__ == "__main__":
    main()
