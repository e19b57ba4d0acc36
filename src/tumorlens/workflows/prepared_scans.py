"""Which pixels networks are given: scans as stored, or their copy, cut around the head or harmonised, split alike."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tumorlens.datasets import Dataset, Split, check_split, prepare_dataset, save_split
from tumorlens.datasets.original import original_split_digest
from tumorlens.datasets.split import make_split
from tumorlens.errors import InputError
from tumorlens.progress import Progress
from tumorlens.scans import AS_READ, CUT, HARMONISED, PixelSteps, reading_of
from tumorlens.workspace import Workspace

__all__ = [
    "CROPS",
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


@dataclass(frozen=True)
class Scans:
    """A data set with its split.

    Attributes:
        dataset: As stored, or a copy whose scans went through further steps.
        split: Which part each row belongs to.
        note: What must be said of the choice; empty: nothing.
    """

    dataset: Dataset
    split: Split
    note: str = ""

    @property
    def original_split(self) -> str:
        """Of a copy, the digest of the same split of the scans as they were; else empty."""
        return original_split_digest(self.dataset, self.split)


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
        InputError: Scans were imported with a crop, before which they would have had to be harmonised, or which is not
            wanted.
    """
    done = steps_done(dataset)
    if crop == "none" and done:
        raise InputError(
            f"{dataset.name!r} holds scans with {done.options}, which cannot be undone: leave out --crop none, or name "
            "the scans as they were."
        )
    if harmonise:
        if done and not done.harmonise:
            raise InputError(
                f"{dataset.name!r} holds scans with {done.options}, but --harmonise strips the skull before that: name "
                "the scans as they were, or import them again."
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
        note = f"Scans are used as stored, not cut around the head. {error}"
        progress.say(note)
        return replace(stored, note=note)


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
    return Scans(copy, same)


def own_scans(
    dataset: Dataset, *, manifest_digest: str, scan_steps: tuple[str, ...], workspace: Workspace, progress: Progress
) -> Dataset:
    """The copy of a data set that a model was trained on, if it was, and else the data set.

    A copy that is not there any more is made again: its digest tells whether it was the model's.

    Args:
        dataset: What a command was given.
        manifest_digest: Of the data set that the model was trained on.
        scan_steps: Those of the model.
        workspace: Where the copy lies or goes.
        progress: Told of every scan.
    """
    if dataset.digest == manifest_digest:
        return dataset
    for steps in (CUT, HARMONISED):
        if scan_steps == (*dataset.scan_steps, *steps.words) and not steps_done(dataset):
            try:
                copy = prepare_dataset(workspace, dataset, steps, progress=progress)
            except InputError:  # the name is another data set's, or there can be no copy: then it never was the model's
                return dataset
            return copy if copy.digest == manifest_digest else dataset
    return dataset
