"""A split: which part each scan belongs to, and a digest that names it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from tumorlens.errors import InputError

__all__ = ["LEFT_OUT", "PARTS", "Part", "Protocol", "Split", "SplitGroups", "make_split"]

Part = Literal["train", "validation", "calibration", "test"]
Protocol = Literal["grouped", "strict", "study"]
SplitGroups = Literal["patients", "clusters", "none"]

PARTS: tuple[str, ...] = ("train", "validation", "calibration", "test")
"""Train fits, validation chooses, calibration sets thresholds, test is opened for a result."""

LEFT_OUT = "left out"
"""In the place of a part: the scan takes no part in anything."""


@dataclass(frozen=True, eq=False)
class Split:
    """Which part each scan belongs to.

    Attributes:
        protocol: ``"grouped"``; ``"strict"``: by group, and scans that resemble a test scan are left out; or
            ``"study"``: leaky, for comparison with the published table.
        parts: ``(n,)`` text, one of :data:`PARTS` or :data:`LEFT_OUT` a row of the manifest.
        pixel_digests: ``(n,)`` text: what each row's pixels are, so that a split file is known to
            belong to a data set.
        seed: Seed it was drawn with; ``None`` for one made elsewhere.
        groups_are: What it keeps together; ``"none"`` for the study's.
        digest: SHA-256 over row ids, pixel digests and parts, 64 hexadecimal digits.
    """

    protocol: Protocol
    parts: npt.NDArray[np.str_] = field(repr=False)
    pixel_digests: npt.NDArray[np.str_] = field(repr=False)
    seed: int | None
    groups_are: SplitGroups
    digest: str

    def __len__(self) -> int:
        return len(self.parts)

    @property
    def leaky(self) -> bool:
        """Whether neighbours or copies may stand on two sides."""
        return self.groups_are == "none"

    @property
    def left_out(self) -> int:
        """How many scans are left out."""
        return int((self.parts == LEFT_OUT).sum())

    def rows(self, part: str) -> npt.NDArray[np.int64]:
        """Return the row ids of one part, ascending.

        Raises:
            InputError: There is no such part.
        """
        if part not in PARTS:
            raise InputError(f"Expected a part among {', '.join(PARTS)}, got {part!r}.")
        return np.flatnonzero(self.parts == part)

    def sizes(self) -> dict[str, int]:
        """Return the number of scans in each part; those left out are in none."""
        return {part: int((self.parts == part).sum()) for part in PARTS}


def make_split(
    parts: npt.NDArray[np.str_],
    *,
    pixel_digests: npt.NDArray[np.str_],
    protocol: Protocol,
    seed: int | None,
    groups_are: SplitGroups,
) -> Split:
    """Make a split and compute its digest; see :class:`Split`."""
    digest = hashlib.sha256()
    for row, (pixels, part) in enumerate(zip(pixel_digests, parts, strict=True)):
        digest.update(f"{row},{pixels},{part}\n".encode())
    return Split(protocol, parts, pixel_digests, seed, groups_are, digest.hexdigest())
