"""Which precision a run computes in: what is refused, what is accepted, and that what was measured is what ships."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tumorlens.backbones import find_backbone, resolve_weights
from tumorlens.bundles import Predictor
from tumorlens.errors import InputError, MissingExtraError
from tumorlens.progress import SILENT
from tumorlens.runtime import DenseLayer, Head, compile_graph, feature_graph
from tumorlens.runtime.quantised_graphs import QuantisedGraph
from tumorlens.runtime.side_by_side import SpeedRatio
from tumorlens.workflows import precision
from tumorlens.workflows.compare import CompareSettings, compare_networks
from tumorlens.workflows.context import RunContext
from tumorlens.workflows.heads import row_probabilities
from tumorlens.workflows.precision import FULL_PRECISION, calibration_rows, check_precision, choose_precision
from tumorlens.workflows.runs import read_predictions
from tumorlens.workflows.splits import prepare_split

_SETTINGS = CompareSettings(backbones=("efficientnet-lite0",), size=64)
_HEAD = Head("linear", "pooled", (DenseLayer(np.zeros((4, 2), np.float32), np.zeros(2, np.float32), "linear"),))


@pytest.fixture
def context(tiny_study) -> RunContext:
    split = prepare_split(tiny_study.dataset, protocol="grouped", seed=0)
    known: dict[str, Any] = {"workspace": tiny_study.workspace, "dataset": tiny_study.dataset, "split": split}
    unused: dict[str, Any] = dict.fromkeys(("neighbours", "store", "threads"))
    return RunContext(**known, **unused, size=64, seed=0, refit=False, progress=SILENT, precision="int8")


class _Stand:
    """Stands in for NNCF, the clock and the quantised network."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, ratio: float, losses: list[float]) -> None:
        self.controls: list[Any] = []
        self._losses = iter(losses)
        monkeypatch.setattr(precision, "quantised_graph", self._quantise)
        monkeypatch.setattr(precision, "compare_speed", lambda *_, **__: SpeedRatio(10.0, 10.0 * ratio, ratio, 7))

    def answers(self, found: QuantisedGraph) -> np.ndarray:
        return np.full((64, 2), np.exp(-next(self._losses)))

    def _quantise(self, *_: Any, control: Any, **__: Any) -> QuantisedGraph:
        self.controls.append(control)
        return QuantisedGraph(Path("int8.xml"), "d", 49, 49 if control is None else 40)


def _choose(context: RunContext, stand: _Stand | None = None) -> precision.PrecisionChoice:
    even = np.full((len(context.dataset), 2), 0.5)  # a loss of log 2
    return choose_precision(context, Path("full.xml"), _HEAD, even, title="A network", answers=stand and stand.answers)


def test_accepted_where_the_loss_rises_little(context, monkeypatch) -> None:
    stand = _Stand(monkeypatch, ratio=0.8, losses=[np.log(2) + 0.0099])
    choice = _choose(context, stand)
    assert choice.used == "int8" and choice.graph is not None and stand.controls == [None]
    assert "0.7030 instead of 0.6931" in choice.words and "0.80 times as fast" in choice.words
    assert choice.facts["speed_ratio"] == 0.8 and choice.facts["asked_for"] == "int8"


def test_layers_go_back_before_it_is_given_up(context, monkeypatch) -> None:
    stand = _Stand(monkeypatch, ratio=2.0, losses=[np.log(2) + 0.0101, np.log(2) + 0.001])
    choice = _choose(context, stand)
    assert [control is None for control in stand.controls] == [True, False]
    assert stand.controls[1].limit == precision.MOST_LOSS_RISE
    assert choice.used == "int8" and "in 40 of 49 layers" in choice.words


def test_full_precision_where_the_loss_rises_too_much(context, monkeypatch) -> None:
    stand = _Stand(monkeypatch, ratio=2.0, losses=[2.0, 1.0])
    choice = _choose(context, stand)
    assert (choice.used, choice.graph) == ("fp32", None)
    assert "1.0000 instead of 0.6931" in choice.words and choice.facts["validation_loss_int8"] == 1.0


@pytest.mark.parametrize(("ratio", "used"), [(1.09, "fp32"), (1.11, "int8")])
def test_auto_wants_it_clearly_faster(context, monkeypatch, ratio: float, used: str) -> None:
    stand = _Stand(monkeypatch, ratio=ratio, losses=[np.log(2)])
    choice = _choose(replace(context, precision="auto"), stand)
    assert choice.used == used and f"{ratio:.2f} times as fast" in choice.words


