"""``tumorlens compare``: pretrained networks side by side on one data set."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

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

__all__ = ["compare"]


def compare(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Data set to compare on.")],
    backbones: Annotated[
        str, typer.Option(help="Networks, separated by commas (tumorlens backbones list).")
    ] = "efficientnet-lite0",
    protocol: Annotated[
        str, typer.Option(help="grouped (fair), or study (the original study's split: leaky).")
    ] = "grouped",
    head: Annotated[str, typer.Option(help="Classifier on top, several by commas: linear, mlp, study.")] = "linear",
    fine_tune: FineTuneOption = None,
    views: ViewsOption = None,
    augment: AugmentOption = None,
    epochs: EpochsOption = None,
    recipe: RecipeOption = None,
    from_scratch: Annotated[
        bool,
        typer.Option("--from-scratch", help="Also train a small CNN from scratch (needs the extra train)."),
    ] = False,
    weights: Annotated[
        list[str] | None,
        typer.Option(
            "--weights",
            help="imagenet, random, FILE or BACKBONE=FILE; may be repeated [default: imagenet].",
        ),
    ] = None,
    weights_dir: WeightsDirOption = None,
    size: Annotated[int, typer.Option(min=32, max=1024, help="Side of the networks' square input, pixels.")] = 240,
    crop: CropOption = "auto",
    harmonise: HarmoniseOption = False,
    seed: Annotated[int, typer.Option(min=0, help="Seed of split, heads and bootstrap.")] = 0,
    split_file: Annotated[
        Path | None, typer.Option("--split", help="Split file (tumorlens data split --write).")
    ] = None,
    refit: Annotated[bool, typer.Option("--refit", help="Fit again even where the same run is finished.")] = False,
    sensitivity: SensitivityOption = None,
    specificity: SpecificityOption = None,
    cost: CostOption = None,
    carry_neighbours: CarryNeighboursOption = False,
    precision: PrecisionOption = "fp32",
    mlflow: MlflowOption = None,
    mistake: Annotated[
        str | None,
        typer.Option(
            "--break",
            help="For teaching: also make a mistake on purpose, marked as one: split, scaling or duplicates.",
        ),
    ] = None,
    folds: Annotated[
        int | None,
        typer.Option(
            min=2, help="Cross-validate in so many folds instead of one split: every scan is tested, no model is made."
        ),
    ] = None,
    repeats: Annotated[
        int | None, typer.Option(min=1, help="How often --folds divides the scans anew [default: 3].")
    ] = None,
    workspace: WorkspaceOption = None,
    threads: ThreadsOption = None,
    quiet: QuietOption = False,
    json: JsonOption = False,
) -> None:
    """Compare pretrained networks on a data set, with intervals, baselines, a report and the best model."""
    from tumorlens.cli.output import print_comparison, print_cross_validation, print_json, print_not_logged
    from tumorlens.evaluation import parse_wish
    from tumorlens.workflows.compare import CompareSettings, compare_networks
    from tumorlens.workflows.cross_validation import cross_validate, with_folds

    settings = settings_from(context, workspace=workspace, threads=threads, quiet=quiet, json=json)
    tuning, scratch = training_from(
        fine_tune, from_scratch=from_scratch, views=views, augment=augment, epochs=epochs, recipe=recipe
    )
    wanted = CompareSettings(
        backbones=split_list(backbones),
        protocol=protocol,
        heads=split_list(head),
        fine_tune=tuning,
        from_scratch=scratch,
        weights=tuple(weights or ("imagenet",)),
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
        mistake=mistake,
    )
    place: dict[str, Any] = {
        "workspace": settings.workspace.create(),
        "threads": settings.threads,
        "progress": settings.progress,
    }
    if folds is not None or repeats is not None:
        crossed = cross_validate(name, with_folds(wanted, folds, repeats), **place)
        print_json(crossed.to_json()) if settings.json else print_cross_validation(crossed)
        return
    result = compare_networks(name, wanted, **place)
    print_json(result.to_json()) if settings.json else print_comparison(result)
    print_not_logged(result)


def split_list(words: str) -> tuple[str, ...]:
    """The words between commas, without blanks and repeats."""
    return tuple(dict.fromkeys(word.strip() for word in words.split(",") if word.strip()))
