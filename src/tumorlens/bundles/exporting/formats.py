"""The formats of ``tumorlens export``: one class each; an entry in :data:`FORMATS` adds one everywhere."""

from __future__ import annotations

import json
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar

from tumorlens.bundles.card import BundleCard
from tumorlens.bundles.exporting.facts import as_texts, export_facts
from tumorlens.bundles.exporting.parity import Bounds
from tumorlens.bundles.files import GRAPH_FILE, KERAS_FILE
from tumorlens.errors import InputError
from tumorlens.extras import has_extra, require_extra
from tumorlens.runtime import Outputs, compile_graph
from tumorlens.runtime.export_files import KerasJoin, export_keras_models, run_keras_model, write_graph_copy
from tumorlens.runtime.operations import read_operations
from tumorlens.types import Pixels

__all__ = ["FACTS_FILE", "FORMATS", "LABELS_FILE", "ExportFormat", "ExportSource", "find_format"]

FACTS_FILE = "tumorlens.json"
"""The facts inside a ``.keras`` or ``.tflite`` file, both of which Python's ``zipfile`` opens."""

LABELS_FILE = "labels.txt"
"""The labels in it, one a line, where TensorFlow Lite's own tools put them."""


@dataclass(frozen=True)
class ExportSource:
    """What is exported.

    Attributes:
        bundle: Folder of the verified bundle.
        card: Its facts.
        members: Of an ensemble the members' bundles as far as they are at hand, in the card's order; ``None`` for one
            that is not.
        threads: CPU threads; ``None``: all.
    """

    bundle: Path
    card: BundleCard
    members: tuple[Path | None, ...] = ()
    threads: int | None = None

    @property
    def graph(self) -> Path:
        """Its graph."""
        return self.bundle / GRAPH_FILE


class ExportFormat(ABC):
    """One format.

    Attributes:
        name: What ``--format`` calls it.
        title: What messages call the file.
        suffix: End of the file's name.
        beside: Ends of the names of files that belong to it.
        extra: The extra that writes it; ``None``: none.
        packages: What it rests on, whose versions the report gives.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    suffix: ClassVar[str]
    beside: ClassVar[tuple[str, ...]] = ()
    extra: ClassVar[str | None] = None
    packages: ClassVar[tuple[str, ...]] = ()

    def require(self) -> None:
        """Check that what writes it is installed.

        Raises:
            MissingExtraError: It is not.
        """
        if self.extra is not None:
            require_extra(self.extra, purpose=f"Export to {self.name}")

    def bounds(self, card: BundleCard) -> Bounds:
        """What may differ from the bundle at most."""
        return _EXACT if card.precision == "fp32" else _INTEGERS

    def notes(self, card: BundleCard) -> tuple[str, ...]:
        """What must be said of this bundle in this format, a sentence each."""
        return ()

    @abstractmethod
    def write(self, source: ExportSource, path: Path) -> None:
        """Write the file to ``path``, whose folder is there and holds nothing else."""

    @abstractmethod
    def answers(self, path: Path, batches: Sequence[Pixels], *, threads: int | None) -> list[Outputs]:
        """What the file answers in the program it is for, batch by batch."""

    def runs_in(self) -> str:
        """The program that :meth:`answers` asks."""
        return self.packages[-1]

    def versions(self) -> dict[str, str]:
        """Versions of what it rests on."""
        return {package: version(package) for package in self.packages if _installed(package)}


class OnnxFormat(ExportFormat):
    """The graph in ONNX' operators."""

    name, title, suffix, extra = "onnx", "The ONNX model", ".onnx", "export"
    packages = ("openvino", "onnx", "onnxruntime")

    def notes(self, card: BundleCard) -> tuple[str, ...]:
        """That it computes in floating point, whatever the bundle does."""
        return _floating_point(card)

    def write(self, source: ExportSource, path: Path) -> None:
        """Translate the graph operation by operation."""
        from tumorlens.bundles.exporting.onnx_graph import onnx_model

        facts = export_facts(source.card)
        model = onnx_model(read_operations(source.graph), metadata=as_texts(facts), doc=_sentence(facts))
        with path.open("wb") as file:
            file.write(model.SerializeToString())

    def answers(self, path: Path, batches: Sequence[Pixels], *, threads: int | None) -> list[Outputs]:
        """Those of onnxruntime."""
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or 0
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        names = [output.name for output in session.get_outputs()]
        return [dict(zip(names, session.run(names, {"pixels": batch}), strict=True)) for batch in batches]


class OpenvinoFormat(ExportFormat):
    """The bundle's graph with its facts inside."""

    name, title, suffix, beside = "openvino", "The OpenVINO model", ".xml", (".bin",)
    packages = ("openvino",)

    def bounds(self, card: BundleCard) -> Bounds:
        """The same for every bundle: a copy computes in what the bundle does."""
        return _EXACT

    def write(self, source: ExportSource, path: Path) -> None:
        """Copy the graph."""
        write_graph_copy(source.graph, path, metadata=as_texts(export_facts(source.card)))

    def answers(self, path: Path, batches: Sequence[Pixels], *, threads: int | None) -> list[Outputs]:
        """Those of OpenVINO."""
        graph = compile_graph(path, goal="latency", threads=threads)
        return [graph.run(batch) for batch in batches]


