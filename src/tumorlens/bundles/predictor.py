"""The one way from a scan to an answer: command line, Python, REST and page all come through here.

Imports neither Keras nor TensorFlow. Knows nothing about training.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property, partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tumorlens.bundles.card import BundleCard, read_card
from tumorlens.bundles.files import GRAPH_FILE, verify_files
from tumorlens.bundles.reference import Neighbour, Neighbours, nearest_distance, read_reference
from tumorlens.bundles.rules import decide, final_decision
from tumorlens.bundles.views import ViewCost, ViewedBlock, Views, fixed_views, run_views, total_cost
from tumorlens.errors import InputError
from tumorlens.explanation import Heatmap, class_evidence
from tumorlens.progress import SILENT, Progress, Task
from tumorlens.runtime import CompiledGraph, compile_graph
from tumorlens.runtime.resized_graphs import resized_graph
from tumorlens.scans import Scan, ScanView, prepare_scan, quiet_decoding, reading_of, scan_units
from tumorlens.scans.units import Refusal
from tumorlens.types import Features, Maps, Pixels, Probabilities

__all__ = ["GRAPH_OUTPUTS", "MOST_HEATMAP_SIZE", "ManyAnswers", "Prediction", "Predictor"]

GRAPH_OUTPUTS = ("probabilities", "map", "features")
"""The outputs of a bundle's graph that an answer rests on."""

MOST_HEATMAP_SIZE = 2048
"""Largest input for finer maps, pixels: memory grows with its square."""


@dataclass(frozen=True, eq=False)
class Prediction:
    """The answer for one scan. Research output, not for patient care.

    Attributes:
        source: Where the scan came from.
        label: The answer at the bundle's operating point, by :attr:`probabilities`.
        decision: What is said in the end: ``unlike the training data``, else ``undecided``, else :attr:`label`.
        probabilities: Probability in 0..1 by class, the mean over the views where there are several; uncalibrated
            unless the bundle's card says otherwise.
        conformal_set: The classes that cannot be excluded; ``None`` where the bundle offers no sets.
        novelty: Cosine distance to the nearest of the bundle's reference scans, 0..2; ``None`` where not offered.
        novelty_threshold: The distance above which a scan is unlike the training data.
        find_similar: Looks up :attr:`similar`.
        model: Name and digest of the model.
        class_maps: ``(h, w, k)`` float32, where each class' score came from, on the network's coarse grid.
        pixels: ``(H, W, 3)`` uint8, the scan as the model was given it, after the steps that it declares.
        marks: What must be said with the answer ("synthetic", "random weights").
        use: The limits of use, in words.
        precision: What the model's network computes in, ``fp32`` or ``int8``.
        maps_informative: Whether the model's maps passed their check; ``None``: not checked.
        map_sizes: Of finer maps, the side of the input they are of and of the answered one; else ``None``.
        views: What the views cost, and the probabilities of the scan as it is, on which set, novelty and maps rest
            always; ``None`` for one view.
    """

    source: str
    label: str
    decision: str
    probabilities: Mapping[str, float]
    conformal_set: tuple[str, ...] | None
    novelty: float | None
    novelty_threshold: float | None
    find_similar: Callable[[], tuple[Neighbour, ...] | None] = field(repr=False)
    model: str
    class_maps: Maps = field(repr=False)
    pixels: Pixels = field(repr=False)
    marks: tuple[str, ...]
    use: str
    precision: str = "fp32"
    maps_informative: bool | None = None
    map_sizes: tuple[int, int] | None = None
    views: Views | None = None

    @cached_property
    def similar(self) -> tuple[Neighbour, ...] | None:
        """The training scans that are most alike by features; ``None`` where they are not at hand."""
        return self.find_similar()

    @property
    def heatmap(self) -> Heatmap:
        """Where the score of the answered label came from."""
        return self.heatmap_of(self.label)

    def heatmap_of(self, label: str) -> Heatmap:
        """Where the score of one class came from.

        Raises:
            InputError: The model does not know the class.
        """
        labels = list(self.probabilities)
        if label not in labels:
            raise InputError(f"Expected one of the model's classes ({', '.join(labels)}), got {label!r}.")
        return Heatmap(
            evidence=class_evidence(self.class_maps, target=labels.index(label)),
            scan=self.pixels,
            label=label,
            probability=self.probabilities[label],
            source=self.source,
            model=self.model,
            marks=self.marks,
            use=self.use,
            informative=self.maps_informative,
            sizes=self.map_sizes,
            views=1 if self.views is None else self.views.cost.n,
        )

    def to_json(self) -> dict[str, Any]:
        """The keys documented for ``predict --json``."""
        return {
            "source": self.source,
            "label": self.label,
            "decision": self.decision,
            "probabilities": dict(self.probabilities),
            "conformal_set": None if self.conformal_set is None else list(self.conformal_set),
            "novelty": self._novelty_json(),
            "similar": None if self.similar is None else [asdict(scan) for scan in self.similar],
            "model": self.model,
            "precision": self.precision,
            "views": None if self.views is None else self.views.to_json(),
            "marks": list(self.marks),
            "use": self.use,
        }

    def to_line(self) -> str:
        """One line for a person: file, decision, probabilities."""
        shown = ", ".join(f"{label} {value:.3f}" for label, value in self.probabilities.items())
        views = "" if self.views is None else f"; mean over {self.views.cost.n} views"
        return f"{self.source}: {self.decision} ({shown}{views})"

    def similar_line(self) -> str:
        """One line for a person: the training scans most alike by features, with label and distance."""
        if self.similar is None:
            return "    most alike in training: not at hand (make the bundle with --carry-neighbours)"
        scans = (
            f"{scan.label} {scan.distance:.3f}" + (f" ({scan.source})" if scan.source else "") for scan in self.similar
        )
        return f"    most alike in training, by cosine distance: {', '.join(scans)}"

    def _novelty_json(self) -> dict[str, Any] | None:
        if self.novelty is None or self.novelty_threshold is None:
            return None
        unlike = self.novelty > self.novelty_threshold
        return {"distance": self.novelty, "threshold": self.novelty_threshold, "unlike": unlike}


