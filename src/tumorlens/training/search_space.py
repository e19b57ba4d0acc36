"""What a search may choose from, what a trial of it was, and the words for both. Chooses nothing itself."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from tumorlens.training.recipe import Recipe

__all__ = [
    "AS_STORED",
    "BRAIN",
    "FROZEN",
    "PARAMETER_WORDS",
    "TUNED",
    "LogRange",
    "Place",
    "Space",
    "Stage",
    "Trial",
    "all_choices",
    "best_trial",
    "default_tuned",
    "frozen_space",
    "recipe_of",
    "trial_parts",
    "trial_words",
    "tuned_space",
    "views_of",
]

Stage = Literal["frozen", "fine-tuned"]
State = Literal["finished", "pruned", "stopped", "failed"]

FROZEN: Stage = "frozen"
"""Heads on cached features of a frozen network: seconds a trial once features are there."""

TUNED: Stage = "fine-tuned"
"""Upper layers of the network are trained further: minutes a trial."""

AS_STORED, BRAIN = "stored", "brain"
"""Scans as they were imported, or cut to the square around the head."""

SEARCHED_HEADS = ("linear", "mlp")

PARAMETER_WORDS: Mapping[str, str] = {
    "backbone": "network",
    "size": "input size",
    "crop": "crop",
    "head": "head",
    "place": "network, size and crop",
    "stage": "stage",
    "augmentation": "augmentation",
    "views": "views",
    "learning_rate": "learning rate",
    "mixup": "mixup",
    "label_smoothing": "label smoothing",
    "epochs": "epochs",
}
"""What each parameter is called."""

_RATES = (1e-4, 2e-3)
_OF_RECIPE = ("learning_rate", "mixup", "label_smoothing", "epochs")


@dataclass(frozen=True)
class LogRange:
    """A number between two others, by its logarithm."""

    low: float
    high: float


Space = Mapping[str, Sequence[Any] | LogRange]
"""By parameter, the values to choose from, or a range."""


@dataclass(frozen=True, order=True)
class Place:
    """What features are of.

    Attributes:
        backbone: Name of the network.
        size: Side of its square input, pixels.
        crop: :data:`AS_STORED` or :data:`BRAIN`.
    """

    backbone: str
    size: int
    crop: str

    @property
    def key(self) -> str:
        """One word for all three."""
        return f"{self.backbone}/{self.size}/{self.crop}"

    @property
    def words(self) -> str:
        """For a person."""
        return f"{self.backbone}, {self.size} px" + (", around the brain" if self.crop == BRAIN else "")

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> Place:
        """That of a trial's parameters."""
        if "place" in params:
            backbone, size, crop = str(params["place"]).split("/")
            return cls(backbone, int(size), crop)
        return cls(params["backbone"], int(params["size"]), params["crop"])


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One configuration that was tried, judged on the validation part alone.

    Attributes:
        stage: :data:`FROZEN` or :data:`TUNED`.
        params: Its parameters.
        state: ``finished``; ``pruned`` (worse than others at the same epoch), ``stopped`` (the time was over) or
            ``failed``.
        loss: Validation log loss, nats; ``None`` where it did not finish.
        epochs: Validation loss after each epoch, where it was trained.
        seconds: What it took.
        at: Seconds since the search began when it ended; pauses are not counted.
        facts: Measured on the way: vectors ``computed``, ``feature_seconds``, ``head_seconds``.
        reason: Why it did not finish; empty where it did.
    """

    stage: Stage
    params: Mapping[str, Any]
    state: State
    loss: float | None
    seconds: float
    at: float
    epochs: tuple[float, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""


def frozen_space(backbones: Sequence[str], sizes: Sequence[int], crops: Sequence[str]) -> Space:
    """What trials on cached features choose from."""
    return {"backbone": tuple(backbones), "size": tuple(sizes), "crop": tuple(crops), "head": SEARCHED_HEADS}


def tuned_space(places: Sequence[Place]) -> Space:
    """What trials that fine-tune choose from, at the best few places of the first stage."""
    return {
        "place": tuple(place.key for place in places),
        "stage": ("last", "half"),
        "augmentation": ("none", "plain", "artefacts"),
        "views": (1, 3),
        "learning_rate": LogRange(*_RATES),
        "mixup": (0.0, 0.2),
        "label_smoothing": (0.0, 0.05),
        "epochs": (4, 8, 12),
    }


def default_tuned(place: Place) -> dict[str, Any]:
    """The settings of fine-tuning that stand without a search, at ``place``."""
    recipe = Recipe().facts()
    settings = {"place": place.key, "stage": "half", "augmentation": "plain", "views": 3}
    return settings | {name: recipe[name] for name in _OF_RECIPE}


def recipe_of(params: Mapping[str, Any]) -> Recipe:
    """How a trial's network is trained; learning rates have two digits."""
    values = {name: params[name] for name in _OF_RECIPE}
    return Recipe().changed(values | {"learning_rate": float(f"{params['learning_rate']:.1e}")})


def views_of(params: Mapping[str, Any]) -> int:
    """Cached augmented views of each training scan."""
    return 0 if params["augmentation"] == "none" else int(params["views"])


def all_choices(space: Space) -> Iterator[dict[str, Any]] | None:
    """Every combination; ``None`` where there is no end of them."""
    values: list[Sequence[Any]] = []
    for choices in space.values():
        if isinstance(choices, LogRange):
            return None
        values.append(choices)
    return (dict(zip(space, combination, strict=True)) for combination in itertools.product(*values))


def trial_words(params: Mapping[str, Any]) -> str:
    """A configuration in a line."""
    return ", ".join(filter(None, trial_parts(params)))


def trial_parts(params: Mapping[str, Any]) -> tuple[str, str]:
    """A configuration in two short lines: what it is; and how it is trained, which is empty for heads."""
    place = Place.of(params)
    if "head" in params:
        return f"{place.words}, {'MLP' if params['head'] == 'mlp' else params['head']} head", ""
    recipe, views = recipe_of(params), views_of(params)
    augmented = f"{views} {params['augmentation']} view{'' if views == 1 else 's'}" if views else "no views"
    return (
        f"{place.words}, fine-tuned ({params['stage']})",
        f"{augmented}, rate {recipe.learning_rate:g}, mixup {recipe.mixup:g}, smoothing {recipe.label_smoothing:g}, "
        f"{recipe.epochs} epochs",
    )


def best_trial(trials: Sequence[Trial], stage: Stage | None = None) -> Trial | None:
    """The finished trial with the lowest validation loss, the first of equals; of one stage, or of both."""
    finished = [trial for trial in trials if trial.loss is not None and stage in (None, trial.stage)]
    return min(finished, key=lambda trial: trial.loss or 0.0, default=None)
