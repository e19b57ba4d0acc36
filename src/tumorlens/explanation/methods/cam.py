"""The map that the bundle's own graph gives with every answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tumorlens.explanation.methods.base import MapMethod
from tumorlens.runtime import compile_graph
from tumorlens.types import Maps, Pixels

__all__ = ["Cam"]


class Cam(MapMethod):
    """CAM for a linear head on pooled features, HiResCAM for any other; see ``runtime/bundle_graphs.py``."""

    name = "cam"
    title = "class activation map (Zhou et al. 2016), of heads with ReLU layers HiResCAM (Draelos, Carin 2020)"

    def class_maps(self, scans: Sequence[Pixels]) -> Iterator[Maps]:
        """``(h, w, k)`` for each scan: the graph's output "map"."""
        graph = compile_graph(self.model.graph, outputs=["map"], threads=self.model.threads)
        for _, outputs in graph.stream(enumerate(scans)):
            yield outputs["map"][0]
