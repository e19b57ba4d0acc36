"""``bundle.json``: everything a bundle knows about itself, as plain JSON with a digest over itself.

Holds no scan, no thumbnail and no name of a person or file of the training data.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from tumorlens.bundles.rules import ConformalRule, NoveltyRule, OperatingPoint
from tumorlens.errors import IntegrityError
from tumorlens.runtime import Calibration
from tumorlens.workspace import write_text

__all__ = ["CARD_FILE", "FORMAT_VERSION", "BundleCard", "check_words", "read_card", "write_card"]

CARD_FILE = "bundle.json"
FORMAT_VERSION = 4


@dataclass(frozen=True)
class BundleCard:
    """The facts of a bundle.

    Attributes:
        name: The run it came from.
        created: ISO 8601 time, UTC.
        labels: Class names in the order of the graph's outputs.
        backbone: Facts of the network: name, title, licence, paper, weights; ``None`` for an ensemble.
        head: Kind and input of the classifier on top; ``None`` for an ensemble.
        size: Side of the network's square input in pixels; scans of any size are resized to it in the graph. ``None``
            for an ensemble, each member of which resizes for itself.
        scan_steps: Steps between a file and the graph, applied at training and at prediction.
        temperature: What logits (of an ensemble: logarithms of the mean probabilities) are divided by before the
            softmax.
        shift: What is added to each logit after that; empty: nothing.
        calibration: What the probabilities rest on, in words.
        operating_point: Threshold for two classes; ``None`` for more (the largest probability answers).
        conformal: From which probability on each class stands in a scan's set; ``None``: sets are not offered.
        novelty: From which distance on a scan is unlike the training data; ``None``: not offered.
        not_offered: Why sets or novelty are not offered, a sentence each.
        manifest_digest: Digest of the data set it was trained on.
        split_digest: Digest of the split.
        metrics: The run's figures.
        marks: What must be said with every answer ("synthetic", "random weights").
        versions: Versions of tumorlens and what it rests on.
        files: SHA-256 of every other file of the bundle.
        use: The limits of use, in words.
        heatmap_check: Whether its heatmaps depend on what was learned (see ``explanation/randomisation.py``); ``None``:
            not checked.
        members: Of an ensemble, for each member: ``model`` (as :attr:`model`), ``digest``, ``weight``, and its
            ``backbone``, ``head``, ``size``, ``temperature`` and ``shift``; else empty.
        precision: What the network computes in, ``fp32`` or ``int8`` (``mixed`` for an ensemble of both); the head and
            the ``.keras`` model are in full precision always.
    """

    name: str
    created: str
    labels: tuple[str, ...]
    backbone: Mapping[str, Any] | None
    head: Mapping[str, Any] | None
    size: int | None
    scan_steps: tuple[str, ...]
    temperature: float
    shift: tuple[float, ...]
    calibration: str
    operating_point: OperatingPoint | None
    conformal: ConformalRule | None
    novelty: NoveltyRule | None
    not_offered: tuple[str, ...]
    manifest_digest: str
    split_digest: str
    metrics: Mapping[str, Any]
    marks: tuple[str, ...]
    versions: Mapping[str, str]
    files: Mapping[str, str] = field(default_factory=dict)
    use: str = "Research output, not for patient care."
    heatmap_check: Mapping[str, Any] | None = None
    members: tuple[Mapping[str, Any], ...] = ()
    precision: str = "fp32"

    @property
    def title(self) -> str:
        """The network's name in text, or that of how many models it is an ensemble."""
        return f"Ensemble of {len(self.members)} models" if self.backbone is None else str(self.backbone["title"])

    @property
    def networks(self) -> tuple[Mapping[str, Any], ...]:
        """Facts of its network, or of the members' networks, each once."""
        if self.backbone is not None:
            return (self.backbone,)
        different: list[Mapping[str, Any]] = []
        different += (each["backbone"] for each in self.members if each["backbone"] not in different)
        return tuple(different)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Sides of the square inputs that scans are resized to, in pixels, ascending."""
        return (self.size,) if self.size is not None else tuple(sorted({int(each["size"]) for each in self.members}))

    @property
    def scaling(self) -> Calibration:
        """What the graph does to logits before the softmax."""
        return Calibration(self.temperature, self.shift)

    @property
    def digest(self) -> str:
        """SHA-256 over all facts, the files' digests included: it names the model."""
        return hashlib.sha256(_canonical(asdict(self))).hexdigest()

    @property
    def model(self) -> str:
        """The model's name on screen and in JSON: run name, ``@``, 12 digits of the digest."""
        return f"{self.name}@{self.digest[:12]}"


def check_words(check: Mapping[str, Any] | None) -> str:
    """What a card's check of heatmaps found, a sentence."""
    return "Heatmaps were not checked." if check is None else str(check["words"])


def write_card(folder: Path, card: BundleCard) -> None:
    """Write ``bundle.json`` into ``folder``."""
    document = {"format": FORMAT_VERSION, "digest": card.digest, **asdict(card)}
    write_text(
        folder / CARD_FILE,
        json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n",
    )


def read_card(folder: Path) -> BundleCard:
    """Read and check ``bundle.json``.

    Raises:
        IntegrityError: It is missing, damaged, changed, or written by a newer tumorlens.
    """
    path = folder / CARD_FILE
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        version = int(document.pop("format"))
        digest = str(document.pop("digest"))
    except FileNotFoundError:
        raise IntegrityError(
            f"A bundle is a folder with {CARD_FILE}, but {folder} has none: "
            "give the bundle folder of a run (runs/NAME/bundle)."
        ) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError):
        raise _damaged(path) from None
    if version > FORMAT_VERSION:
        raise IntegrityError(
            f"{path} has format {version}, this tumorlens reads up to {FORMAT_VERSION}: upgrade tumorlens."
        )
    if 0 < version < FORMAT_VERSION:
        raise IntegrityError(
            f"{path} has format {version}, this tumorlens reads format {FORMAT_VERSION}: make the bundle again by the "
            "command that made it."
        )
    card = _card_from(document, path)
    if version != FORMAT_VERSION or card.digest != digest:
        raise _damaged(path)
    return card


def _card_from(document: dict[str, Any], path: Path) -> BundleCard:
    known = {item.name for item in fields(BundleCard)}
    if not isinstance(document, dict) or set(document) != known:
        raise _damaged(path)
    try:
        rules: dict[str, Any] = {
            name: None if (stored := document.pop(name)) is None else kind(**_tuples(stored))
            for name, kind in (
                ("operating_point", OperatingPoint),
                ("conformal", ConformalRule),
                ("novelty", NoveltyRule),
            )
        }
        return BundleCard(**rules, **_tuples(document))
    except (TypeError, AttributeError):
        raise _damaged(path) from None


def _tuples(document: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in document.items()}


def _damaged(path: Path) -> IntegrityError:
    return IntegrityError(f"{path} was changed or damaged after it was written: make the bundle again or restore it.")


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
