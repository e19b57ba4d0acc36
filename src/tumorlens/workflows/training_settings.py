"""What fine-tuning and the CNN from scratch are both told: how scans are augmented, and the recipe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tumorlens.errors import InputError
from tumorlens.features import AUGMENTATIONS, ViewSettings
from tumorlens.training import Recipe

__all__ = ["TrainingSettings", "parse_recipe"]


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """How a network is trained.

    Attributes:
        augmentation: What views of a scan are like, by name; ``none``: no views.
        recipe: How it is trained.
    """

    augmentation: str = "plain"
    recipe: Recipe

    def __post_init__(self) -> None:
        """Raise where a setting is unknown.

        Raises:
            InputError: Says what was expected.
        """
        known = (*AUGMENTATIONS, "none")
        if self.augmentation not in known:
            raise InputError(f"Expected --augment {', '.join(known)}, got {self.augmentation!r}.")

    @property
    def view_settings(self) -> ViewSettings | None:
        """How far views may go; ``None``: no views."""
        return AUGMENTATIONS.get(self.augmentation)

    def facts(self) -> dict[str, Any]:
        """All settings as JSON values."""
        return {"augmentation": self.augmentation, "recipe": self.recipe.facts()}


def parse_recipe(words: list[str], changes: Mapping[str, Any], *, start: Recipe) -> Recipe:
    """A recipe with other values.

    Args:
        words: ``NAME=VALUE``, with the names of :class:`~tumorlens.training.Recipe`.
        changes: Values by name; ``None``: as it is.
        start: What is changed.

    Raises:
        InputError: A name is unknown, or a value is no number or outside its range.
    """
    given: dict[str, Any] = {name: value for name, value in changes.items() if value is not None}
    defaults = start.facts()
    for word in words:
        name, equals, text = word.partition("=")
        name = name.strip().replace("-", "_")
        if not equals or name not in defaults:
            raise InputError(f"Expected --recipe NAME=VALUE with a name among {', '.join(defaults)}, got {word!r}.")
        try:
            given[name] = type(defaults[name])(text.strip())
        except ValueError as error:
            kind = "a whole number" if isinstance(defaults[name], int) else "a number"
            raise InputError(f"Expected {kind} for {name}, got {text!r}.") from error
    return start.changed(given)
