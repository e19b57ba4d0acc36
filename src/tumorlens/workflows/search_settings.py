"""What a search is asked for, and what of it must stay the same while it goes on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tumorlens.backbones import BackboneSpec, Weights, find_backbone
from tumorlens.datasets import Dataset, Split
from tumorlens.errors import InputError
from tumorlens.extras import has_extra, require_extra
from tumorlens.progress import Progress
from tumorlens.training import Plan
from tumorlens.training.search_space import AS_STORED
from tumorlens.workflows.backbone_facts import list_backbones
from tumorlens.workflows.compare import CompareSettings, find_weights

__all__ = ["DEFAULT_BUDGET", "DEFAULT_SIZES", "SearchSettings", "as_begun", "search_options", "search_weights"]
__all__ += ["shown_options"]

DEFAULT_BUDGET = 30 * 60
"""Seconds of a search for which neither time nor trials are given."""

DEFAULT_SIZES = (160, 240, 320)
"""Sides of the networks' input that are tried, pixels."""

_DEFAULT_BACKBONE, _DEFAULT_SIZE = "efficientnet-lite0", 240


@dataclass(frozen=True, kw_only=True)
class SearchSettings:
    """What is searched over, and for how long.

    Attributes:
        budget: Seconds in all, the last step included as far as it can be known; ``None`` with ``trials``.
        trials: Number of trials instead.
        backbones: Names of networks; ``None``: EfficientNet-Lite0, those whose weights are at hand, and those that
            ``weights`` names.
        sizes: Sides of the networks' square input in pixels. The default configuration has 240, or the nearest.
        crop: Whether scans cut around the head are tried too.
        fine_tune: Whether networks are fine-tuned; ``None``: where the extra ``train`` is installed.
        weights: ``imagenet``, ``random``, a file for the only network, or ``BACKBONE=FILE``.
        weights_dir: Folder with weight files under Keras' names.
        seed: Seed of split, trials, heads and bootstrap.
        split_file: A split to use instead of making one.
    """

    budget: int | None = None
    trials: int | None = None
    backbones: tuple[str, ...] | None = None
    sizes: tuple[int, ...] = DEFAULT_SIZES
    crop: bool = True
    fine_tune: bool | None = None
    weights: tuple[str, ...] = ("imagenet",)
    weights_dir: Path | None = None
    seed: int = 0
    split_file: Path | None = None

    def plan(self) -> Plan:
        """How time or trials are divided.

        Raises:
            InputError: Both are given, or too few trials.
            MissingExtraError: Fine-tuning is asked for and TensorFlow is not installed.
        """
        if self.budget is not None and self.trials is not None:
            raise InputError("Expected --budget or --trials, got both: leave one out.")
        if self.trials is not None and self.trials < 1:
            raise InputError(f"Expected --trials 1 or more, got {self.trials}.")
        if self.fine_tune:
            require_extra("train", purpose="Fine-tuning")
        fine_tunes = has_extra("train") if self.fine_tune is None else self.fine_tune
        return Plan(self.seconds, self.trials, fine_tunes)

    @property
    def seconds(self) -> float | None:
        """The time, by default where nothing is given; ``None`` with ``trials``."""
        return None if self.trials is not None else float(self.budget or DEFAULT_BUDGET)

    def default(self, backbones: tuple[str, ...]) -> dict[str, Any]:
        """The configuration that stands without a search."""
        backbone = _DEFAULT_BACKBONE if _DEFAULT_BACKBONE in backbones else backbones[0]
        size = min(self.sizes, key=lambda size: abs(size - _DEFAULT_SIZE))
        return {"backbone": backbone, "size": size, "crop": AS_STORED, "head": "linear"}


def as_begun(settings: SearchSettings, noted: Mapping[str, Any] | None) -> SearchSettings:
    """Settings whose defaults are those that a search was begun with, whatever is at hand by now.

    Args:
        settings: As given now.
        noted: From :func:`search_options` at the beginning; ``None``: it is not begun.
    """
    if noted is None:
        return settings
    backbones = tuple(noted["backbones"]) if settings.backbones is None else settings.backbones
    fine_tune = noted["fine_tuning"] if settings.fine_tune is None else settings.fine_tune
    return replace(settings, backbones=backbones, fine_tune=fine_tune)


def shown_options(settings: SearchSettings, noted: Mapping[str, Any]) -> dict[str, Any]:
    """What a command must have in common with a finished search to be shown it; weights need not be there any more."""
    known = noted["backbones"]
    return {
        "backbones": {name: known.get(name) for name in settings.backbones or known},
        "sizes": list(settings.sizes),
        "crop": settings.crop,
        "fine_tuning": settings.fine_tune,
    }


def search_weights(settings: SearchSettings, progress: Progress) -> dict[str, tuple[BackboneSpec, Weights]]:
    """Networks and their weights, EfficientNet-Lite0 first where none are named.

    Raises:
        InputError: There are none, or weights are named for a network that is not there.
        WeightsUnavailableError: Weights are neither on disk nor to be downloaded.
    """
    names = settings.backbones
    if names is None:
        at_hand = [str(row["name"]) for row in list_backbones(settings.weights_dir) if row["weights_at_hand"]]
        named = [word.partition("=")[0] for word in settings.weights if "=" in word]
        names = tuple(dict.fromkeys([_DEFAULT_BACKBONE, *at_hand, *named]))
    if not names:
        raise InputError("Expected at least one network after --backbones: tumorlens backbones list names them.")
    if not settings.sizes:
        raise InputError("Expected at least one size after --sizes, such as 160,240.")
    specs = [find_backbone(name) for name in names]
    words = CompareSettings(backbones=names, weights=settings.weights, weights_dir=settings.weights_dir)
    return {spec.name: (spec, found) for spec, found in zip(specs, find_weights(specs, words, progress), strict=True)}


def search_options(
    settings: SearchSettings,
    plan: Plan,
    scans: Dataset,
    split: Split,
    weights: Mapping[str, tuple[BackboneSpec, Weights]],
) -> dict[str, Any]:
    """What must stay the same for trials of one search to belong together."""
    return {
        "dataset": scans.name,
        "manifest_digest": scans.digest,
        "split_digest": split.digest,
        "seed": settings.seed,
        "backbones": {name: found.sha256 for name, (_, found) in weights.items()},
        "sizes": list(settings.sizes),
        "crop": settings.crop,
        "fine_tuning": plan.fine_tunes,
        "version_of_tumorlens": version("tumorlens"),
    }
