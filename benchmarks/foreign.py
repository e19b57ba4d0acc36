"""A model trained on one source, scored at home and on another source, before and after what might help.

    foreign.py FIRST SECOND --workspace DIR --out FILE [--variants plain,crop,…] [--fine-tune half] [--seeds 0,1]

FIRST and SECOND are imported data sets with the same two class names, from two sources that share no scan. Training is
on one alone (its grouped split: train, validation, calibration), scoring on its test part and on ALL scans of the
other; then the other way round. A variant is ``plain`` or steps joined by ``+``:

- ``strip``: a rough brain mask, everything outside black;
- ``crop``: the square around the head (``--crop brain``);
- ``even``: grey levels of the head divided by a smooth field, black outside;
- ``standard``: grey, 10th and 90th percentile of the head moved to fixed grey levels, black outside;
- ``nyul``: grey levels moved to landmarks (Nyúl and Udupa, Magn. Reson. Med. 42 (1999) 1072-1081), learnt on the
  training part at home alone;
- ``artefacts``: augmentation with contrast, bias field and noise; of a frozen network one such view of each training
  scan is added, a fine-tuned one (whose ``plain`` has mild augmentation already) draws them in its recipe;
- ``synthetic``: 400 synthetic scans (``data synthesize``) added to the training part.

Figures have 95 % intervals over clusters; each variant is set against ``plain``, a fine-tuned ``plain`` against the
frozen one, on the same scans with clusters drawn together.

What this can and cannot say. A choice among variants ought to be made by an inner leave-one-source-out and judged on a
source that had no part in it. With two sources leaving one out leaves one: within it no source can be left out, and
training on several is impossible. Parts of a source that share copies (Br35H and the four-class set that holds much of
it) are no sources: an inner choice between them would reward recognising copies. So nothing is chosen here: all
variants are reported in both directions, and which is best abroad was seen on the very scans it is reported on.

What is in the results file is not computed again.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from foreign_copies import HomeScans, Variant, foreign_scans, home_scans
from foreign_models import Answers, Training, ask_fine_tuned, ask_frozen
from measuring import machine
from scoring import Scans, differences, figures, words
from tumorlens.datasets import Dataset, load_dataset
from tumorlens.types import Labels
from tumorlens.workflows.splits import prepare_split
from tumorlens.workspace import Workspace, atomic_path, write_json

_VARIANTS = (
    "plain,crop,standard,crop+standard,strip+crop,strip+crop+standard,synthetic,strip+crop+standard+synthetic,"
    "artefacts,strip+crop+standard+artefacts,crop+nyul,crop+standard+artefacts,crop+standard+synthetic"
)
_VIEWS = 1
_CAVEAT = (
    "Two sources: no inner leave-one-source-out and no training on several sources is possible, so nothing is chosen. "
    "Parts of one source that share copies are no sources. Figures of the best variant abroad are optimistic."
)


class _Bench:
    """Both sources, the way of training, and what is known already."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.workspace = Workspace.locate(arguments.workspace)
        self.sources = {name: load_dataset(self.workspace, name) for name in (arguments.first, arguments.second)}
        first, second = self.sources.values()
        if first.classes != second.classes or first.positive_class is None:
            raise SystemExit(f"Expected the same two classes, got {first.classes} and {second.classes}.")
        if set(first.digests) & set(second.digests):
            raise SystemExit("The data sets share scans: they are no two sources.")
        changes = () if arguments.epochs is None else (("epochs", arguments.epochs),)
        self.frozen = Training(arguments.backbone, arguments.size, 0, arguments.threads)
        self.wanted = replace(self.frozen, fine_tune=arguments.fine_tune, changes=changes)
        self.out: Path = arguments.out
        self.results: dict[str, Any] = {}
        if self.out.exists():
            document = json.loads(self.out.read_text())
            if (document["backbone"], document["size"]) != (arguments.backbone, arguments.size):
                raise SystemExit(f"{self.out} is of another network or size: give another file.")
            if {name: facts["digest"] for name, facts in document["sources"].items()} != self.digests:
                raise SystemExit(
                    f"{self.out} is of other scans under these names: give another file, and another workspace, as the "
                    "changed copies of those scans lie in this one."
                )
            self.results = document["results"]

    @property
    def digests(self) -> dict[str, str]:
        """Manifest digest of each source."""
        return {name: source.digest for name, source in self.sources.items()}

    def measure(self, variant: Variant, home: str, *, seed: int) -> None:
        """Train, ask and score, unless that was done."""
        training = replace(self.wanted, seed=seed)
        key = self.key(variant, home, training)
        if key in self.results:
            return
        answers, own, abroad = self.ask(variant, home, training)
        entry: dict[str, Any] = {
            "home": figures(own, answers.home),
            "abroad": figures(abroad, answers.abroad),
            "against": None,
        }
        before = self._before(variant, training)
        if before is not None:
            plain, _, _ = self.ask(Variant(()), home, before)
            entry["against"] = self.key(Variant(()), home, before)
            entry["change_home"] = differences(own, answers.home, plain.home)
            entry["change_abroad"] = differences(abroad, answers.abroad, plain.abroad)
        self.results[key] = entry
        self.save()

    def key(self, variant: Variant, home: str, training: Training) -> str:
        """The name of a result."""
        other = next(name for name in self.sources if name != home)
        how = f"fine-tuned {training.fine_tune}" if training.fine_tune else "frozen"
        changes = "".join(f" {name}={value}" for name, value in training.changes)
        return f"{how}{changes} | {variant.name} | {home} to {other} | seed {training.seed}"

    def _before(self, variant: Variant, training: Training) -> Training | None:
        """What a variant is set against: ``plain`` trained alike, and a fine-tuned ``plain`` against the frozen one."""
        if variant.steps:
            return training
        return replace(self.frozen, seed=training.seed) if training.fine_tune else None

    def ask(self, variant: Variant, home: str, training: Training) -> tuple[Answers, Scans, Scans]:
        """Probabilities of test part and other source, kept in the workspace, with what they are scored by."""
        source = self.sources[home]
        other = next(each for name, each in self.sources.items() if name != home)
        split = prepare_split(source, protocol="grouped", seed=training.seed)
        test = split.rows("test")
        folder = self.workspace.root / "foreign" / f"{training.backbone}-{training.size}"
        kept = folder / f"{_file_name(self.key(variant, home, training))}.npz"
        if kept.exists():
            with np.load(kept) as arrays:
                answers = Answers(arrays["home"], arrays["abroad"])
        else:
            views = 0 if training.fine_tune else _VIEWS
            scans = home_scans(self.workspace, source, split, variant, views=views)
            foreign = foreign_scans(self.workspace, other, variant, home=source, home_split=split)
            answers = self._train(variant, scans, foreign, training)
            folder.mkdir(parents=True, exist_ok=True)
            with atomic_path(kept) as temporary, temporary.open("wb") as file:
                np.savez(file, home=answers.home, abroad=answers.abroad)
        positive = source.classes.index(str(source.positive_class))
        own = Scans(source.labels[test], source.groups[test], positive)
        return answers, own, Scans(other.labels, other.groups, positive)

    def _train(self, variant: Variant, scans: HomeScans, foreign: Dataset, training: Training) -> Answers:
        if not training.fine_tune:
            return ask_frozen(self.workspace, scans, foreign, training)
        augmentation = "artefacts" if "artefacts" in variant.steps else "plain"
        return ask_fine_tuned(self.workspace, scans, foreign, training, augmentation=augmentation)

    def save(self) -> None:
        """Write the results file, whole or not at all."""
        write_json(
            self.out,
            {
                "backbone": self.frozen.backbone,
                "size": self.frozen.size,
                "caveat": _CAVEAT,
                "sources": {name: _facts(dataset) for name, dataset in self.sources.items()},
                "machine": machine(),
                "results": dict(sorted(self.results.items())),
            },
        )


