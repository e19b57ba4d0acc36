"""``tumorlens train``: one network or a CNN from scratch on one data set."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tumorlens.cli.fine_tune_options import (
    AugmentOption,
    EpochsOption,
    FineTuneOption,
    RecipeOption,
    ViewsOption,
    training_from,
)
from tumorlens.cli.options import (
    CarryNeighboursOption,
    CostOption,
    CropOption,
    HarmoniseOption,
    JsonOption,
    MlflowOption,
    PrecisionOption,
    QuietOption,
    SensitivityOption,
    SpecificityOption,
    ThreadsOption,
    WeightsDirOption,
    WorkspaceOption,
    settings_from,
)

__all__ = ["train"]


def train(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Data set to train on.")],
    backbone: Annotated[str | None, typer.Option(help="Network (tumorlens backbones list).")] = None,
    head: Annotated[str | None, typer.Option(help="Classifier on top: linear, mlp or study [default: linear].")] = None,
    fine_tune: FineTuneOption = None,
    views: ViewsOption = None,
    augment: AugmentOption = None,
    epochs: EpochsOption = None,
    recipe: RecipeOption = None,
    from_scratch: Annotated[
        bool,
        typer.Option("--from-scratch", help="A small CNN from scratch instead (needs the extra train)."),
    ] = False,
    protocol: Annotated[str, typer.Option(help="grouped, or study (leaky: for comparison only).")] = "grouped",
    weights: Annotated[str, typer.Option(help="imagenet, random or FILE.")] = "imagenet",
    weights_dir: WeightsDirOption = None,
    size: Annotated[int, typer.Option(min=32, max=1024, help="Side of the network's square input, pixels.")] = 240,
    crop: CropOption = "auto",
    harmonise: HarmoniseOption = False,
    seed: Annotated[int, typer.Option(min=0, help="Seed of split, head and bootstrap.")] = 0,
    split_file: Annotated[Path | None, typer.Option("--split", help="Split file.")] = None,
    refit: Annotated[bool, typer.Option("--refit", help="Fit again even where the same run is finished.")] = False,
    sensitivity: SensitivityOption = None,
    specificity: SpecificityOption = None,
    cost: CostOption = None,
    carry_neighbours: CarryNeighboursOption = False,
    precision: PrecisionOption = "fp32",
    mlflow: MlflowOption = None,
    workspace: WorkspaceOption = None,
    threads: ThreadsOption = None,
    quiet: QuietOption = False,
    json: JsonOption = False,
) -> None:
    """Train one model; its run folder holds figures, predictions and the bundle."""
    from tumorlens.cli.output import print_comparison, print_json, print_not_logged
    from tumorlens.errors import InputError
    from tumorlens.evaluation import parse_wish
    from tumorlens.workflows.compare import CompareSettings, compare_networks

    if from_scratch == (backbone is not None):
        raise InputError("Expected either --backbone B or --from-scratch: give one of the two.")
    if from_scratch and (head is not None or weights != "imagenet" or fine_tune is not None):
        raise InputError(
            "A CNN from scratch has its own head and no weights: leave out --head, --weights and --fine-tune."
        )
    if fine_tune is not None and head is not None:
        raise InputError("A fine-tuned network has its own linear head: leave out --head or --fine-tune.")
    tuning, scratch = training_from(
        fine_tune, from_scratch=from_scratch, views=views, augment=augment, epochs=epochs, recipe=recipe
    )
    settings = settings_from(context, workspace=workspace, threads=threads, quiet=quiet, json=json)
    result = compare_networks(
        name,
        CompareSettings(
            backbones=() if backbone is None else (backbone,),
            protocol=protocol,
            heads=() if tuning is not None else (head or "linear",),
            fine_tune=tuning,
            from_scratch=scratch,
            weights=(weights,),
            weights_dir=weights_dir,
            size=size,
            crop=crop,
            harmonise=harmonise,
            seed=seed,
            split_file=split_file,
            refit=refit,
            wish=parse_wish(sensitivity=sensitivity, specificity=specificity, cost=cost),
            carry_neighbours=carry_neighbours,
            precision=precision,
            mlflow=mlflow,
        ),
        workspace=settings.workspace.create(),
        threads=settings.threads,
        progress=settings.progress,
    )
    if settings.json:
        print_json(result.runs[0].answer())
    else:
        print_comparison(result)
    print_not_logged(result)
