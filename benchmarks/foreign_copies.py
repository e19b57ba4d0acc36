"""Data sets for ``foreign.py``: copies with other pixels and the same labels, groups and split, or with scans added.

A copy lies in the workspace under a name that says what was done, and is not made twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from foreign_pixels import Landmarks, even_out, learn_landmarks, match_landmarks
from foreign_writing import Piece, dataset_names, find_or_write
from tumorlens.datasets import Dataset, Split, load_dataset
from tumorlens.datasets.split import make_split
from tumorlens.datasets.synthesis import SynthesisSettings
from tumorlens.features import AUGMENTATIONS, cached_view
from tumorlens.scans import apply_view
from tumorlens.scans.harmonising import standardise_levels, strip_skull
from tumorlens.scans.head_crop import crop_to_head
from tumorlens.types import Pixels
from tumorlens.workflows.synthesis import synthesize_scans
from tumorlens.workspace import Workspace

__all__ = ["STEPS", "HomeScans", "Variant", "foreign_scans", "home_scans"]

STEPS = ("strip", "crop", "even", "standard", "nyul", "artefacts", "synthetic")
"""What a variant may be made of, in this order, joined by ``+``; ``plain`` is none of it."""

_SYNTHETIC = "foreign-synthetic"
_SYNTHESIS = SynthesisSettings(patients=40, slices_each=10, seed=0)


@dataclass(frozen=True)
class Variant:
    """What is done before training.

    Attributes:
        steps: Some of :data:`STEPS`. ``artefacts`` and ``synthetic`` add to the training part alone, the others change
            the pixels of both sources.
    """

    steps: tuple[str, ...]

    @classmethod
    def parse(cls, words: str) -> Variant:
        """Read ``crop+standard`` or ``plain``; ends the program where that is none."""
        steps = () if words == "plain" else tuple(words.split("+"))
        if tuple(step for step in STEPS if step in steps) != steps or {"standard", "nyul"} <= set(steps):
            raise SystemExit(f"Expected 'plain' or some of {', '.join(STEPS)} in this order, got {words!r}.")
        return cls(steps)

    @property
    def name(self) -> str:
        """As it is parsed."""
        return "+".join(self.steps) or "plain"

    @property
    def pixel_steps(self) -> tuple[str, ...]:
        """Those that change pixels of both sources."""
        return tuple(step for step in self.steps if step not in ("artefacts", "synthetic"))


@dataclass(frozen=True, eq=False)
class HomeScans:
    """What is trained on and tested at home.

    Attributes:
        dataset: The scans; added ones come last.
        split: Its split: that of the source, added scans in the training part.
    """

    dataset: Dataset
    split: Split


def home_scans(
    workspace: Workspace,
    source: Dataset,
    split: Split,
    variant: Variant,
    *,
    views: int = 0,
    added: Dataset | None = None,
) -> HomeScans:
    """The source's scans as the variant wants them, with what it adds to the training part.

    Args:
        workspace: Where copies are kept.
        source: The source.
        split: Its split.
        variant: What is done.
        views: How many views with artefacts of each training scan are added, where the variant has ``artefacts``; 0
            where training draws them itself.
        added: A data set of the same classes, all of whose scans are added to the training part; ``None``: none.
    """
    steps, change = variant.pixel_steps, _pixel_change(source, split, variant)
    pieces = [Piece(source, np.arange(len(source)), change)]
    words = [*steps, *_by_whom(steps, source, split)]
    training = split.rows("train")
    if "artefacts" in variant.steps and views:
        words += [f"artefacts{views}", f"of-{split.digest[:8]}"]
        pieces += [Piece(source, training, partial(_viewed, change, number)) for number in range(1, views + 1)]
    if "synthetic" in variant.steps:
        words.append("synthetic")
        synthetic = _synthetic(workspace)
        pieces.append(Piece(synthetic, np.arange(len(synthetic)), change, prefix="synthetic-"))
    if added is not None:
        words.append(f"with-{added.name}")
        pieces.append(Piece(added, np.arange(len(added)), change, prefix=f"{added.name}-"))
    dataset = source if not words else find_or_write(workspace, f"foreign-{source.name}-{'-'.join(words)}", pieces)
    parts = np.concatenate([split.parts, np.full(len(dataset) - len(source), "train")])
    return HomeScans(
        dataset,
        make_split(
            parts,
            pixel_digests=dataset.digests,
            protocol=split.protocol,
            seed=split.seed,
            groups_are=dataset.groups_are,
        ),
    )


def foreign_scans(
    workspace: Workspace, source: Dataset, variant: Variant, *, home: Dataset, home_split: Split
) -> Dataset:
    """All scans of the other source, changed as those at home; landmarks are those of the training part at home."""
    steps = variant.pixel_steps
    if not steps:
        return source
    words = [*steps, *_by_whom(steps, home, home_split)]
    piece = Piece(source, np.arange(len(source)), _pixel_change(home, home_split, variant))
    return find_or_write(workspace, f"foreign-{source.name}-{'-'.join(words)}", [piece])


def _by_whom(steps: Sequence[str], home: Dataset, split: Split) -> list[str]:
    return [f"by-{home.name}-{split.digest[:8]}"] if "nyul" in steps else []


def _pixel_change(home: Dataset, split: Split, variant: Variant) -> Callable[[str, Pixels], Pixels]:
    steps = variant.pixel_steps
    landmarks = _learnt(home, split, steps) if "nyul" in steps else None

    def change(digest: str, pixels: Pixels) -> Pixels:
        pixels = _cut(pixels, steps)
        if "standard" in steps:
            return standardise_levels(pixels)[0]
        return pixels if landmarks is None else match_landmarks(pixels, landmarks)

    return change


def _learnt(home: Dataset, split: Split, steps: Sequence[str]) -> Landmarks:
    with home.open_pixels() as store:
        scans = (store.get(str(digest)) for digest in np.unique(home.digests[split.rows("train")]))
        return learn_landmarks(_cut(pixels, steps) for pixels in scans)


def _cut(pixels: Pixels, steps: Sequence[str]) -> Pixels:
    """What changes where the picture ends, before grey levels change."""
    if "strip" in steps:
        pixels, _ = strip_skull(pixels)
    pixels = crop_to_head(pixels)[0] if "crop" in steps else pixels
    return even_out(pixels) if "even" in steps else pixels


def _viewed(change: Callable[[str, Pixels], Pixels], number: int, digest: str, pixels: Pixels) -> Pixels:
    return change(digest, apply_view(pixels, cached_view(digest, number, AUGMENTATIONS["artefacts"])))


def _synthetic(workspace: Workspace) -> Dataset:
    if _SYNTHETIC not in dataset_names(workspace):
        folder = workspace.root / _SYNTHETIC
        synthesize_scans(folder, _SYNTHESIS, workspace=workspace, import_as=_SYNTHETIC)
    return load_dataset(workspace, _SYNTHETIC)
