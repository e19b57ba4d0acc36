"""Occlusion: what the log-odds lose when a part of the scan is covered. Needs the model's answers alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from tumorlens.errors import InputError
from tumorlens.explanation.methods.base import MapMethod, ModelFiles
from tumorlens.explanation.removal import mean_picture
from tumorlens.runtime import compile_graph
from tumorlens.types import Maps, Pixels

__all__ = ["Occlusion"]

_SMALLEST = np.finfo(np.float32).tiny  # below it a probability has no logarithm


class Occlusion(MapMethod):
    """A patch of the scan's mean colour slides over the scan (Zeiler, Fergus, ECCV 2014, arXiv 1311.2901).

    The map has a cell for each place of the patch, which is centred on the cell and larger than it; at the border it
    covers what there is. The evidence is the drop of the log-odds, after the model's temperature.

    Args:
        model: What is explained.
        patch: Side of the patch as a share of the scan's sides, above 0 and below 1.
        stride: Side of a cell, by which the patch moves, as such a share; rounded so that cells fill the scan.
    """

    name = "occlusion"
    title = "occlusion by a patch of the scan's mean colour (Zeiler, Fergus 2014)"

    def __init__(self, model: ModelFiles, *, patch: float = 0.25, stride: float = 0.125) -> None:
        super().__init__(model)
        if not (0 < patch < 1 and 0 < stride < 1):
            raise InputError(f"Patch and stride must be shares of the scan in 0..1, got {patch:g} and {stride:g}.")
        self.patch = patch
        self.cells = round(1 / stride)

    def class_maps(self, scans: Sequence[Pixels]) -> Iterator[Maps]:
        """``(h, w, k)`` for each scan: the drop of each class' log-probability, whose contrast is that of logits."""
        graph = compile_graph(self.model.graph, outputs=["probabilities"], threads=self.model.threads)
        for scan in scans:
            rows = [outputs["probabilities"][0] for _, outputs in graph.stream(enumerate(self._pictures(scan)))]
            logarithms = np.log(np.maximum(np.array(rows), _SMALLEST))
            yield (logarithms[0] - logarithms[1:]).reshape(self.cells, self.cells, -1).astype(np.float32)

    def _pictures(self, scan: Pixels) -> Iterator[Pixels]:
        """The scan, then the scan with each of its cells covered in turn."""
        yield scan
        colour = mean_picture(scan)[0, 0]
        for top, bottom in self._edges(scan.shape[0]):
            for left, right in self._edges(scan.shape[1]):
                covered = scan.copy()
                covered[top:bottom, left:right] = colour
                yield covered

    def _edges(self, side: int) -> npt.NDArray[np.int64]:
        """``(cells, 2)``: first pixel of the patch and the one after its last, for each cell along a side."""
        centres = (np.arange(self.cells) + 0.5) * side / self.cells
        edges = centres[:, None] + np.array([-0.5, 0.5]) * self.patch * side
        return np.clip(np.rint(edges), 0, side).astype(np.int64)
