"""Run folders: what one trained model was, gave and shipped.

A run's name ends in a digest of everything that decides its result, so the same work is found again instead of being
done twice, and two different runs never share a folder.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tomllib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tumorlens.errors import IntegrityError, NotFoundError
from tumorlens.evaluation import Difference, RowFigures
from tumorlens.reports import RESEARCH_ONLY
from tumorlens.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "EnsembleConfig",
    "FineTunedConfig",
    "MistakenConfig",
    "RunConfig",
    "RunRecord",
    "ScratchConfig",
    "SharedConfig",
    "find_finished",
]
__all__ += ["find_run", "list_runs", "read_predictions", "read_run", "remove_run"]

CONFIG_FILE = "config.toml"
METRICS_FILE = "metrics.json"
HISTORY_FILE = "history.csv"
PREDICTIONS_FILE = "predictions.parquet"
METHODS_FILE = "methods.md"
BUNDLE_FOLDER = "bundle"
TENSORBOARD_FOLDER = "tensorboard"


@dataclass(frozen=True, kw_only=True)
class SharedConfig(ABC):
    """What decides the result of a run of any kind; each kind adds its own.

    Attributes:
        dataset: Name of the data set.
        manifest_digest: Its digest.
        split_digest: Digest of the split.
        protocol: ``grouped`` or ``study``.
        seed: Seed of fits and bootstrap.
        operating_point: What the threshold was to reach, such as ``sensitivity=0.95``; empty: one half.
        carries_neighbours: Whether the bundle carries its training scans' features and labels.
        precision: What was asked for: ``fp32``, ``int8`` or ``auto``.
        tumorlens: Version of tumorlens.
    """

    dataset: str
    manifest_digest: str
    split_digest: str
    protocol: str
    seed: int
    operating_point: str
    carries_neighbours: bool
    precision: str
    tumorlens: str

    @property
    def digest(self) -> str:
        """SHA-256 over the facts."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()

    @property
    @abstractmethod
    def name(self) -> str:
        """Name of the run."""


@dataclass(frozen=True, kw_only=True)
class RunConfig(SharedConfig):
    """Everything that decides what a network with a head gives.

    Attributes:
        backbone: Name of the network, or ``scratch``.
        head: Kind of classifier.
        weights: Where the network's weights came from, in one word.
        weights_digest: SHA-256 over the weight tensors; empty for a CNN from scratch.
        graph_digest: SHA-256 over weights, preprocessing, size and the version of the code that made the graph; empty
            for a CNN from scratch.
        size: Side of the network's input in pixels.
    """

    backbone: str
    head: str
    weights: str
    weights_digest: str
    graph_digest: str
    size: int

    @property
    def name(self) -> str:
        """Name of the run."""
        return f"{self.dataset}-{self.protocol}-{self.backbone}-{self.head}-{self.digest[:8]}"


@dataclass(frozen=True, kw_only=True)
class MistakenConfig(RunConfig):
    """Everything that decides what a run with a mistake gives; no right run ever shares its digest or its name.

    Attributes:
        mistake: The mistake that is made on purpose.
    """

    mistake: str

    @property
    def name(self) -> str:
        """Name of the run, with the mistake in it."""
        return f"{self.dataset}-mistake-{self.mistake}-{self.backbone}-{self.head}-{self.digest[:8]}"


@dataclass(frozen=True, kw_only=True)
class FineTunedConfig(RunConfig):
    """Everything that decides what a fine-tuned network gives.

    Attributes:
        trained_from: First stage that was trained; ``all`` for the whole network.
        settings_digest: SHA-256 over boundary, views and recipe.
    """

    trained_from: str
    settings_digest: str


@dataclass(frozen=True, kw_only=True)
class ScratchConfig(RunConfig):
    """Everything that decides what a CNN from scratch gives.

    Attributes:
        settings_digest: SHA-256 over augmentation, recipe and what is fixed about the network.
    """

    settings_digest: str


@dataclass(frozen=True, kw_only=True)
class EnsembleConfig(SharedConfig):
    """Everything that decides what an ensemble gives.

    Attributes:
        members: Model (name, ``@``, 12 digits of the digest) of every run it was chosen from, sorted.
        selection: ``greedy``, or ``all`` for the plain average.
        rounds: How many members join after the start; 0 for the plain average.
        wanted_name: Name that was asked for; empty for one that follows from the rest.
    """

    members: tuple[str, ...]
    selection: str
    rounds: int
    wanted_name: str = ""

    @property
    def name(self) -> str:
        """Name of the run."""
        return self.wanted_name or f"{self.dataset}-{self.protocol}-ensemble-{self.selection}-{self.digest[:8]}"