def main() -> None:
    """Measure what is missing, write it down, print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("first")
    parser.add_argument("second")
    parser.add_argument("--workspace", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="results file, added to")
    parser.add_argument("--variants", default=_VARIANTS)
    parser.add_argument("--fine-tune", default="", help="last, half, full or a stage; default: frozen, a linear head")
    parser.add_argument("--epochs", type=int, help="of fine-tuning; default: those of the recipe")
    parser.add_argument("--backbone", default="efficientnet-lite0")
    parser.add_argument("--size", type=int, default=240)
    parser.add_argument("--seeds", default="0", help="of split and fit")
    parser.add_argument("--threads", type=int)
    arguments = parser.parse_args()
    variants = [Variant.parse(words) for words in arguments.variants.split(",")]
    bench = _Bench(arguments)
    for seed in (int(word) for word in arguments.seeds.split(",")):
        for variant in variants:
            for home in bench.sources:
                bench.measure(variant, home, seed=seed)
    print_table(bench.results)
    print(f"\n{_CAVEAT}")


def print_table(results: dict[str, Any]) -> None:
    """All results as a Markdown table."""
    titles = ["training, variant, direction", "home: ROC AUC", "accuracy"]
    titles += ["abroad: ROC AUC", "accuracy", "log loss", "change of ROC AUC"]
    print(f"| {' | '.join(titles)} |\n|{' --- |' * len(titles)}")
    for key, entry in results.items():
        change = words(entry["change_abroad"]["roc_auc"], signed=True) if entry["against"] else ""
        shown = [
            *(words(entry["home"][name]) for name in ("roc_auc", "accuracy")),
            *(words(entry["abroad"][name]) for name in ("roc_auc", "accuracy", "log_loss")),
            change,
        ]
        print(f"| {key.replace(' | ', ', ')} | {' | '.join(shown)} |")


def _facts(dataset: Dataset) -> dict[str, Any]:
    labels: Labels = dataset.labels
    commonest = float(np.bincount(labels).max() / len(labels))
    return {
        "digest": dataset.digest,
        "scans": len(dataset),
        "clusters": len(np.unique(dataset.groups)),
        "commonest_class": round(commonest, 4),
    }


def _file_name(key: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in key)


if __name__ == "__main__":
    main()
