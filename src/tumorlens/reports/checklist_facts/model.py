"""What a run knows of the model items of a checklist: network, training, output, software."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tumorlens.bundles import BundleCard, check_words
from tumorlens.reports.checklist_facts.registry import fact
from tumorlens.reports.report_facts import ReportFacts
from tumorlens.reports.wording import row_title

__all__ = ["licences"]


@fact
def technique(facts: ReportFacts) -> str:
    """The kind of AI."""
    if facts.row is None:
        return ""
    if facts.row.kind == "scratch":
        return "Deep learning: a convolutional network trained from scratch, on single two-dimensional slices."
    if facts.row.kind == "ensemble":
        return "Deep learning by transfer: several models, the weighted mean of whose probabilities is the answer."
    if facts.row.trained_from is not None:
        which = "all layers" if facts.row.trained_from == "all" else f"the layers from {facts.row.trained_from} on"
        return f"Deep learning by transfer: {facts.network}, of which {which} were trained further."
    return f"Deep learning by transfer: {facts.network} as a frozen feature extractor with a {facts.row.head} head."


@fact
def architecture(facts: ReportFacts) -> str:
    """Network, head, input and output."""
    if facts.card is None:
        return ""
    parts = [_part(facts.card.backbone, facts.card.head)] if facts.card.backbone else []
    parts += [
        f"{_part(each['backbone'], each['head'])}, at {each['size']} pixels (weight {each['weight']:.3f})"
        for each in facts.card.members
    ]
    return (
        f"{'; '.join(parts)}; input {_pixels(facts.card)} pixels; output a probability for each of "
        f"{len(facts.card.labels)} classes and a coarse map of where each score came from."
    )


def _part(backbone: Mapping[str, Any], head: Mapping[str, Any] | None) -> str:
    """One network with its head."""
    paper = backbone.get("paper", "")
    on_top = f"; {head.get('kind')} head on its {head.get('input')} features" if head else ""
    return f"{backbone.get('title')}{f' ({paper})' if paper else ''}{on_top}"


@fact
def software(facts: ReportFacts) -> str:
    """Versions."""
    return ", ".join(f"{name} {version}" for name, version in facts.comparison.versions.items())


@fact
def initialisation(facts: ReportFacts) -> str:
    """Where the weights came from."""
    if facts.card is None:
        return ""
    return " ".join(dict.fromkeys(_weights(network) for network in facts.card.networks))


def _weights(network: Mapping[str, Any]) -> str:
    weights = network.get("weights")
    if not isinstance(weights, dict):
        return "Random weights, trained from scratch."
    return f"Weights: {weights.get('kind')}; SHA-256 of the tensors {str(weights.get('tensors', ''))[:12]}."


@fact
def training(facts: ReportFacts) -> str:
    """Settings of the training."""
    return "; ".join(f"{name.replace('_', ' ')}: {_plain(value)}" for name, value in facts.head.items())


@fact
def selection(facts: ReportFacts) -> str:
    """How the model was chosen."""
    if facts.single:
        return ""
    best = facts.comparison.best_row
    chosen = "no model could be chosen" if best is None else row_title(best)
    rule = "The highest accuracy on the validation part, the lower loss deciding ties"
    return f"{rule}: {chosen}. Test scans played no role."


@fact
def ensemble(facts: ReportFacts) -> str:
    """Whether one model answers, or which together."""
    if facts.row is None:
        return ""
    if facts.row.members is None:
        return "None: one model answers."
    shares = ", ".join(f"{run} {weight:.3f}" for run, weight in facts.row.members.items())
    return f"The weighted mean of calibrated probabilities: {shares}. {facts.row.note or ''}".rstrip()


@fact
def explanation(facts: ReportFacts) -> str:
    """The heatmap."""
    if facts.card is None:
        return ""
    return (
        "A coarse map of where each score came from, from the same pass as the score; it does not say that a lesion "
        f"lies there. {check_words(facts.card.heatmap_check)}"
    )


def licences(facts: ReportFacts) -> str:
    """Licences of the pretrained weights behind the model; empty for none."""
    networks = facts.card.networks if facts.card else ()
    return ", ".join(dict.fromkeys(str(network["licence"]) for network in networks if network.get("licence")))


@fact
def updating(facts: ReportFacts) -> str:
    """Calibration after training."""
    if facts.card is None:
        return ""
    return f"{facts.card.calibration} A run is not changed once its test part was opened."


@fact
def prediction_path(facts: ReportFacts) -> str:
    """How predictions are made."""
    if facts.row is None or facts.row.run is None:
        return ""
    return f"By the stored graph: tumorlens predict {facts.row.run} SCAN; a user gives a file and needs to do no more."


@fact
def output(facts: ReportFacts) -> str:
    """Probabilities and threshold."""
    if facts.card is None:
        return ""
    point = facts.card.operating_point
    if point is None:
        return f"A probability for each class; the largest is the answer. {facts.card.calibration}"
    return (
        f"A probability for each class; “{point.positive_class}” from {point.threshold:.3g} on ({point.basis}), fixed "
        f"without test scans. {facts.card.calibration}"
    )


def _plain(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.3g}"
    return " and ".join(map(_plain, value)) if isinstance(value, list | tuple) else str(value)


@fact
def preprocessing(facts: ReportFacts) -> str:
    """Steps from a file to the network."""
    if facts.card is None:
        return ""
    steps = ", ".join(facts.card.scan_steps) or "none"
    return (
        f"Steps before the network: {steps}. The graph resizes to {_pixels(facts.card)} pixels and normalises as in "
        "each network's own training."
    )


def _pixels(card: BundleCard) -> str:
    """``240×240``, of an ensemble ``192×192 and 240×240``."""
    return " and ".join(f"{size}×{size}" for size in card.sizes)
