"""``tumorlens search``: a better configuration than the default, in a given time."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from tumorlens.cli.compare import split_list
from tumorlens.cli.options import (
    JsonOption,
    QuietOption,
    ThreadsOption,
    WeightsDirOption,
    WorkspaceOption,
    settings_from,
)

__all__ = ["search"]


def search(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Data set to search on.")],
    budget: Annotated[
        str | None, typer.Option(metavar="TIME", help="Time in all, such as 90s, 20m or 1h30m [default: 30m].")
    ] = None,
    trials: Annotated[int | None, typer.Option(min=1, help="Number of trials instead of a time.")] = None,
    backbones: Annotated[
        str | None,
        typer.Option(help="Networks, separated by commas [default: efficientnet-lite0 and all at hand]."),
    ] = None,
    sizes: Annotated[str, typer.Option(help="Sides of the networks' square input, pixels, by commas.")] = "160,240,320",
    crop: Annotated[bool, typer.Option("--crop/--no-crop", help="Also try scans cut around the head.")] = True,
    fine_tune: Annotated[
        bool | None,
        typer.Option("--fine-tune/--no-fine-tune", help="Also fine-tune [default: where it can be]."),
    ] = None,
    weights: Annotated[
        list[str] | None,
        typer.Option("--weights", help="imagenet, random, FILE or BACKBONE=FILE; may be repeated [default: imagenet]."),
    ] = None,
    weights_dir: WeightsDirOption = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of split, trials, heads and bootstrap.")] = 0,
    split_file: Annotated[Path | None, typer.Option("--split", help="Split file.")] = None,
    workspace: WorkspaceOption = None,
    threads: ThreadsOption = None,
    quiet: QuietOption = False,
    json: JsonOption = False,
) -> None:
    """Try configurations on the validation part, then set the best against the default on the test part, once."""
    from tumorlens.cli.output import print_json, print_next, print_table
    from tumorlens.reports import search_to_rich
    from tumorlens.training import parse_budget
    from tumorlens.workflows.search import search_dataset
    from tumorlens.workflows.search_settings import SearchSettings

    settings = settings_from(context, workspace=workspace, threads=threads, quiet=quiet, json=json)
    wanted = SearchSettings(
        budget=None if budget is None else parse_budget(budget),
        trials=trials,
        backbones=None if backbones is None else split_list(backbones),
        sizes=_numbers(sizes),
        crop=crop,
        fine_tune=fine_tune,
        weights=tuple(weights or ("imagenet",)),
        weights_dir=weights_dir,
        seed=seed,
        split_file=split_file,
    )
    try:
        result = search_dataset(
            name,
            wanted,
            workspace=settings.workspace.create(),
            threads=settings.threads,
            progress=settings.progress,
        )
    except KeyboardInterrupt:
        typer.echo(f"To go on:  {_command(context)}", err=True)
        raise
    if settings.json:
        print_json(result.to_json())
        return
    print_table(search_to_rich(result.record))
    typer.echo("")
    typer.echo(f"Report:     {result.report}")
    typer.echo(f"Best model: {result.run.bundle}")
    print_next(*result.next_commands)


def _numbers(words: str) -> tuple[int, ...]:
    from tumorlens.errors import InputError

    numbers = split_list(words)
    if not all(word.isascii() and word.isdigit() and 32 <= int(word) <= 1024 for word in numbers) or not numbers:
        raise InputError(f"Expected --sizes as numbers from 32 to 1024, such as 160,240, got {words!r}.")
    return tuple(int(word) for word in numbers)


def _command(context: typer.Context) -> str:
    """The same command once more, with everything that was given."""
    words = ["tumorlens", "search"]
    for parameter in context.command.params:
        value = context.params.get(parameter.name or "")
        if parameter.param_type_name == "argument":
            words.append(str(value))
        elif value is not None and value != parameter.get_default(context):
            words += _option(parameter.opts[0], parameter.secondary_opts, value)
    return shlex.join(words)


def _option(name: str, off: list[str], value: object) -> list[str]:
    if isinstance(value, bool):
        return [name] if value else off[:1]
    values = value if isinstance(value, (list, tuple)) else [value]
    return [word for one in values for word in (name, str(one))]
