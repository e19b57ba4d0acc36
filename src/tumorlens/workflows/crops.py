"""Which pixels networks are given: scans as stored, or their copy cut around the head with the same rows and split."""

from __future__ import annotations

from dataclasses import dataclass

from tumorlens.datasets import Dataset, Split, check_split, crop_dataset, find_cropped_copy, save_split
from tumorlens.datasets.split import make_split
from tumorlens.errors import InputError
from tumorlens.progress import Progress
from tumorlens.scans import reading_of
from tumorlens.workspace import Workspace

__all__ = ["CROPS", "Scans", "check_crop", "choose_scans", "cropped_scans", "is_cropped", "own_scans"]

CROPS = ("auto", "brain", "none")
"""What ``--crop`` may be; ``auto``: around the head where networks are fine-tuned, as stored for heads alone."""


@dataclass(frozen=True)
class Scans:
    """A data set with its split.

    Attributes:
        dataset: As stored, or the copy cut around the head.
        split: Which part each row belongs to.
        original_split: Of a copy, the digest of the split as it was made for the scans as stored; else empty.
    """

    dataset: Dataset
    split: Split
    original_split: str = ""


def check_crop(crop: str) -> None:
    """Raise where a crop is unknown.

    Raises:
        InputError: Says what was expected.
    """
    if crop not in CROPS:
        raise InputError(f"Expected --crop {', '.join(CROPS[:-1])} or {CROPS[-1]}, got {crop!r}.")


def is_cropped(dataset: Dataset) -> bool:
    """Whether the scans were cut around the head when they were imported."""
    return reading_of(dataset.scan_steps).crop != "none"


def choose_scans(stored: Scans, crop: str, *, fine_tunes: bool, workspace: Workspace, progress: Progress) -> Scans:
    """The scans that networks are given, all networks of a command the same ones.

    Args:
        stored: The data set with its split.
        crop: One of :data:`CROPS`.
        fine_tunes: Whether networks are fine-tuned, which decides what ``auto`` means.
        workspace: Where the copy is made or found.
        progress: Told of every scan, and where ``auto`` cannot have its copy.

    Raises:
        InputError: The copy is asked for and cannot be made.
    """
    if crop == "none" or is_cropped(stored.dataset) or (crop == "auto" and not fine_tunes):
        return stored
    try:
        return cropped_scans(stored, workspace=workspace, progress=progress)
    except InputError as error:
        if crop == "brain":
            raise
        progress.say(f"Scans are used as stored, not cut around the head. {error}")
        return stored


def cropped_scans(stored: Scans, *, workspace: Workspace, progress: Progress) -> Scans:
    """The copy of scans cut around the head, with the same split row by row.

    Raises:
        InputError: The copy cannot be made; see :func:`~tumorlens.datasets.crop_dataset`.
    """
    cropped = crop_dataset(workspace, stored.dataset, progress=progress)
    same = make_split(
        stored.split.parts,
        pixel_digests=cropped.digests,
        protocol=stored.split.protocol,
        seed=stored.split.seed,
        groups_are=stored.split.groups_are,
    )
    check_split(cropped, same)
    kept = cropped.splits / f"{same.protocol}-{same.digest[:12]}.json"
    if not kept.exists():
        save_split(same, kept)
    return Scans(cropped, same, original_split=stored.split.digest)


def own_scans(dataset: Dataset, *, manifest_digest: str, workspace: Workspace) -> Dataset:
    """The copy of a data set that a model was trained on, if it was, and else the data set.

    Args:
        dataset: What a command was given.
        manifest_digest: Of the data set that the model was trained on.
        workspace: Where the copy would lie.
    """
    copy = find_cropped_copy(workspace, dataset)
    return copy if copy is not None and copy.digest == manifest_digest else dataset
