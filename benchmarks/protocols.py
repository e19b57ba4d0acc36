"""The frozen folds that all results on ``bohaju`` rest on, and how to get them as split files.

    python benchmarks/protocols.py write FOLDER     FOLDER/{clusters,strict,control}/fold-{1..5}.json, digests checked
    python benchmarks/protocols.py freeze           make them anew; refuses where they are frozen already

``benchmarks/protocols/bohaju.csv`` holds, for every scan, its pixel digest and a letter a fold: t train, v validation,
c calibration, T test, - left out. ``bohaju.json`` holds the digest of each split. They were made once, before any
result, with ``tumorlens data folds bohaju --protocol clusters|strict|control`` (seed 0), and are read from here ever
since, whatever clusters a later version infers.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd

from tumorlens.datasets import LEFT_OUT, Dataset, Split, check_split, load_dataset, save_split
from tumorlens.datasets.split import Protocol, make_split
from tumorlens.workflows.fold_splits import FOLD_PROTOCOLS, make_fold_splits, strict_units
from tumorlens.workspace import Workspace

FOLDS = 5
DATASET = "bohaju"
_FOLDER = Path(__file__).parent / "protocols"
_TABLE, _DIGESTS = _FOLDER / f"{DATASET}.csv", _FOLDER / f"{DATASET}.json"
_LETTERS = {"train": "t", "validation": "v", "calibration": "c", "test": "T", LEFT_OUT: "-"}
_PARTS = {letter: part for part, letter in _LETTERS.items()}


def read_protocol(dataset: Dataset, protocol: str) -> list[Split]:
    """The frozen splits of one protocol.

    Raises:
        SystemExit: The scans or a digest are others.
    """
    table = pd.read_csv(_TABLE, dtype=str)
    if table["pixel_digest"].tolist() != dataset.digests.tolist():
        raise SystemExit(f"The scans of {dataset.name!r} are not those the protocols were frozen for.")
    stated = json.loads(_DIGESTS.read_text())["splits"][protocol]
    kind: Protocol = "strict" if protocol == "strict" else "grouped"
    splits = []
    for fold in range(1, FOLDS + 1):
        parts = np.array([_PARTS[letter] for letter in table[f"{protocol}_{fold}"]], dtype="<U11")
        split = make_split(parts, pixel_digests=dataset.digests, protocol=kind, seed=0, groups_are=dataset.groups_are)
        if split.digest != stated[fold - 1]:
            raise SystemExit(f"Fold {fold} of {protocol} was changed: its digest is {split.digest[:12]}.")
        check_split(dataset, split)
        splits.append(split)
    return splits


def read_units(protocol: str) -> np.ndarray:
    """``(n,)`` int64: the groups a protocol keeps whole, for intervals."""
    table = pd.read_csv(_TABLE)
    return table["cluster" if protocol == "clusters" else "coarse_group"].to_numpy(np.int64)


def write_splits(dataset: Dataset, folder: Path) -> dict[str, list[Path]]:
    """Write every frozen split to a file of its own."""
    paths: dict[str, list[Path]] = {}
    for protocol in FOLD_PROTOCOLS:
        paths[protocol] = []
        for fold, split in enumerate(read_protocol(dataset, protocol), start=1):
            paths[protocol].append(folder / protocol / f"fold-{fold}.json")
            paths[protocol][-1].parent.mkdir(parents=True, exist_ok=True)
            save_split(split, paths[protocol][-1])
    return paths


def _freeze(dataset: Dataset) -> None:
    if _TABLE.exists():
        raise SystemExit(f"{_TABLE} is there: frozen protocols are not made anew.")
    clusters = np.unique(dataset.groups, return_inverse=True)[1]
    columns: dict[str, object] = {
        "row_id": np.arange(len(dataset)),
        "pixel_digest": dataset.digests,
        "cluster": clusters,
        "coarse_group": strict_units(dataset),
    }
    digests = {}
    for protocol in FOLD_PROTOCOLS:
        found = make_fold_splits(dataset, protocol=protocol, folds=FOLDS)
        digests[protocol] = [split.digest for split in found.splits]
        for fold, split in enumerate(found.splits, start=1):
            columns[f"{protocol}_{fold}"] = [_LETTERS[part] for part in split.parts]
    pd.DataFrame(columns).to_csv(_TABLE, index=False)
    facts = {"dataset": DATASET, "manifest_digest": dataset.digest, "splits": digests}
    _DIGESTS.write_text(json.dumps(facts, indent=1) + "\n")


def main() -> None:
    """Write or freeze."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=("write", "freeze"))
    parser.add_argument("folder", type=Path, nargs="?", default=Path("protocols"))
    arguments = parser.parse_args()
    dataset = load_dataset(Workspace.locate(None), DATASET)
    if arguments.action == "freeze":
        _freeze(dataset)
        return
    for protocol, paths in write_splits(dataset, arguments.folder).items():
        print(f"{protocol}: {len(paths)} split files in {paths[0].parent}")


if __name__ == "__main__":
    main()
