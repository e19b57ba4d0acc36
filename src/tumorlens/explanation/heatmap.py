"""One scan with the map of where a class' score came from, as data and as files."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tumorlens.types import Pixels
from tumorlens.workspace import atomic_path

__all__ = ["Heatmap"]


@dataclass(frozen=True, eq=False)
class Heatmap:
    """Where the score came from, coarse. Research output, not for patient care.

    Attributes:
        evidence: ``(h, w)`` float32 log-odds on the network's coarse grid, which covers the whole scan; see
            :func:`~tumorlens.explanation.class_evidence`.
        scan: ``(H, W, 3)`` uint8 pixels, as the model was given them: after the steps that it declares.
        label: The class that the evidence is for.
        probability: The probability of that class, 0..1, as in the answer.
        source: Where the scan came from.
        model: Name and digest of the model.
        marks: What must be said with it ("synthetic", "random weights").
        use: The limits of use, in words.
        informative: Whether the model's maps change without what it learned, as was checked when it was made; ``None``:
            that was not checked.
        sizes: Of a finer map, the side in pixels of its input and that of the answered one; else ``None``.
        views: Over how many views of the scan the probability is averaged; the evidence is of the scan as it is.
    """

    evidence: npt.NDArray[np.float32] = field(repr=False)
    scan: Pixels = field(repr=False)
    label: str
    probability: float
    source: str
    model: str
    marks: tuple[str, ...]
    use: str
    informative: bool | None = None
    sizes: tuple[int, int] | None = None
    views: int = 1

    @property
    def check(self) -> str:
        """ "informative", "not informative" or "not checked"."""
        return {True: "informative", False: "not informative", None: "not checked"}[self.informative]

    @property
    def speaks_for(self) -> bool:
        """Whether any cell speaks for the class; without one there is nothing to paint."""
        return bool(self.evidence.max() > 0)

    def save(self, path: str | Path) -> Path:
        """Write a PNG: the scan, beside it the scan with the cells that speak for the class painted, and a scale.

        Cells are drawn as the squares they are, without smoothing, and those that speak against the class stay grey.

        Returns:
            The path.

        Raises:
            StorageError: It cannot be written.
        """
        from tumorlens.explanation.picture import draw_heatmap

        with atomic_path(Path(path)) as temporary:
            draw_heatmap(self, temporary)
        return Path(path)

    def png(self) -> bytes:
        """The picture that :meth:`save` writes."""
        from tumorlens.explanation.picture import draw_heatmap

        stream = io.BytesIO()
        draw_heatmap(self, stream)
        return stream.getvalue()

    def save_map(self, path: str | Path) -> Path:
        """Write :attr:`evidence` as a ``.npy`` file (float32, no pickle) and return the path.

        Raises:
            StorageError: It cannot be written.
        """
        with atomic_path(Path(path)) as temporary, temporary.open("wb") as file:
            np.save(file, self.evidence, allow_pickle=False)
        return Path(path)
