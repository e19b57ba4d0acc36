"""How a network is fine-tuned: every setting, with defaults that need no tuning. Knows nothing about networks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from tumorlens.errors import InputError

__all__ = ["Recipe"]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    r"""Settings of training by AdamW (Loshchilov, Hutter, ICLR 2019, arXiv 1711.05101) with warm-up and cosine decay.

    Attributes:
        epochs: Passes over the training scans at most; the learning rate reaches its end with the last one.
        batch_size: Scans a step.
        learning_rate: Largest learning rate of the last stage.
        head_rate: Factor for the classifier's learning rate.
        stage_decay: Factor from each stage to the one below (discriminative rates: Howard, Ruder, ACL 2018, arXiv
            1801.06146).
        warm_up: Share of all steps in which the rate rises from zero.
        weight_decay: Of kernels; biases and normalisations have none.
        label_smoothing: Share of the target spread over all classes (Szegedy et al., CVPR 2016, arXiv 1512.00567).
        mixup: Parameter alpha of mixing scans in pairs, 0: none (Zhang et al., ICLR 2018, arXiv 1710.09412). Behind
            frozen layers it is their outputs that are mixed.
        cutout: Probability that a square of a third of the side is blanked (DeVries, Taylor, 2017, arXiv 1708.04552).
        class_weights: ``balanced``: each class counts the same; ``none``: each scan does.
        average: Decay of the exponential moving average of weights that is scored and kept; 0: the weights themselves.
        clip: Largest norm of all gradients together; 0: no limit.
        patience: Epochs after the one that would be kept before training stops; 0: never.
        batch_norm: ``inference``: pretrained statistics stay; ``train``: they are those of each batch.
    """

    epochs: int = 8
    batch_size: int = 32
    learning_rate: float = 5e-4
    head_rate: float = 1.0
    stage_decay: float = 0.8
    warm_up: float = 0.1
    weight_decay: float = 0.05
    label_smoothing: float = 0.05
    mixup: float = 0.2
    cutout: float = 0.0
    class_weights: Literal["none", "balanced"] = "none"
    average: float = 0.99
    clip: float = 1.0
    patience: int = 4
    batch_norm: Literal["inference", "train"] = "inference"

    def __post_init__(self) -> None:
        """Raise where a setting is outside its range.

        Raises:
            InputError: Says which, what was expected and what came.
        """
        for name, (low, high) in _RANGES.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise InputError(f"Expected {name.replace('_', ' ')} in {low:g}..{high:g}, got {value:g}.")
        for name, words in _WORDS.items():
            if getattr(self, name) not in words:
                chosen = getattr(self, name)
                raise InputError(f"Expected {' or '.join(words)} for {name.replace('_', ' ')}, got {chosen!r}.")

    def changed(self, changes: Mapping[str, Any]) -> Recipe:
        """The recipe with other values where ``changes`` has one that is not ``None``."""
        return replace(self, **{name: value for name, value in changes.items() if value is not None})

    def facts(self) -> dict[str, Any]:
        """All settings as JSON and TOML values."""
        return asdict(self)


_RANGES: Mapping[str, tuple[float, float]] = {
    "epochs": (1, 1000),
    "batch_size": (1, 1024),
    "learning_rate": (1e-8, 1.0),
    "head_rate": (0.0, 1000.0),
    "stage_decay": (0.01, 1.0),
    "warm_up": (0.0, 0.9),
    "weight_decay": (0.0, 10.0),
    "label_smoothing": (0.0, 0.9),
    "mixup": (0.0, 10.0),
    "cutout": (0.0, 1.0),
    "average": (0.0, 0.99999),
    "clip": (0.0, 1e6),
    "patience": (0, 1000),
}

_WORDS: Mapping[str, tuple[str, ...]] = {
    "class_weights": ("none", "balanced"),
    "batch_norm": ("inference", "train"),
}