class KerasFormat(ExportFormat):
    """The ``.keras`` models of the bundle or of an ensemble's members, joined for prediction, in full precision."""

    name, title, suffix = "keras", "The Keras model", ".keras"
    packages = ("openvino", "keras")

    def write(self, source: ExportSource, path: Path) -> None:
        """Build it from layers of Keras, and put the facts into the file.

        Raises:
            InputError: The bundle computes in integers, which no layer of Keras does as it does, or models are missing.
        """
        if source.card.precision != "fp32":
            raise InputError(
                f"The bundle computes in {source.card.precision}, and a Keras model would answer otherwise: export the "
                "same model made with --precision fp32, or choose another --format."
            )
        export_keras_models(_keras_models(source), path, join=_keras_join(source))
        _add_facts(path, source.card)

    def answers(self, path: Path, batches: Sequence[Pixels], *, threads: int | None) -> list[Outputs]:
        """Those of Keras under TensorFlow where that is installed, else under its OpenVINO engine."""
        if not has_extra("train"):
            return run_keras_model(path, batches)
        from tumorlens.bundles.exporting.tensorflow_jobs import run_keras_under_tensorflow

        return run_keras_under_tensorflow(path, batches, threads=threads)

    def runs_in(self) -> str:
        """Keras with its engine."""
        return f"keras ({'tensorflow' if has_extra('train') else 'openvino'})"


class TfliteFormat(ExportFormat):
    """The graph in TensorFlow Lite's operations, written in a child process."""

    name, title, suffix, extra = "tflite", "The TensorFlow Lite model", ".tflite", "train"
    packages = ("openvino", "tensorflow", "tensorflow-cpu")

    def notes(self, card: BundleCard) -> tuple[str, ...]:
        """That it computes in floating point, whatever the bundle does."""
        return _floating_point(card)

    def bounds(self, card: BundleCard) -> Bounds:
        """Wider: its kernels sum in another order, and fuse."""
        return _LITE if card.precision == "fp32" else _INTEGERS

    def write(self, source: ExportSource, path: Path) -> None:
        """Translate the graph operation by operation, and put the facts behind it."""
        from tumorlens.bundles.exporting.tensorflow_jobs import write_tflite

        write_tflite(source.graph, path, threads=source.threads)
        _add_facts(path, source.card)

    def answers(self, path: Path, batches: Sequence[Pixels], *, threads: int | None) -> list[Outputs]:
        """Those of TensorFlow Lite's interpreter."""
        from tumorlens.bundles.exporting.tensorflow_jobs import run_tflite

        return run_tflite(path, batches, threads=threads)

    def runs_in(self) -> str:
        """TensorFlow Lite."""
        return "tensorflow lite"


_EXACT = Bounds(probability=1e-4, probability_mean=1e-4, map=1e-3, features=1e-3)
_LITE = Bounds(probability=1e-3, probability_mean=1e-3, map=1e-2, features=1e-2)
_INTEGERS = Bounds(probability=0.25, probability_mean=0.03, map=0.3, features=0.3)

FORMATS: dict[str, ExportFormat] = {
    each.name: each for each in (OnnxFormat(), OpenvinoFormat(), KerasFormat(), TfliteFormat())
}
"""Every format by its name."""


def find_format(name: str) -> ExportFormat:
    """The format called ``name``.

    Raises:
        InputError: There is none.
    """
    if name not in FORMATS:
        raise InputError(f"Expected --format {', '.join(FORMATS)}, got {name!r}.")
    return FORMATS[name]


def _floating_point(card: BundleCard) -> tuple[str, ...]:
    if card.precision == "fp32":
        return ()
    return (
        f"The bundle computes in {card.precision}; the export rounds to the same levels in floating point, so answers "
        "differ a little and it is not faster.",
    )


def _keras_models(source: ExportSource) -> list[Path]:
    folders = source.members if source.card.members else (source.bundle,)
    models = []
    for folder, name in zip(folders, _names(source.card), strict=True):
        if folder is None or not (folder / KERAS_FILE).is_file():
            raise InputError(
                f"Export to keras needs the .keras model of {name}, which is not at hand: run it in the workspace that "
                "holds the run, or choose another --format."
            )
        models.append(folder / KERAS_FILE)
    return models


def _names(card: BundleCard) -> list[str]:
    return [str(member["model"]) for member in card.members] or [card.model]


def _keras_join(source: ExportSource) -> KerasJoin | None:
    members = source.card.members
    if not members:
        return None
    return KerasJoin(
        weights=tuple(float(each["weight"]) for each in members),
        temperatures=tuple(float(each["temperature"]) for each in members),
        map_adds_up=tuple(each["head"]["input"] == "flat" for each in members),
        calibration=source.card.scaling,
    )


def _add_facts(path: Path, card: BundleCard) -> None:
    """Put facts and labels into a zip archive, or behind a file, as one that ``zipfile`` finds there."""
    texts = {
        FACTS_FILE: json.dumps(export_facts(card), indent=2, ensure_ascii=False) + "\n",
        LABELS_FILE: "\n".join(card.labels) + "\n",
    }
    with zipfile.ZipFile(path, "a") as archive:
        for name, text in texts.items():
            archive.writestr(zipfile.ZipInfo(name), text)


def _sentence(facts: dict[str, Any]) -> str:
    marks = f" ({', '.join(facts['marks'])})" if facts["marks"] else ""
    return f"{facts['model']}: {', '.join(facts['labels'])}{marks}. {facts['use']}"


def _installed(package: str) -> bool:
    from importlib.metadata import PackageNotFoundError

    try:
        version(package)
    except PackageNotFoundError:
        return False
    return True
