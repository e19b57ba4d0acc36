"""Scans for setting an export against its bundle: held out of training, of several sizes, and never the test part.

Two programs are compared and no label is read, so the test part stays closed and the ledger counts nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from tumorlens.bundles.exporting.parity import FEWEST_SCANS
from tumorlens.datasets import Dataset, list_datasets, load_dataset
from tumorlens.datasets.synthesis import SynthesisSettings, virtual_patient
from tumorlens.errors import InputError, NotFoundError
from tumorlens.progress import SILENT, Progress
from tumorlens.scans import Scan, prepare_scan, quiet_decoding, reading_of, scan_units
from tumorlens.types import Pixels
from tumorlens.workflows.evaluation_model import EvaluatedModel
from tumorlens.workflows.evaluation_steps import compare_steps
from tumorlens.workflows.prepared_scans import own_scans
from tumorlens.workspace import Workspace

__all__ = ["HELD_OUT_PARTS", "ParityScans", "parity_scans"]

HELD_OUT_PARTS = ("calibration", "validation")
"""Parts of the run's own data set that heads were not fitted on, in the order in which they are used."""

_MOST = 48
_SIZES = (48, 64, 100, 160)  # of synthetic scans, pixels
_SLICES_EACH = 6
_SEED = 20240229


@dataclass(frozen=True, eq=False)
class ParityScans:
    """The scans.

    Attributes:
        scans: ``(h, w, 3)`` uint8 each, as the graph is given them; at least 32.
        facts: Where they are from: ``source`` in words, how many are ``given`` and ``synthetic``, and how many were
            ``trimmed`` so that several sizes are met.
    """

    scans: tuple[Pixels, ...]
    facts: dict[str, Any]


def parity_scans(
    model: EvaluatedModel, given: str | None, *, workspace: Workspace, progress: Progress = SILENT
) -> ParityScans:
    """Choose the scans: those given, else the run's calibration and validation part, else synthetic ones.

    Where there are fewer than 32, synthetic ones make up the rest.

    Args:
        model: The bundle, with its run where that is at hand.
        given: Name of a data set, or a file or folder of scans.
        workspace: Where data sets lie.
        progress: Told where a copy of the scans is to be made again.

    Raises:
        NotFoundError: There is no such data set or folder.
        InputError: The scans do not fit the model.
    """
    found, source = _given(model, given, workspace, progress) if given is not None else _own(model, workspace)
    trimmed = _trimmed(found)
    missing = max(FEWEST_SCANS - len(found), 0)
    made = _synthetic(model.card.scan_steps, missing)
    words = [f"{len(found)} scans: {source}"] if found else []
    words += [f"{missing} synthetic scans"] if missing else []
    facts = {
        "source": "; ".join(words),
        "given": len(found),
        "synthetic": missing,
        "trimmed": sum(one.shape != other.shape for one, other in zip(found, trimmed, strict=True)),
    }
    return ParityScans((*trimmed, *made), facts)


def _own(model: EvaluatedModel, workspace: Workspace) -> tuple[list[Pixels], str]:
    if model.run is None:
        return [], ""
    try:
        dataset = load_dataset(workspace, str(model.run.config["run"]["dataset"]))
    except NotFoundError:
        return [], ""
    if not model.trained_on(dataset):
        return [], ""
    table = model.predictions()
    chosen: dict[str, list[str]] = {}
    for part in HELD_OUT_PARTS:
        if sum(map(len, chosen.values())) < FEWEST_SCANS:
            digests = table.loc[table["part"] == part, "pixel_digest"].unique().tolist()
            chosen[part] = _spread(digests, _MOST - sum(map(len, chosen.values())))
    wanted = list(dict.fromkeys(digest for digests in chosen.values() for digest in digests))
    parts = " and ".join(f"{part} ({len(digests)})" for part, digests in chosen.items() if digests)
    return _stored(model, dataset, wanted), f"of the data set {dataset.name!r}, parts {parts}, no label read"


def _given(model: EvaluatedModel, words: str, workspace: Workspace, progress: Progress) -> tuple[list[Pixels], str]:
    if Path(words).exists() and words not in {record.name for record in list_datasets(workspace)}:
        return _from_files(model, Path(words)), "given as files"
    dataset = own_scans(
        load_dataset(workspace, words),
        manifest_digest=model.card.manifest_digest,
        scan_steps=model.card.scan_steps,
        workspace=workspace,
        progress=progress,
    )
    if model.trained_on(dataset):
        return _own(model, workspace)
    seen = model.seen() or frozenset()
    digests = [digest for digest in np.unique(dataset.digests).tolist() if digest not in seen]
    if not digests:
        raise InputError(f"The model was made with all scans of {dataset.name!r}: give others, or leave --scans out.")
    return _stored(model, dataset, _spread(digests, _MOST)), f"of the data set {dataset.name!r}, those not trained with"


def _stored(model: EvaluatedModel, dataset: Dataset, digests: Sequence[str]) -> list[Pixels]:
    steps = compare_steps(model.card.scan_steps, dataset.scan_steps)
    with dataset.open_pixels() as store:
        return [steps.apply(store.get(digest)) for digest in digests]


def _from_files(model: EvaluatedModel, path: Path) -> list[Pixels]:
    with quiet_decoding():
        units = scan_units([path], reading_of(model.card.scan_steps)).units
        read = (item for unit in units for item in unit.read())
        found = [item.pixels for item in islice((item for item in read if isinstance(item, Scan)), _MOST)]
    if not found:
        raise InputError(f"None of the scans in {path} can be read: give others, or leave --scans out.")
    return found


def _spread(names: Sequence[str], most: int) -> list[str]:
    """At most so many, at even distances."""
    if len(names) <= most:
        return list(names)
    return [names[place] for place in np.linspace(0, len(names) - 1, max(most, 0)).round().astype(int)]


def _trimmed(scans: Sequence[Pixels]) -> list[Pixels]:
    """Scans that are all of one size lose lines at the right and the bottom, every second and third, to vary it."""
    if len({scan.shape for scan in scans}) != 1:
        return list(scans)
    height, width = scans[0].shape[:2]
    cuts = [(0, 0), (height // 8, 0), (height // 16, width // 8)]
    return [
        np.ascontiguousarray(scan[: height - down, : width - across])
        for scan, (down, across) in zip(scans, (cuts[place % 3] for place in range(len(scans))), strict=True)
    ]


def _synthetic(scan_steps: tuple[str, ...], count: int) -> tuple[Pixels, ...]:
    """Seeded synthetic scans of four sizes, after the model's steps."""
    steps = reading_of(scan_steps).pixel_steps
    scans = (Scan(pixels, "synthetic", "RGB", "synthetic") for pixels in islice(_slices(), count))
    return tuple(prepare_scan(scan, steps).pixels for scan in scans)


def _slices() -> Iterator[Pixels]:
    per_size = -(-FEWEST_SCANS // len(_SIZES))
    patients = -(-per_size // _SLICES_EACH)
    made = []
    for size in _SIZES:
        settings = SynthesisSettings(patients=max(patients, 2), slices_each=_SLICES_EACH, size=size, seed=_SEED)
        slices = [each for patient in range(patients) for each in virtual_patient(settings, patient).slices]
        made.append([np.repeat(each.pixels[:, :, None], 3, axis=2) for each in slices[:per_size]])
    for together in zip(*made, strict=True):
        yield from together
