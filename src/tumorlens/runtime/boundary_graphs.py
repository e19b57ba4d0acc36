"""The frozen lower part of a backbone as a graph on disk: what a scan becomes before the layers that are fine-tuned."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import prod
from pathlib import Path

from tumorlens.backbones import BackboneSpec, Weights
from tumorlens.errors import InputError
from tumorlens.progress import SILENT, Progress
from tumorlens.runtime.feature_graphs import GRAPH_VERSION, graph_folder
from tumorlens.runtime.graph_cache import GRAPH_FILE, cached_graph, facts_digest

__all__ = ["BoundaryGraph", "boundary_graph"]


@dataclass(frozen=True)
class BoundaryGraph:
    """The converted lower part of a backbone.

    Attributes:
        path: The OpenVINO graph (.xml). Input "pixels": ``(n, h, w, 3)`` uint8 of any size. Output "boundary":
            ``(n, width)`` float16, the crossing tensors flattened one after the other.
        backbone: Name of the network.
        size: Edge length in pixels to which the graph resizes.
        stage: First stage that is trained.
        layer: Last layer that is frozen.
        shapes: Shape of each crossing tensor.
        trained_share: Share of the network's multiply-adds that lies above, 0..1.
        weights_digest: SHA-256 of the network's weight tensors.
        digest: SHA-256 over everything that decides what the graph gives.
    """

    path: Path
    backbone: str
    size: int
    stage: str
    layer: str
    shapes: tuple[tuple[int, ...], ...]
    trained_share: float
    weights_digest: str
    digest: str

    @property
    def width(self) -> int:
        """Values a scan becomes."""
        return sum(prod(shape) for shape in self.shapes)


def boundary_graph(
    spec: BackboneSpec,
    weights: Weights,
    *,
    size: int,
    fine_tune: str,
    cache: Path,
    progress: Progress = SILENT,
) -> BoundaryGraph:
    """The graph below the first trained stage, from ``cache`` if it is there, else converted in a child process.

    Args:
        spec: The network.
        weights: Its weights.
        size: Edge length in pixels that the network is built for.
        fine_tune: ``last`` or ``half`` of the network's arithmetic (the nearest stage), or the first stage to train.
        cache: Where converted graphs are kept.
        progress: Told when a conversion starts.

    Raises:
        InputError: The network has no such stage.
        TumorlensError: The conversion failed.
        StorageError: ``cache`` cannot be written.
    """
    known = ("last", "half", *(stage for stage, _ in spec.stages[1:]))
    if fine_tune not in known:
        raise InputError(f"Expected --fine-tune {', '.join(known)} or full for {spec.title}, got {fine_tune!r}.")
    folder = cache / f"{graph_folder(spec, weights, size=size)}-below-{fine_tune}"
    purpose = f"Converting the frozen part of {spec.title}"
    request = {
        "backbone": spec.name,
        "size": size,
        "weights": str(weights.path.resolve()) if weights.path else None,
        "fine_tune": fine_tune,
    }
    facts = cached_graph(
        folder,
        "convert_lower",
        lambda job: request,
        purpose=purpose,
        progress=progress,
    )
    identity = {"backbone": spec.name, "size": size, "layer": facts["layer"], "weights_digest": facts["weights_digest"]}
    digest = facts_digest({**identity, "version": GRAPH_VERSION, "preprocessing": asdict(spec.preprocessing)})
    return BoundaryGraph(
        path=folder / GRAPH_FILE,
        stage=facts["stage"],
        shapes=tuple(tuple(shape) for shape in facts["shapes"]),
        trained_share=facts["trained_share"],
        digest=digest,
        **identity,
    )
