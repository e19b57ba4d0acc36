"""Options of fine-tuning that ``train`` and ``compare`` share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from tumorlens.workflows.fine_tune import FineTuneSettings

__all__ = ["AugmentOption", "EpochsOption", "FineTuneOption", "RecipeOption", "ViewsOption", "fine_tune_from"]

FineTuneOption = Annotated[
    str | None,
    typer.Option(
        metavar="STAGE",
        help="Train the network further: last, half, full, or the first stage to train (tumorlens backbones show B).",
    ),
]
ViewsOption = Annotated[
    int | None, typer.Option(help="Cached augmented views of each training scan, for --fine-tune [default: 3].")
]
AugmentOption = Annotated[
    str | None,
    typer.Option(help="What views are like: plain, artefacts or none, for --fine-tune [default: plain]."),
]
EpochsOption = Annotated[int | None, typer.Option(min=1, help="Passes over the training scans, for --fine-tune.")]
RecipeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--recipe",
        metavar="NAME=VALUE",
        help="Another setting of --fine-tune, such as learning_rate=1e-4; may be repeated (docs/models.md).",
    ),
]


def fine_tune_from(
    fine_tune: str | None,
    *,
    views: int | None,
    augment: str | None,
    epochs: int | None,
    recipe: list[str] | None,
) -> FineTuneSettings | None:
    """The settings of fine-tuning; ``None`` where ``--fine-tune`` is not given.

    Raises:
        InputError: Another option of fine-tuning stands without it, or a setting is wrong.
    """
    from tumorlens.errors import InputError
    from tumorlens.workflows.fine_tune import FineTuneSettings, parse_recipe

    given = {"--views": views, "--augment": augment, "--epochs": epochs, "--recipe": recipe}
    if fine_tune is None:
        for option, value in given.items():
            if value is not None:
                raise InputError(f"{option} is for fine-tuning: give --fine-tune half too, or leave it out.")
        return None
    defaults = FineTuneSettings()
    return FineTuneSettings(
        fine_tune=fine_tune,
        views=defaults.views if views is None else views,
        augmentation=augment or defaults.augmentation,
        recipe=parse_recipe(recipe or [], {"epochs": epochs}),
    )
