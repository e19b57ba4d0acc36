"""Ways to train that ``fine_tune_folds.py`` and ``recipes.py`` set against each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

from foreign_copies import Variant as Steps
from foreign_copies import home_scans
from tumorlens.backbones import find_backbone, resolve_weights
from tumorlens.cli.progress import RichProgress
from tumorlens.datasets import load_dataset, residual_neighbours
from tumorlens.features import FeatureStore
from tumorlens.runtime.graph_cache import facts_digest
from tumorlens.training import Recipe
from tumorlens.workflows.context import RunContext
from tumorlens.workflows.fine_tune import FineTuneSettings
from tumorlens.workflows.fit import Network, prepare_network
from tumorlens.workflows.prepared_scans import CUT, Scans, prepared_scans
from tumorlens.workspace import Workspace

__all__ = ["MIXES", "VARIANTS", "Variant", "stand"]

_LOOP = "latest epoch within one standard error"
"""What no setting says and results depend on; to be changed with the loop."""


@dataclass(frozen=True)
class Variant:
    """One way to train.

    Attributes:
        backbone: The network.
        fine_tune: How it is fine-tuned; ``None``: a linear head on frozen features.
        crop: Whether scans are cut around the head first, as ``--crop brain`` does.
        size: Side of the network's input, pixels.
        steps: What else is done to scans, as ``foreign.py`` names it, such as ``crop+standard``; empty: nothing.
        added: Name of a data set whose scans are added to the training part; empty: none.
        test_views: Over how many fixed views of a test scan probabilities are averaged, as by ``evaluate --views``.
    """

    backbone: str
    fine_tune: FineTuneSettings | None
    crop: bool = False
    size: int = 240
    steps: str = ""
    added: str = ""
    test_views: int = 1

    @property
    def digest(self) -> str:
        """Of all settings."""
        facts = None if self.fine_tune is None else self.fine_tune.facts()
        pixels = {"crop": "brain" if self.crop else "", "steps": self.steps, "added": self.added}
        pixels["test_views"] = str(self.test_views) if self.test_views > 1 else ""
        pixels = {name: value for name, value in pixels.items() if value}
        base = {"backbone": self.backbone, "size": self.size, "fine_tune": facts, "loop": _LOOP}
        return facts_digest(base | pixels)[:12]


_LITE = "efficientnet-lite0"


def _lite(recipe: Mapping[str, float] | None = None, **settings: object) -> Variant:
    changed = Recipe().changed(recipe or {})
    return Variant(_LITE, FineTuneSettings(recipe=changed, **settings))  # type: ignore[arg-type]


_HALF = _lite()
_CROP = replace(_HALF, crop=True)


VARIANTS: Mapping[str, Variant] = {
    "frozen": Variant(_LITE, None),
    "frozen crop": Variant(_LITE, None, crop=True),
    "half": _HALF,
    "half crop": _CROP,
    "last": replace(_lite(fine_tune="last"), crop=True),
    "no views": replace(_lite(augmentation="none"), crop=True),
    "artefacts": replace(_lite(augmentation="artefacts"), crop=True),
    "no mixup": replace(_lite({"mixup": 0.0, "label_smoothing": 0.0}), crop=True),
    "16 epochs": replace(_lite({"epochs": 16}), crop=True),
    "rate 1e-3": replace(_lite({"learning_rate": 1e-3}), crop=True),
    "longer": replace(_lite({"epochs": 16}, views=7), crop=True),
    "two views": replace(_CROP, test_views=2),
    "deeper": replace(_lite(fine_tune="block3"), crop=True),
    "size 288": replace(_CROP, size=288),
    "standard": replace(_HALF, steps="crop+standard"),
    "even": replace(_HALF, steps="crop+even"),
    "strip": replace(_HALF, steps="strip+crop+standard"),
    "synthetic": replace(_HALF, steps="crop+synthetic"),
    "other source": replace(_HALF, steps="crop", added="abroad"),
    "vgg16 frozen": Variant("vgg16", None),
    "vgg16 last": Variant("vgg16", FineTuneSettings(fine_tune="last"), crop=True),
}
"""``half crop``: the defaults. Those after it differ from it in what their names say; ``standard``, ``even`` and
``strip`` are done after the crop.
"""

MIXES: Mapping[str, tuple[str, ...]] = {
    "half, half crop": ("half", "half crop"),
    "half crop, frozen": ("half crop", "frozen"),
}
"""Means of the probabilities of several variants with the same seed."""


@contextmanager
def stand(
    variant: Variant, scans: Scans, *, seed: int, workspace: Workspace, weights: str, threads: int | None
) -> Iterator[tuple[RunContext, Network]]:
    """Everything a variant is trained with; the feature store is open inside the context.

    Args:
        variant: The way to train.
        scans: As stored, with their split.
        seed: Seed of the training.
        workspace: Where copies, features and runs are kept.
        weights: ``imagenet`` or a file.
        threads: CPU threads; ``None``: all.
    """
    spec, progress = find_backbone(variant.backbone), RichProgress()
    dataset, split = scans.dataset, scans.split
    if variant.crop:
        cropped = prepared_scans(scans, CUT, workspace=workspace, progress=progress)
        dataset, split = cropped.dataset, cropped.split
    if variant.steps:
        added = load_dataset(workspace, variant.added) if variant.added else None
        changed = home_scans(workspace, dataset, split, Steps.parse(variant.steps), added=added)
        dataset, split = changed.dataset, changed.split
    resolved = resolve_weights(spec, weights=weights, weights_dir=None)
    network = prepare_network(spec, resolved, size=variant.size, workspace=workspace, progress=progress)
    with FeatureStore(workspace.features) as store:
        yield (
            RunContext(
                workspace=workspace,
                dataset=dataset,
                split=split,
                neighbours=residual_neighbours(dataset, split),
                store=store,
                size=variant.size,
                seed=seed,
                threads=threads,
                refit=False,
                progress=progress,
            ),
            network,
        )
