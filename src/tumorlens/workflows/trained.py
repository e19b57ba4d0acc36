"""What a run folder is made from: a finished model of any kind, and the kind that is a network with a head."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tumorlens.evaluation import Classifier
from tumorlens.runtime import Calibration, Head, attach_head
from tumorlens.training import FittedHead, FittedNetwork
from tumorlens.types import Features, Labels, Probabilities
from tumorlens.workflows.context import RunContext
from tumorlens.workflows.map_check import check_run_maps
from tumorlens.workflows.precision import FULL_PRECISION, PrecisionChoice
from tumorlens.workflows.rules import FeaturesOf
from tumorlens.workflows.runs import RunConfig

__all__ = ["RunModel", "TrainedModel", "plain_settings"]


@dataclass(frozen=True, kw_only=True)
class RunModel(ABC):
    """Everything a run folder is made from, whatever the model is.

    Attributes:
        classifier: What its row of the table is about; the measured figures are added.
        probabilities: ``(n, k)`` of all rows of the data set, uncalibrated.
        features: ``(m, d)`` what the classifier was given for some rows, to find constant features.
        pooled: Gives features of some rows, as the bundle's graph gives them.
        marks: What must be said with it beside the context's own marks.
        precision: What the network computes in, which ``probabilities`` and ``pooled`` follow.
    """

    classifier: Classifier
    probabilities: Probabilities
    features: Features
    pooled: FeaturesOf
    marks: tuple[str, ...]
    precision: PrecisionChoice = FULL_PRECISION

    @property
    def out_of_fold(self) -> Probabilities | None:
        """``(n, k)`` uncalibrated, of the training rows, each without its group; ``None`` where there are none."""
        return None

    @property
    def events(self) -> Path | None:
        """Folder of what TensorBoard reads of its training; ``None`` where there is none."""
        return None

    @property
    def rivals(self) -> Mapping[str, Labels]:
        """``(n,)`` labels of all rows that other runs decide on, by name: it is set against them on the test part."""
        return {}

    @property
    @abstractmethod
    def threshold_basis(self) -> str:
        """What a wanted threshold rests on where there are no out-of-fold predictions, in words."""

    @property
    @abstractmethod
    def as_given(self) -> str:
        """What its probabilities are where the calibration part does not calibrate them, in words."""

    @abstractmethod
    def history(self) -> list[dict[str, Any]]:
        """How it came about, one plain mapping a row."""

    @abstractmethod
    def settings(self) -> dict[str, dict[str, Any]]:
        """Everything needed to make it again but the run's configuration, by section of ``config.toml``."""

    @abstractmethod
    def card_facts(self) -> dict[str, Any]:
        """What a bundle's card says of it: ``backbone``, ``head``, ``size`` and ``members``."""

    @abstractmethod
    def methods_facts(self, config: Any) -> dict[str, Any]:
        """What the methods paragraph says of it; see :class:`~tumorlens.reports.MethodsFacts`."""

    @abstractmethod
    def write_graph(self, path: Path, calibration: Calibration) -> None:
        """Write the bundle's graph."""

    @abstractmethod
    def write_keras(self, path: Path, calibration: Calibration) -> None:
        """Write the ``.keras`` model for further training, where there is one."""

    @abstractmethod
    def check_maps(self, context: RunContext, bundle_graph: Path) -> dict[str, Any] | None:
        """Whether its heatmaps depend on what it learned; see :func:`check_run_maps`."""


@dataclass(frozen=True, kw_only=True)
class TrainedModel(RunModel):
    """A network with a head that was fitted for this run.

    Attributes:
        fitted: The head with its history.
        graph: The network's graph, without head.
        size: Side of its input in pixels.
        backbone: Facts of the network for the bundle.
        save_keras: Writes the ``.keras`` model for further training to a path, given the calibration.
        permuted_head: A head of the same kind on permuted labels, to check the heatmaps with.
    """

    fitted: FittedHead
    graph: Path
    size: int
    backbone: Mapping[str, Any]
    save_keras: Callable[[Path, Calibration], None]
    permuted_head: Head | None = None

    @property
    def out_of_fold(self) -> Probabilities | None:
        """Those of a head that was fitted in folds."""
        return self.fitted.out_of_fold

    @property
    def events(self) -> Path | None:
        """That of a network that was trained itself."""
        return self.fitted.events if isinstance(self.fitted, FittedNetwork) else None

    @property
    def threshold_basis(self) -> str:
        """The validation part, by which a head without folds was stopped."""
        return "the validation part, which chose its epoch too,"

    @property
    def as_given(self) -> str:
        """Those of its softmax."""
        return "the model's own, not calibrated"

    def history(self) -> list[dict[str, Any]]:
        """Epochs, or a regularisation path."""
        return self.fitted.history_rows()

    def settings(self) -> dict[str, dict[str, Any]]:
        """Those of the head's fit."""
        return {"head": plain_settings(self.fitted.settings)}

    def card_facts(self) -> dict[str, Any]:
        """One network and one head."""
        head = {"kind": self.fitted.head.kind, "input": self.fitted.head.input}
        return {"backbone": self.backbone, "head": head, "size": self.size}

    def methods_facts(self, config: RunConfig) -> dict[str, Any]:
        """Network, weights and the head's fit."""
        return {
            "size": self.size,
            "network": str(self.backbone["title"]),
            "citation": str(self.backbone.get("paper", "")),
            "weights_digest": config.weights_digest,
            "head": plain_settings(self.fitted.settings),
        }

    def write_graph(self, path: Path, calibration: Calibration) -> None:
        """Join network and head."""
        attach_head(self.graph, self.fitted.head, calibration=calibration, out=path)

    def write_keras(self, path: Path, calibration: Calibration) -> None:
        """Write network and head for Keras."""
        self.save_keras(path, calibration)

    def check_maps(self, context: RunContext, bundle_graph: Path) -> dict[str, Any] | None:
        """Against its network with shuffled weights, and a head on permuted labels."""
        return check_run_maps(
            context, bundle_graph=bundle_graph, feature_graph=self.graph, permuted_head=self.permuted_head
        )


def plain_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings without those that are ``None``, which TOML cannot hold."""
    return {key: value for key, value in settings.items() if value is not None}
