"""Which pixels networks are given: scans as stored, or their copy, cut around the head or harmonised, split alike."""

from __future__ import annotations

from dataclasses import dataclass

from tumorlens.datasets import Dataset, Split, check_split, find_prepared_copies, prepare_dataset, save_split
from tumorlens.datasets.split import make_split
from tumorlens.errors import InputError
from tumorlens.progress import Progress
from tumorlens.scans import AS_READ, PixelSteps, reading_of
from tumorlens.workspace import Workspace

__all__ = [
    "CROPS",
    "CUT",
    "HARMONISED",
    "Scans",
    "check_crop",
    "choose_scans",
    "choose_steps",
    "own_scans",
    "prepared_scans",
    "steps_done",
]

CROPS = ("auto", "brain", "none")
"""What ``--crop`` may be; ``auto``: around the head where networks are fine-tuned, as stored for heads alone."""

CUT = PixelSteps("brain")
HARMONISED = PixelSteps("brain", harmonise=True)


@dataclass(frozen=True)
class Scans:
    """A data set with its split.

    Attributes:
        dataset: As stored, or a copy whose scans went through further steps.
        split: Which part each row belongs to.
        original_split: Of a copy, the digest of the split as it was made for the scans as stored; else empty.
    """

    dataset: Dataset
    split: Split
    original_split: str = ""


def check_crop(crop: str, *, harmonise: bool = False) -> None:
    """Raise where a crop is unknown, or does not go with harmonising.

    Raises:
        InputError: Says what was expected.
    """
    if crop not in CROPS:
        raise InputError(f"Expected --crop {', '.join(CROPS[:-1])} or {CROPS[-1]}, got {crop!r}.")
    if harmonise and crop == "none":
        raise InputError("--harmonise cuts scans around the head too: leave out --crop none, or leave out --harmonise.")


def steps_done(dataset: Dataset) -> PixelSteps:
    """What was done to the scans after reading when they were imported."""
    return reading_of(dataset.scan_steps).pixel_steps


def choose_steps(dataset: Dataset, *, crop: str, harmonise: bool, fine_tunes: bool) -> PixelSteps:
    """What is still to be done to a data set's scans; false: nothing.

    Args:
        dataset: As it was imported.
        crop: One of :data:`CROPS`.
        harmonise: Whether scans are harmonised, which includes the crop.
        fine_tunes: Whether networks are fine-tuned, which decides what ``auto`` means.

    Raises:
        InputError: Scans were imported with a crop, before which they would have had to be harmonised.
    """
    done = steps_done(dataset)
    if harmonise:
        if done and not done.harmonise:
            raise InputError(
                f"{dataset.name!r} was imported with {done.options}, but --harmonise strips the skull before that: "
                "import the scans without it, or with --harmonise."
            )
        return AS_READ if done else HARMONISED
    return AS_READ if done or crop == "none" or (crop == "auto" and not fine_tunes) else CUT


def choose_scans(
    stored: Scans, *, crop: str, harmonise: bool, fine_tunes: bool, workspace: Workspace, progress: Progress
) -> Scans:
    """The scans that networks are given, all networks of a command the same ones.

    Args:
        stored: The data set with its split.
        crop: One of :data:`CROPS`.
        harmonise: Whether scans are harmonised.
        fine_tunes: Whether networks are fine-tuned.
        workspace: Where the copy is made or found.
        progress: Told of every scan, and where ``auto`` cannot have its copy.

    Raises:
        InputError: The copy is asked for and cannot be made.
    """
    steps = choose_steps(stored.dataset, crop=crop, harmonise=harmonise, fine_tunes=fine_tunes)
    if not steps:
        return stored
    try:
        return prepared_scans(stored, steps, workspace=workspace, progress=progress)
    except InputError as error:
        if harmonise or crop == "brain":
            raise
        progress.say(f"Scans are used as stored, not cut around the head. {error}")
        return stored


def prepared_scans(stored: Scans, steps: PixelSteps, *, workspace: Workspace, progress: Progress) -> Scans:
    """The copy of scans that went through steps, with the same split row by row.

    Raises:
        InputError: The copy cannot be made; see :func:`~tumorlens.datasets.prepare_dataset`.
    """
    copy = prepare_dataset(workspace, stored.dataset, steps, progress=progress)
    same = make_split(
        stored.split.parts,
        pixel_digests=copy.digests,
        protocol=stored.split.protocol,
        seed=stored.split.seed,
        groups_are=stored.split.groups_are,
    )
    check_split(copy, same)
    kept = copy.splits / f"{same.protocol}-{same.digest[:12]}.json"
    if not kept.exists():
        save_split(same, kept)
    return Scans(copy, same, original_split=stored.split.digest)


def own_scans(dataset: Dataset, *, manifest_digest: str, workspace: Workspace) -> Dataset:
    """The copy of a data set that a model was trained on, if it was, and else the data set.

    Args:
        dataset: What a command was given.
        manifest_digest: Of the data set that the model was trained on.
        workspace: Where the copy would lie.
    """
    copies = find_prepared_copies(workspace, dataset)
    return next((copy for copy in copies if copy.digest == manifest_digest), dataset)
