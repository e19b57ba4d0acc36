"""Task: the network of a feature graph computes in 8-bit integers, by NNCF's post-training quantisation.

Only what lies between the first and the last layer with weights is touched: the ``uint8`` input, resizing and
preprocessing before it and the pooling behind it stay in full precision. Needs no Keras.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
from openvino._offline_transformations import apply_moc_transformations

from tumorlens.runtime.graphs import save_graph
from tumorlens.runtime.heads import DenseLayer, Head, head_logits
from tumorlens.runtime.weights_in_graph import constant_behind, is_weighted

__all__ = ["nodes_outside_network", "quantise"]

_ANY_SCAN = [-1, -1, -1, 3]
_INTEGERS = (ov.Type.i8, ov.Type.u8)


def quantise(folder: Path, *, graph: str, control: dict[str, Any] | None, threads: int | None) -> dict[str, Any]:
    """Write ``graph.xml`` to ``folder``, calibrated on the scans ``calibration-*.npy`` there.

    Args:
        folder: Where the scans are and the graph goes.
        graph: Path of the full-precision graph with the outputs "map" and "features".
        control: ``None``: every layer that can be is quantised. Else layers go back to full precision until the
            cross entropy on the scans ``validation-*.npy`` rises by at most ``limit``: ``labels``; what the head
            ``takes`` and its ``activations``, its arrays being in ``head.npz``; ``most_reverted`` layers, and
            ``ranked_by`` so many scans.
        threads: CPU threads, where the system lets a process limit itself; ``None``: all.

    Returns:
        ``layers`` and ``quantised_layers``: layers with weights, and those of them with 8-bit weights.
    """
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]  # NNCF would report its use over the network
    import nncf

    if threads is not None and hasattr(os, "sched_setaffinity"):  # NNCF has no setting for it
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    model = ov.Core().read_model(graph)
    apply_moc_transformations(model, True)  # folds normalisations into the weights
    scans = sorted(folder.glob("calibration-*.npy"))
    model.reshape({0: [1, *_common_size(scans), 3]})
    settings = {
        "calibration_dataset": nncf.Dataset(scans, _read),
        "subset_size": len(scans),
        "ignored_scope": nncf.IgnoredScope(names=nodes_outside_network(model)),
        "preset": nncf.QuantizationPreset.MIXED,
    }
    # Processors without VNNI add two products in 16 bits: weights of 7 bits give the same answers on all of them.
    seven_bits = nncf.AdvancedQuantizationParameters(overflow_fix=nncf.OverflowFix.ENABLE)
    if control is None:
        quantised = nncf.quantize(model, advanced_parameters=seven_bits, **settings)
    else:
        settings["advanced_quantization_parameters"] = seven_bits
        quantised = _with_control(model, settings, folder, **control)
    quantised.reshape({0: ov.PartialShape(_ANY_SCAN)})
    save_graph(quantised, folder / "graph.xml")
    return _count_layers(quantised)


def nodes_outside_network(model: ov.Model) -> list[str]:
    """Names of the operations that have no layer with weights before them, or none behind them."""
    nodes = [node for node in model.get_ordered_ops() if node.get_type_name() != "Constant"]
    begun: set[str] = set()
    for node in nodes:
        sources = (value.get_node().get_friendly_name() for value in node.input_values())
        if is_weighted(node) or any(name in begun for name in sources):
            begun.add(node.get_friendly_name())
    unfinished: set[str] = set()
    for node in reversed(nodes):
        targets = (
            target.get_node().get_friendly_name() for output in node.outputs() for target in output.get_target_inputs()
        )
        if is_weighted(node) or any(name in unfinished for name in targets):
            unfinished.add(node.get_friendly_name())
    names = [node.get_friendly_name() for node in nodes if node.get_type_name() not in ("Parameter", "Result")]
    return [name for name in names if name not in begun & unfinished]


def _with_control(
    model: ov.Model,
    settings: dict[str, Any],
    folder: Path,
    *,
    limit: float,
    labels: list[int],
    takes: str,
    activations: list[Any],
    most_reverted: int,
    ranked_by: int,
) -> ov.Model:
    import nncf

    head = _head(folder / "head.npz", takes, activations)
    items = list(zip(sorted(folder.glob("validation-*.npy")), labels, strict=True))

    def score(compiled: Any, chosen: Iterable[tuple[Path, int]]) -> tuple[float, list[float]]:
        values = [-_loss(compiled, head, _read(scan), label) for scan, label in chosen]
        return float(np.mean(values)), values

    return nncf.quantize_with_accuracy_control(
        model,
        validation_dataset=nncf.Dataset(items, lambda item: _read(item[0])),
        validation_fn=score,
        max_drop=limit,
        advanced_accuracy_restorer_parameters=nncf.AdvancedAccuracyRestorerParameters(
            max_num_iterations=most_reverted, ranking_subset_size=min(ranked_by, len(items))
        ),
        **settings,
    )


def _loss(compiled: Any, head: Head, scan: Any, label: int) -> float:
    """Cross entropy of one scan, nats."""
    features = compiled(scan)["features" if head.input == "pooled" else "map"]
    (logits,) = head_logits(head, features.reshape(1, -1))
    return float(np.logaddexp.reduce(logits) - logits[label])


def _head(path: Path, takes: Any, activations: Sequence[Any]) -> Head:
    with np.load(path, allow_pickle=False) as arrays:
        layers = tuple(
            DenseLayer(arrays[f"weight{i}"], arrays[f"bias{i}"], activation) for i, activation in enumerate(activations)
        )
    return Head(kind="any", input=takes, layers=layers)


def _read(scan: Path) -> Any:
    return np.load(scan, allow_pickle=False)[None]


def _common_size(scans: Sequence[Path]) -> tuple[int, int]:
    """Height and width if all scans share them (a fixed shape is faster), else free."""
    sizes = {np.load(scan, mmap_mode="r", allow_pickle=False).shape[:2] for scan in scans}
    height, width = sizes.pop() if len(sizes) == 1 else (-1, -1)
    return height, width


def _count_layers(model: ov.Model) -> dict[str, Any]:
    layers = [node for node in model.get_ordered_ops() if is_weighted(node)]
    types = [
        constant.get_element_type()
        for node in layers
        for constant in filter(None, (constant_behind(value.get_node()) for value in node.input_values()))
    ]
    return {"layers": len(layers), "quantised_layers": sum(kind in _INTEGERS for kind in types)}