@dataclass(frozen=True)
class RunRecord:
    """A finished run, as read from its folder.

    Attributes:
        folder: Where it lies.
        config: Its ``config.toml``.
        row: Its figures.
        created: ISO 8601 time, UTC.
        marks: What must be said with it.
        differences: Between it and runs that it was set against when it was made, on the test part.
    """

    folder: Path
    config: Mapping[str, Any]
    row: RowFigures
    created: str
    marks: tuple[str, ...]
    differences: tuple[Difference, ...] = ()

    @property
    def name(self) -> str:
        """Name of the run."""
        return self.folder.name

    @property
    def split_digest(self) -> str:
        """Digest of the split its figures rest on."""
        return str(self.config["run"]["split_digest"])

    @property
    def bundle(self) -> Path:
        """Folder of its bundle."""
        return self.folder / BUNDLE_FOLDER

    @property
    def methods(self) -> str:
        """The paragraph for a paper."""
        return (self.folder / METHODS_FILE).read_text(encoding="utf-8")

    @property
    def history(self) -> list[dict[str, float | str]]:
        """How it came about: one mapping an epoch, a strength for linear heads, or a member that joined an ensemble."""
        import pandas as pd

        table = pd.read_csv(self.folder / HISTORY_FILE)
        return [
            {str(key): value if isinstance(value, str) else float(value) for key, value in row.items()}
            for row in table.to_dict("records")
        ]

    def to_json(self) -> dict[str, Any]:
        """Everything but the methods paragraph."""
        return {
            "run": self.name,
            "created": self.created,
            "config": dict(self.config),
            "metrics": self.row.to_json(),
            "marks": list(self.marks),
            "differences": [asdict(difference) for difference in self.differences],
            "folder": str(self.folder),
        }

    def answer(self) -> dict[str, Any]:
        """The document of ``train --json``: the row, with what must be said beside it."""
        return {**self.row.to_json(), "marks": list(self.marks), "use": f"{RESEARCH_ONLY.capitalize()}."}

    def to_line(self) -> str:
        """One line for a person."""
        row = self.row
        if row.collapsed:
            figure = f"collapsed: {row.collapsed_because}"
        else:
            figure = f"test accuracy {row.test_accuracy:.3f}"
            if row.test_accuracy_low is not None:
                figure += f" [{row.test_accuracy_low:.3f}, {row.test_accuracy_high:.3f}]"
        marks = f" ({'; '.join(self.marks)})" if self.marks else ""
        return f"{self.name}: {figure}{marks}"


def find_finished(workspace: Workspace, config: SharedConfig) -> RunRecord | None:
    """The finished run of exactly this configuration, if there is one."""
    folder = workspace.runs / config.name
    if not (folder / METRICS_FILE).is_file():
        return None
    record = read_run(folder)
    return record if record.config["run"] == json.loads(json.dumps(asdict(config))) else None


def find_run(workspace: Workspace, name: str) -> RunRecord:
    """The run called ``name``.

    Raises:
        NotFoundError: There is none; the message lists some that are there.
    """
    known = _names(workspace)
    if name in known:
        return read_run(workspace.runs / name)
    shown = ", ".join(known[:5]) if known else "none yet"
    raise NotFoundError(f"Expected the name of a run ({shown}), got {name!r}: tumorlens runs list shows them all.")


def list_runs(workspace: Workspace) -> list[RunRecord]:
    """All finished runs, oldest first."""
    return sorted((read_run(workspace.runs / name) for name in _names(workspace)), key=lambda run: run.created)


def remove_run(workspace: Workspace, name: str) -> None:
    """Delete a run's folder."""
    shutil.rmtree(find_run(workspace, name).folder)


def read_run(folder: Path) -> RunRecord:
    """Read a run's folder.

    Raises:
        IntegrityError: A file is missing or damaged.
    """
    try:
        config = tomllib.loads((folder / CONFIG_FILE).read_text(encoding="utf-8"))
        metrics = json.loads((folder / METRICS_FILE).read_text(encoding="utf-8"))
        return RunRecord(
            folder=folder,
            config=config,
            row=RowFigures.from_json(metrics["row"]),
            created=str(metrics["created"]),
            marks=tuple(metrics["marks"]),
            differences=tuple(Difference(**values) for values in metrics.get("differences", ())),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise IntegrityError(
            f"The run {folder.name} is damaged ({type(error).__name__}): "
            f"remove the folder {folder} and run the command again."
        ) from error


def read_predictions(folder: Path) -> pd.DataFrame:
    """What a run predicted for every row of its data set, by ``row_id``: part, labels and probabilities.

    Args:
        folder: The run's folder.

    Raises:
        IntegrityError: The table is missing or damaged.
    """
    import pandas as pd

    try:
        return pd.read_parquet(folder / PREDICTIONS_FILE).sort_values("row_id", ignore_index=True)
    except (OSError, ValueError, KeyError) as error:
        raise IntegrityError(
            f"The predictions of the run {folder.name} are missing or damaged: remove the folder {folder} and run the "
            "command again."
        ) from error


def _names(workspace: Workspace) -> list[str]:
    if not workspace.runs.is_dir():
        return []
    return sorted(
        folder.name
        for folder in workspace.runs.iterdir()
        if not folder.name.startswith(".") and (folder / METRICS_FILE).is_file()
    )
