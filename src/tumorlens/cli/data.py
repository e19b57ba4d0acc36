"""``tumorlens data``: bring scans in, look at them, split them, make synthetic ones."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tumorlens.cli import audit
from tumorlens.cli.options import HarmoniseOption, JsonOption, QuietOption, WorkspaceOption, settings_from

if TYPE_CHECKING:
    from tumorlens.workspace import Workspace

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Import, look at, split and make data sets.")

app.command("audit", short_help="What is wrong with a data set.")(audit.audit)
app.command("relabel", short_help="Read corrected labels back.")(audit.relabel)

_NAME = Annotated[str, typer.Argument(metavar="NAME", help="Name of a data set.")]


@app.command("import")
def import_(
    context: typer.Context,
    source: Annotated[
        Path,
        typer.Argument(help="Folder of pictures, DICOM files or NIfTI volumes, a .zip of one, or an .npz file."),
    ],
    name: Annotated[str, typer.Option("--name", help="What to call the data set.")],
    labels: Annotated[Path | None, typer.Option("--labels", help="CSV with image names and labels.")] = None,
    image_column: Annotated[str | None, typer.Option(help="Its column of image names [default: guessed].")] = None,
    label_column: Annotated[str | None, typer.Option(help="Its column of labels [default: guessed].")] = None,
    group_column: Annotated[str | None, typer.Option(help="Its column of patients.")] = None,
    group_pattern: Annotated[
        str | None,
        typer.Option(help="Regular expression whose one group finds the patient in a file's relative path."),
    ] = None,
    rename: Annotated[
        list[str] | None,
        typer.Option("--rename", help="OLD=NEW: another name for a label; may be repeated."),
    ] = None,
    keep_column: Annotated[
        list[str] | None,
        typer.Option("--keep-column", help="A further CSV column to keep; may be repeated."),
    ] = None,
    window: Annotated[
        str,
        typer.Option(help="Grey levels of DICOM and NIfTI: percentiles (of the series), dicom, dicom:2, or LOW,HIGH."),
    ] = "percentiles",
    plane: Annotated[str, typer.Option(help="Plane of DICOM and NIfTI: axial, coronal or sagittal.")] = "axial",
    series: Annotated[
        str, typer.Option(help="DICOM series to read: words of its description, or modality=MR,description=flair.")
    ] = "",
    crop: Annotated[str, typer.Option(help="brain: cut every scan to the square around the head.")] = "none",
    harmonise: HarmoniseOption = False,
    mask_pattern: Annotated[
        str | None,
        typer.Option(help='Lesion mask beside each NIfTI image, such as "{stem}_seg.nii.gz"; labels every slice.'),
    ] = None,
    mask_labels: Annotated[
        str | None, typer.Option(help="Mask values that mean tumour, by commas [default: all above 0].")
    ] = None,
    min_lesion_mm2: Annotated[
        float, typer.Option("--min-lesion-mm2", help="Tumour area in mm2 from which on a slice counts as tumour.")
    ] = 30.0,
    layout: Annotated[str | None, typer.Option(help="brats: a BraTS folder, labels from its masks.")] = None,
    sequence: Annotated[str, typer.Option(help="Which sequence of a BraTS folder: flair, t1, t1ce, t2.")] = "flair",
    drop_conflicts: Annotated[
        bool,
        typer.Option("--drop-conflicts", help="Leave out scans that carry two labels instead of stopping."),
    ] = False,
    skip_unreadable: Annotated[
        bool, typer.Option("--skip-unreadable", help="Leave out files that cannot be read instead of stopping.")
    ] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Replace a data set of the same name.")] = False,
    synthetic: Annotated[bool, typer.Option("--synthetic", help="Mark every result as synthetic.")] = False,
    workspace: WorkspaceOption = None,
    quiet: QuietOption = False,
    json: JsonOption = False,
) -> None:
    """Bring labelled scans into the workspace: class folders, a folder with a CSV, volumes with masks, or an .npz."""
    from tumorlens.cli.output import print_json, print_next
    from tumorlens.datasets import import_scans
    from tumorlens.workflows.dataset_facts import describe_dataset, import_lines, read_renames
    from tumorlens.workflows.reading_options import mask_options, reading_options

    settings = settings_from(context, workspace=workspace, quiet=quiet, json=json)
    result = import_scans(
        source,
        workspace=settings.workspace.create(),
        name=name,
        labels=labels,
        image_column=image_column,
        label_column=label_column,
        group_column=group_column,
        group_pattern=group_pattern,
        class_names=read_renames(rename or []),
        keep_columns=tuple(keep_column or ()),
        drop_conflicts=drop_conflicts,
        skip_unreadable=skip_unreadable,
        replace=replace,
        synthetic=synthetic,
        reading=reading_options(window=window, plane=plane, series=series, crop=crop, harmonise=harmonise),
        masks=mask_options(
            pattern=mask_pattern,
            labels=mask_labels,
            min_lesion_mm2=min_lesion_mm2,
            layout=layout,
            sequence=sequence,
        ),
        progress=settings.progress,
    )
    if settings.json:
        print_json(describe_dataset(result.dataset))
        return
    for line in import_lines(result):
        typer.echo(line)
    print_next(f"tumorlens compare {name} --backbones efficientnet-lite0")


@app.command("list")
def list_(
    context: typer.Context,
    workspace: WorkspaceOption = None,
    quiet: QuietOption = False,
    json: JsonOption = False,
) -> None:
    """List the data sets of the workspace."""
    from tumorlens.cli.output import print_json
    from tumorlens.workflows.dataset_facts import summarise_datasets

    settings = settings_from(context, workspace=workspace, quiet=quiet, json=json)
    rows = summarise_datasets(settings.workspace)
    if settings.json:
        print_json(rows)
        return
    for row in rows:
        typer.echo(
            f"{row['name']}: {row['scans']} scans, {row['groups']} {row['groups_are']}, {', '.join(row['classes'])}"
        )
    if not rows:
        typer.echo("No data sets yet.")
        typer.echo("Next:  tumorlens data import FOLDER --name NAME")


@app.command("show")
def show(
    context: typer.Context,
    name: _NAME,
    workspace: WorkspaceOption = None,
    quiet: QuietOption = False,
    json: JsonOption = False,
) -> None:
    """Show what a data set holds, with the short data check."""
    from tumorlens.cli.output import print_json
    from tumorlens.datasets import load_dataset
    from tumorlens.workflows.dataset_facts import dataset_lines, describe_dataset

    settings = settings_from(context, workspace=workspace, quiet=quiet, json=json)
    dataset = load_dataset(settings.workspace, name)
    if settings.json:
        print_json(describe_dataset(dataset))
        return
    for line in dataset_lines(dataset):
        typer.echo(line)


@app.command("split")
def split(
    context: typer.Context,
    name: _NAME,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the assignment.")] = 0,
    read: Annotated[Path | None, typer.Option("--read", help="Check and take over a split file.")] = None,
    write: Annotated[Path | None, typer.Option("--write", help="Write the split to a file.")] = None,
    protocol: Annotated[str, typer.Option(help="grouped, or study (leaky: for comparison only).")] = "grouped",
    workspace: WorkspaceOption = None,
    quiet: QuietOption = False,
    json: JsonOption = False,
) -> None:
    """Split a data set by group into train, validation, calibration and test."""
    from tumorlens.cli.output import print_json, print_next
    from tumorlens.datasets import load_dataset, save_split
    from tumorlens.workflows.splits import describe_split, prepare_split, split_lines

    settings = settings_from(context, workspace=workspace, quiet=quiet, json=json)
    dataset = load_dataset(settings.workspace, name)
    chosen = prepare_split(dataset, protocol=protocol, seed=seed, split_file=read)
    if write is not None:
        save_split(chosen, write)
    if settings.json:
        print_json(describe_split(dataset, chosen))
        return
    for line in split_lines(dataset, chosen):
        typer.echo(line)
    print_next(f"tumorlens compare {name} --backbones efficientnet-lite0")


@app.command("folds")
def folds(
    context: typer.Context,
    name: _NAME,
    out: Annotated[Path, typer.Option("--out", help="New folder for one split file a fold.")],
    protocol: Annotated[
        str,
        typer.Option(
            help="clusters, strict (coarser groups; scans like a test scan left out) or control (as many at random)."
        ),
    ] = "clusters",
    number: Annotated[int, typer.Option("--folds", min=2, help="Number of folds.")] = 5,
    groups: Annotated[int, typer.Option("--groups", min=8, help="Coarser groups of strict and control.")] = 240,
    above: Annotated[
        float, typer.Option(min=0.5, max=1.0, help="Thumbnail correlation above which a scan is like a test scan.")
    ] = 0.95,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the assignment.")] = 0,
    workspace: WorkspaceOption = None,
    quiet: QuietOption = False,
    json: JsonOption = False,
) -> None:
    """Write the splits of a cross-validation, each with train, validation, calibration and test part."""
    from tumorlens.cli.output import print_json, print_next
    from tumorlens.datasets import load_dataset
    from tumorlens.workflows.fold_splits import fold_lines, make_fold_splits, write_fold_splits

    settings = settings_from(context, workspace=workspace, quiet=quiet, json=json)
    dataset = load_dataset(settings.workspace, name)
    found = make_fold_splits(dataset, protocol=protocol, folds=number, seed=seed, groups=groups, above=above)
    paths = write_fold_splits(dataset, found, out)
    if settings.json:
        print_json(found.to_json(dataset))
        return
    for line in fold_lines(dataset, found):
        typer.echo(line)
    print_next(f"tumorlens train {name} --backbone efficientnet-lite0 --split {paths[0]}")


@app.command("synthesize")
def synthesize(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Folder to make; must not exist yet.")],
    patients: Annotated[int, typer.Option(help="Virtual patients.")] = 40,
    slices: Annotated[int, typer.Option("--slices", help="Slices a patient.")] = 10,
    spacing_mm: Annotated[float, typer.Option(help="Distance between slices in mm.")] = 5.0,
    tumor_share: Annotated[float, typer.Option(help="Share of patients with a tumour, 0..1.")] = 0.5,
    deformation_mm: Annotated[
        tuple[float, float],
        typer.Option(help="Smallest and largest size of the deformation in mm."),
    ] = (2.0, 4.5),
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same bytes.")] = 0,
    shortcut: Annotated[
        bool,
        typer.Option("--shortcut", help="Plant a confound on purpose, for tests and teaching."),
    ] = False,
    scaling: Annotated[
        str, typer.Option(help="Grey levels: window, or slice-maximum (makes brightness a shortcut).")
    ] = "window",
    import_as: Annotated[str | None, typer.Option("--import-as", help="Also import it under this name.")] = None,
    workspace: WorkspaceOption = None,
    quiet: QuietOption = False,
    json: JsonOption = False,
) -> None:
    """Make synthetic scans of virtual patients, with exact tumour masks."""
    from tumorlens.cli.output import print_json, print_next
    from tumorlens.datasets.synthesis import SynthesisSettings
    from tumorlens.workflows.synthesis import read_scaling, synthesize_scans

    settings = settings_from(context, workspace=workspace, quiet=quiet, json=json)
    wanted = SynthesisSettings(
        patients=patients,
        slices_each=slices,
        spacing_mm=spacing_mm,
        tumor_share=tumor_share,
        deformation_mm=deformation_mm,
        seed=seed,
        shortcut=shortcut,
        scaling=read_scaling(scaling),
    )
    facts = synthesize_scans(
        folder,
        wanted,
        workspace=settings.workspace,
        import_as=import_as,
        progress=settings.progress,
    )
    if settings.json:
        print_json(facts)
        return
    typer.echo(f"{facts['scans']} synthetic scans of {patients} virtual patients: {folder}")
    typer.echo(f"Contact sheet: {facts['contact_sheet']}")
    print_next(
        f"tumorlens compare {import_as} --backbones efficientnet-lite0"
        if import_as
        else f"tumorlens data import {folder}/images --labels {folder}/labels.csv --group-column patient_id "
        f"--name NAME --synthetic"
    )


@app.command("remove")
def remove(
    context: typer.Context,
    name: _NAME,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    workspace: WorkspaceOption = None,
    quiet: QuietOption = False,
) -> None:
    """Remove a data set, and copies made from it, from the workspace; the source files stay."""
    from tumorlens.datasets import copies_made_from, remove_dataset

    settings = settings_from(context, workspace=workspace, quiet=quiet)
    scans = _scan_count(settings.workspace, name)
    copies = "".join(f" and its copy {copy}" for copy in copies_made_from(settings.workspace, name))
    if not yes:
        typer.confirm(f"Remove {name} ({scans}){copies} from the workspace?", abort=True)
    removed = remove_dataset(settings.workspace, name)
    typer.echo(f"Removed {' and '.join(removed)}; the source files were not touched.")


def _scan_count(workspace: Workspace, name: str) -> str:
    """How many scans there are, in words; a damaged data set can be removed too."""
    from tumorlens.datasets import load_dataset
    from tumorlens.errors import IntegrityError

    try:
        return f"{len(load_dataset(workspace, name))} scans"
    except IntegrityError:
        return "damaged"
