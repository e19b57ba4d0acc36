"""Options of fine-tuning and of the CNN from scratch that ``train`` and ``compare`` share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from tumorlens.workflows.fine_tune import FineTuneSettings
    from tumorlens.workflows.scratch import ScratchSettings

__all__ = ["AugmentOption", "EpochsOption", "FineTuneOption", "RecipeOption", "ViewsOption", "training_from"]

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
    typer.Option(
        help="What augmented views are like: plain, artefacts or none, for --fine-tune and --from-scratch "
        "[default: plain]."
    ),
]
EpochsOption = Annotated[
    int | None,
    typer.Option(min=1, help="Passes over the training scans, for --fine-tune and --from-scratch [default: 8 and 30]."),
]
RecipeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--recipe",
        metavar="NAME=VALUE",
        help="Another setting of --fine-tune and --from-scratch, such as learning_rate=1e-4; may be repeated "
        "(docs/models.md).",
    ),
]


def training_from(
    fine_tune: str | None,
    *,
    from_scratch: bool,
    views: int | None,
    augment: str | None,
    epochs: int | None,
    recipe: list[str] | None,
) -> tuple[FineTuneSettings | None, ScratchSettings | None]:
    """The settings of fine-tuning and of the CNN from scratch; ``None`` for what is not asked for.

    Raises:
        InputError: An option of training stands without what it is for, or a setting is wrong.
    """
    from tumorlens.errors import InputError
    from tumorlens.training import SCRATCH_RECIPE, Recipe
    from tumorlens.workflows.fine_tune import FineTuneSettings
    from tumorlens.workflows.scratch import ScratchSettings
    from tumorlens.workflows.training_settings import parse_recipe

    if fine_tune is None and views is not None:
        raise InputError("--views is for fine-tuning: give --fine-tune half too, or leave it out.")
    given = {"--augment": augment, "--epochs": epochs, "--recipe": recipe}
    if fine_tune is None and not from_scratch:
        for option, value in given.items():
            if value is not None:
                raise InputError(f"{option} is for training: give --fine-tune half or --from-scratch, or leave it out.")
    words, changes, augmentation = recipe or [], {"epochs": epochs}, augment or "plain"
    tuning = scratch = None
    if fine_tune is not None:
        tuning = FineTuneSettings(
            fine_tune=fine_tune,
            views=FineTuneSettings.views if views is None else views,
            augmentation=augmentation,
            recipe=parse_recipe(words, changes, start=Recipe()),
        )
    if from_scratch:
        scratch = ScratchSettings(augmentation=augmentation, recipe=parse_recipe(words, changes, start=SCRATCH_RECIPE))
    return tuning, scratch