def test_a_head_that_stays_is_judged_by_what_the_graph_gives(context, monkeypatch) -> None:
    head = Head("linear", "pooled", (DenseLayer(np.eye(1280, 2, dtype=np.float32), np.zeros(2, np.float32), "linear"),))
    graph = feature_graph(
        find_backbone("efficientnet-lite0"),
        resolve_weights(find_backbone("efficientnet-lite0"), weights=None, weights_dir=None),
        size=64,
        cache=context.workspace.graphs,
    )
    with context.dataset.open_pixels() as pixels:
        scans = [pixels.get(digest) for digest in context.dataset.digests]
    features = np.concatenate([out["features"] for _, out in compile_graph(graph).stream(enumerate(scans))])
    _Stand(monkeypatch, ratio=2.0, losses=[])
    monkeypatch.setattr(precision, "quantised_graph", lambda *_, **__: QuantisedGraph(graph.path, "d", 49, 49))
    choice = choose_precision(context, graph.path, head, row_probabilities(head, features), title="A network")
    assert choice.used == "int8"
    assert choice.facts["validation_loss_int8"] == pytest.approx(choice.facts["validation_loss_fp32"], abs=1e-5)


def test_nobody_asked(context) -> None:
    assert _choose(replace(context, precision="fp32")) is FULL_PRECISION


def test_calibration_scans_are_training_scans_of_all_classes(context, monkeypatch) -> None:
    monkeypatch.setattr(precision, "CALIBRATION_SCANS", 10)
    rows = calibration_rows(context)
    assert set(context.split.parts[rows]) == {"train"}
    assert np.bincount(context.dataset.labels[rows]).tolist() == [5, 5]
    assert len(set(context.dataset.digests[rows])) == 10
    assert np.array_equal(rows, calibration_rows(context))
    assert not np.array_equal(rows, calibration_rows(replace(context, seed=1)))


def test_refusals(context, monkeypatch) -> None:
    with pytest.raises(InputError, match="Expected --precision fp32, int8, auto, got 'int4'"):
        check_precision("int4", context.split)
    parts = np.where(context.split.parts == "validation", "train", context.split.parts)
    with pytest.raises(InputError, match="this split has none"):
        check_precision("int8", replace(context.split, parts=parts))
    monkeypatch.setattr("tumorlens.extras._MODULE_OF_EXTRA", {"int8": "no_such_module"})
    with pytest.raises(MissingExtraError, match="--precision auto needs"):
        check_precision("auto", context.split)
    check_precision("fp32", context.split)


def test_a_mistake_on_purpose_is_made_in_full_precision(tiny_study) -> None:
    with pytest.raises(InputError, match="leave out --precision"):
        compare_networks(
            tiny_study.dataset, replace(_SETTINGS, mistake="split", precision="int8"), workspace=tiny_study.workspace
        )


@pytest.mark.slow
def test_what_is_measured_is_what_ships(tiny_study, tiny_comparison, monkeypatch) -> None:
    monkeypatch.setattr(precision, "MOST_LOSS_RISE", 1.0)
    monkeypatch.setattr(precision, "CALIBRATION_SCANS", 20)
    monkeypatch.setattr(precision, "compare_speed", lambda *_, **__: SpeedRatio(1.0, 1.0, 1.0, 1))
    settings = replace(_SETTINGS, precision="int8")
    (run,) = compare_networks(tiny_study.dataset, settings, workspace=tiny_study.workspace).runs
    (full,) = tiny_comparison.runs
    assert run.name != full.name
    assert (run.row.precision, full.row.precision) == ("int8", "fp32")
    assert run.config["precision"]["used"] == "int8" and run.config["precision"]["quantised_layers"] == 49
    assert run.row.note is not None and "Computes in int8" in run.row.note
    assert "quantised to 8-bit integers" in run.methods and "quantised" not in full.methods
    predictor = Predictor(run.bundle)
    assert predictor.card.precision == "int8"
    table = read_predictions(run.folder)
    with tiny_study.dataset.open_pixels() as pixels:
        scans = [pixels.get(digest) for digest in table["pixel_digest"]]
    answers = predictor.predict_many(scans).probabilities
    kept = table[[f"probability_{name}" for name in tiny_study.dataset.classes]].to_numpy()
    np.testing.assert_allclose(answers, kept, atol=1e-5)
    other = read_predictions(full.folder)[[f"probability_{name}" for name in tiny_study.dataset.classes]].to_numpy()
    assert np.abs(other - kept).max() > 1e-3
    assert predictor.predict(scans[0]).to_json()["precision"] == "int8"