@dataclass(frozen=True, eq=False)
class ManyAnswers:
    """The answers for many scans, in their order.

    Attributes:
        probabilities: ``(n, k)`` in the order of the card's labels, means over the views.
        novelty: ``(n,)`` distance to the training data, 0..2; ``None`` where the bundle does not offer it.
        one_view: ``(n, k)`` of the scans as they are; ``None`` where ``probabilities`` are those.
        cost: What the views cost; ``None`` for one view.
    """

    probabilities: Probabilities
    novelty: npt.NDArray[np.float64] | None
    one_view: Probabilities | None = None
    cost: ViewCost | None = None


class Predictor:
    """A verified bundle, ready to answer.

    Args:
        folder: The bundle.
        threads: CPU threads; all by default.
        heatmap_size: Side in pixels of a larger input for finer maps, which cost a second pass; label and probabilities
            stay those of the bundle's own size. ``None``: the maps of the answer's own pass.

    Raises:
        IntegrityError: The bundle is not what was written.
        InputError: The size is out of range, or the model has no finer map.
    """

    def __init__(self, folder: str | Path, *, threads: int | None = None, heatmap_size: int | None = None) -> None:
        self.folder = Path(folder)
        self.card: BundleCard = read_card(self.folder)
        verify_files(self.folder, self.card)
        self.reading = reading_of(self.card.scan_steps)
        self._threads = threads
        self._graph = compile_graph(
            self.folder / GRAPH_FILE,
            goal="latency",
            outputs=list(GRAPH_OUTPUTS),
            threads=threads,
        )
        self._reference = None if self.card.novelty is None else read_reference(self.folder)
        self._map_size = heatmap_size
        self._finer = None if heatmap_size is None else self._finer_graph(heatmap_size)

    def _finer_graph(self, size: int) -> CompiledGraph:
        if self.card.size is None:
            members = ", ".join(str(member["model"]).split("@")[0] for member in self.card.members)
            raise InputError(f"An ensemble has no finer map: leave --heatmap-size out, or ask a member ({members}).")
        if not self.card.size <= size <= MOST_HEATMAP_SIZE:
            raise InputError(
                f"The size for heatmaps must be a number of pixels from the model's own {self.card.size} to "
                f"{MOST_HEATMAP_SIZE}, got {size}."
            )
        graph = resized_graph(self.folder / GRAPH_FILE, size=size)
        return compile_graph(graph, goal="latency", outputs=["map"], threads=self._threads)

    def predict(self, scan: str | Path | Pixels, *, views: int = 1) -> Prediction:
        """Answer for one scan; the steps that the bundle declares, such as a crop, are applied first.

        Args:
            scan: A file that holds one scan, or pixels ``(h, w, 3)`` uint8 in 0..255 as a file would give them.
            views: Over how many fixed views probabilities are averaged; see :func:`~tumorlens.bundles.fixed_views`.

        Raises:
            InputError: The file cannot be read or holds several scans, the array is not such pixels, or there are no
                such views.
        """
        if not isinstance(scan, str | Path):
            return self.answer(prepare_scan(_as_scan(scan), self.reading.pixel_steps), views=views)
        path = Path(scan)
        if path.is_dir():
            raise InputError(f"Expected a file, but {path} is a folder: use predict_files for folders.")
        with quiet_decoding():
            units = scan_units([path], self.reading).units
            found = list(islice(((item, unit.marks) for unit in units for item in unit.read()), 2))
        if len(found) != 1:
            raise InputError(f"{path} holds several scans, expected one: use predict_files for volumes and series.")
        item, marks = found[0]
        if isinstance(item, Refusal):
            raise InputError(item.reason)
        return self.answer(item, marks=marks, views=views)

    def answer(self, scan: Scan, *, marks: Sequence[str] = (), views: int = 1) -> Prediction:
        """Answer for a scan that was read by :attr:`reading`, its steps after reading included.

        Args:
            scan: The scan.
            marks: What must be said with the answer beside the model's own marks.
            views: Over how many fixed views probabilities are averaged; set, novelty and maps stay those of the scan as
                it is.

        Raises:
            InputError: There are no such views.
        """
        poses, viewed = fixed_views(views), None
        if views == 1:
            outputs = self._graph.run(scan.pixels[None])
        else:
            (block,) = run_views(self._warm_graph, [scan.pixels], poses)
            (outputs,), viewed = block.outputs, (block.probabilities[0], block.cost)
        if self._finer is not None:
            outputs |= self._finer.run(scan.pixels[None])
        return self._answer(scan, outputs, marks, viewed)

    def answer_from(
        self, scan: Scan, outputs: Mapping[str, npt.NDArray[np.float32]], *, marks: Sequence[str] = ()
    ) -> Prediction:
        """Answer for a scan whose outputs a queue has computed; may be called by several threads.

        Args:
            scan: The scan, read by :attr:`reading`, its steps after reading included.
            outputs: What the bundle's graph gives for it: :data:`GRAPH_OUTPUTS`, each with a first axis of 1.
            marks: What must be said with the answer beside the model's own marks.
        """
        return self._answer(scan, outputs, marks, None)

    @cached_property
    def _warm_graph(self) -> CompiledGraph:
        """The graph after a first pass, which takes longer than others and would make one view look dear."""
        _warm_up(self._graph)
        return self._graph

    def predict_many(
        self, scans: Iterable[Pixels], *, views: int = 1, total: int | None = None, progress: Progress = SILENT
    ) -> ManyAnswers:
        """Answers for many scans, read while others are computed; memory does not grow with their pixels.

        Args:
            scans: Pixels ``(h, w, 3)`` uint8 in 0..255 of any sizes, the bundle's declared steps already applied.
            views: Over how many fixed views probabilities are averaged.
            total: How many there are, for the progress bar.
            progress: Told of every scan.

        Raises:
            InputError: There are no such views.
        """
        poses = fixed_views(views)
        graph = compile_graph(
            self.folder / GRAPH_FILE, goal="throughput", outputs=["probabilities", "features"], threads=self._threads
        )
        with progress.task("Predicting", total=total) as task:
            if views > 1:
                return self._many_in_views(graph, scans, poses, task)
            rows, distances = [], []
            for _, outputs in graph.stream(enumerate(scans)):
                rows.append(outputs["probabilities"][0])
                distances.append(self._novelty(outputs["features"][0]))
                task.advance()
        return ManyAnswers(self._as_table(rows), self._as_distances(distances))

    def _many_in_views(
        self, graph: CompiledGraph, scans: Iterable[Pixels], poses: Sequence[ScanView], task: Task
    ) -> ManyAnswers:
        blocks: list[ViewedBlock] = []
        distances: list[float | None] = []
        _warm_up(graph)
        for block in run_views(graph, scans, poses):
            distances += [self._novelty(outputs.pop("features")[0]) for outputs in block.outputs]
            blocks.append(block)
            task.advance(block.cost.scans)
        means = [row for block in blocks for row in block.probabilities]
        own = [outputs["probabilities"][0] for block in blocks for outputs in block.outputs]
        cost = total_cost([block.cost for block in blocks])
        return ManyAnswers(self._as_table(means), self._as_distances(distances), self._as_table(own), cost)

    def _as_table(self, rows: Sequence[npt.NDArray[Any]]) -> Probabilities:
        return np.array(rows, np.float64).reshape(len(rows), len(self.card.labels))

    def _as_distances(self, distances: Sequence[float | None]) -> npt.NDArray[np.float64] | None:
        return None if self._reference is None else np.array(distances, np.float64)

    @cached_property
    def neighbours(self) -> Neighbours | None:
        """The training scans that the bundle carries, else those beside it in its run's folder; ``None`` without.

        Raises:
            IntegrityError: They are damaged.
        """
        found = Neighbours.read(self.folder) or Neighbours.read(self.folder.resolve().parent)
        return found if found is not None and found.split == self.card.split_digest else None

    def similar_to(self, features: Features) -> tuple[Neighbour, ...] | None:
        """The three training scans nearest to one scan's ``(d,)`` features; ``None`` where they are not at hand."""
        return None if self.neighbours is None else tuple(self.neighbours.nearest(features))

    def _maps_informative(self) -> bool | None:
        """What the check found; ``None``: not checked, as finer maps are not."""
        if self.card.heatmap_check is None or self._map_size is not None:
            return None
        return bool(self.card.heatmap_check["informative"])

    def _novelty(self, features: Features) -> float | None:
        return None if self._reference is None else float(nearest_distance(features[None], self._reference)[0])

    def _answer(
        self,
        scan: Scan,
        outputs: Mapping[str, Any],
        marks: Sequence[str],
        viewed: tuple[npt.NDArray[np.float64], ViewCost] | None,
    ) -> Prediction:
        card = self.card
        one_view = self._by_class(np.asarray(outputs["probabilities"], np.float64)[0])
        probabilities = one_view if viewed is None else self._by_class(viewed[0])
        label = decide(card.labels, card.operating_point, probabilities)
        conformal_set = None if card.conformal is None else card.conformal.set_of(one_view)
        novelty = self._novelty(outputs["features"][0])
        limit = None if card.novelty is None else card.novelty.threshold
        features = np.array(outputs["features"][0], np.float32)
        return Prediction(
            source=scan.source,
            label=label,
            decision=final_decision(label, conformal_set=conformal_set, novelty=novelty, limit=limit),
            probabilities=probabilities,
            conformal_set=conformal_set,
            novelty=novelty,
            novelty_threshold=limit,
            find_similar=partial(self.similar_to, features),
            model=card.model,
            class_maps=np.array(outputs["map"][0], np.float32),
            pixels=scan.pixels,
            marks=(*card.marks, *marks),
            use=card.use,
            precision=card.precision,
            maps_informative=self._maps_informative(),
            map_sizes=None if self._map_size is None or card.size is None else (self._map_size, card.size),
            views=None if viewed is None else Views(viewed[1], one_view),
        )

    def _by_class(self, values: npt.NDArray[np.float64]) -> dict[str, float]:
        return {label: float(value) for label, value in zip(self.card.labels, values, strict=True)}


def _warm_up(graph: CompiledGraph) -> None:
    """Let every stream of a graph run once."""
    graph.run(np.zeros((graph.streams + 1, 8, 8, 3), np.uint8))


def _as_scan(array: Pixels) -> Scan:
    pixels = np.asarray(array)
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3:
        raise InputError(
            "A scan as an array must be uint8 of shape (height, width, 3) with values 0..255, "
            f"got {pixels.dtype} of shape {pixels.shape}: convert it without scaling."
        )
    return Scan(pixels, "array", "RGB", "array")
