"""Whether a trained model computes in 8-bit integers: quantised, checked on the validation part, measured, decided.

The head stays in full precision. What is accepted here gives all answers of the run, so that what is measured is what
ships.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from tumorlens.datasets import Split
from tumorlens.errors import InputError
from tumorlens.extras import require_extra
from tumorlens.runtime import Head, compile_graph
from tumorlens.runtime.quantised_graphs import LossControl, QuantisedGraph, quantised_graph
from tumorlens.runtime.side_by_side import SpeedRatio, compare_speed
from tumorlens.types import Labels, Pixels, Probabilities
from tumorlens.workflows.context import RunContext
from tumorlens.workflows.heads import row_probabilities

__all__ = [
    "CALIBRATION_SCANS",
    "FULL_PRECISION",
    "MOST_LOSS_RISE",
    "PRECISIONS",
    "WANTED_SPEED",
    "Answers",
    "Precision",
    "PrecisionChoice",
    "check_precision",
    "choose_precision",
]

Precision = Literal["fp32", "int8", "auto"]

Answers = Callable[[QuantisedGraph], Probabilities]
"""Gives the probabilities ``(n, k)`` of all rows, uncalibrated, that a model with this graph would ship."""

PRECISIONS: tuple[str, ...] = get_args(Precision)
"""What may be asked for."""

MOST_LOSS_RISE = 0.01
"""A quantised network is accepted where the validation loss rises by less than this, nats."""

WANTED_SPEED = 1.1
"""``auto`` takes a quantised network that is at least so many times as fast."""

CALIBRATION_SCANS = 300
"""How many training scans tell which values each layer meets."""

_MEASURED_SCANS = 16
_TINY = 1e-300


@dataclass(frozen=True)
class PrecisionChoice:
    """What a run computes in, and why.

    Attributes:
        used: ``fp32`` or ``int8``; ``mixed`` for an ensemble of both.
        words: What was measured and decided, a sentence; empty where nothing was to be decided.
        graph: The quantised graph, where ``used`` is ``int8``.
        facts: The figures behind it, plain values.
    """

    used: str
    words: str = ""
    graph: QuantisedGraph | None = None
    facts: dict[str, Any] = field(default_factory=dict)


FULL_PRECISION = PrecisionChoice("fp32")
"""Nothing was quantised, and nobody asked for it."""


def check_precision(precision: str, split: Split) -> None:
    """Raise, before any long work, where a precision cannot be had.

    Raises:
        InputError: There is none of that name, or no validation part to check it on.
        MissingExtraError: NNCF is not installed.
    """
    if precision not in PRECISIONS:
        raise InputError(f"Expected --precision {', '.join(PRECISIONS)}, got {precision!r}.")
    if precision == "fp32":
        return
    require_extra("int8", purpose=f"--precision {precision}")
    if len(split.rows("validation")) == 0:
        raise InputError(
            f"--precision {precision} is checked on the validation part, but this split has none: leave it out or take "
            "another split."
        )


def choose_precision(
    context: RunContext,
    graph: Path,
    head: Head,
    probabilities: Probabilities,
    *,
    title: str,
    answers: Answers | None = None,
) -> PrecisionChoice:
    """Quantise a network if the context asks for it, and decide whether it is used.

    First every layer is quantised that can be; where the validation loss rises too much, layers go back to full
    precision one by one; where that does not help, the run stays in full precision.

    Args:
        context: Data set, split, and the precision asked for.
        graph: The network in full precision, without head: outputs "map" and "features".
        head: The trained head.
        probabilities: ``(n, k)`` of all rows in full precision, uncalibrated.
        title: What the network is called.
        answers: Gives what would ship with a quantised graph: for a frozen network its head is fitted anew, on the
            features that it will meet. ``None``: ``head`` as it is.
    """
    if context.precision == "fp32":
        return FULL_PRECISION
    with context.dataset.open_pixels() as pixels:
        choice = _Attempt(context, graph, head, probabilities, title, pixels.get, answers).decide()
    context.progress.say(f"{title}: {choice.words}")
    return choice


@dataclass(frozen=True, eq=False)
class _Attempt:
    """One network to be quantised."""

    context: RunContext
    graph: Path
    head: Head
    probabilities: Probabilities
    title: str
    read: Callable[[str], Pixels]
    answers: Answers | None

    def decide(self) -> PrecisionChoice:
        rows = self.context.split.rows("validation")
        labels = self.context.dataset.labels[rows]
        before = self._loss(self.probabilities[rows], labels)
        calibration = calibration_rows(self.context)
        facts: dict[str, Any] = {"asked_for": self.context.precision, "calibration_scans": len(calibration)}
        control = LossControl(self.head, self._digests(rows), labels, MOST_LOSS_RISE)
        for each in (None, control):
            found = self._quantise(calibration, each)
            speed = self._speed(found, calibration)
            facts |= _speed_facts(found, speed)
            if self.context.precision == "auto" and speed.ratio < WANTED_SPEED:
                return PrecisionChoice("fp32", _too_slow(speed), facts=facts)
            after = self._loss(self._answers(found, rows), labels)
            facts |= {"validation_loss_fp32": before, "validation_loss_int8": after}
            if after - before < MOST_LOSS_RISE:
                return PrecisionChoice("int8", _accepted(before, after, found, speed), found, facts)
        return PrecisionChoice("fp32", _too_much(before, after), facts=facts)

    def _digests(self, rows: npt.NDArray[np.int64]) -> list[str]:
        return [str(digest) for digest in self.context.dataset.digests[rows]]

    def _quantise(self, calibration: npt.NDArray[np.int64], control: LossControl | None) -> QuantisedGraph:
        return quantised_graph(
            self.graph,
            calibration=self._digests(calibration),
            read=self.read,
            control=control,
            cache=self.context.workspace.graphs,
            title=self.title,
            threads=self.context.threads,
            progress=self.context.progress,
        )

    def _speed(self, found: QuantisedGraph, calibration: npt.NDArray[np.int64]) -> SpeedRatio:
        spread = calibration[np.linspace(0, len(calibration) - 1, min(_MEASURED_SCANS, len(calibration))).astype(int)]
        scans = [self.read(digest) for digest in self._digests(spread)]
        with self.context.progress.task(f"{self.title}: speed of fp32 and int8", total=1) as task:
            speed = compare_speed(self.graph, found.path, scans, threads=self.context.threads)
            task.advance()
        return speed

    def _answers(self, found: QuantisedGraph, rows: npt.NDArray[np.int64]) -> Probabilities:
        """``(m, k)`` of some rows, uncalibrated; each distinct scan is computed once."""
        if self.answers is not None:
            return self.answers(found)[rows]
        output = "features" if self.head.input == "pooled" else "map"
        network = compile_graph(found.path, outputs=[output], threads=self.context.threads)
        digests = self._digests(rows)
        distinct = list(dict.fromkeys(digests))
        given = {}
        with self.context.progress.task(f"{self.title}: validation scans in int8", total=len(distinct)) as task:
            for digest, outputs in network.stream((digest, self.read(digest)) for digest in distinct):
                given[digest] = row_probabilities(self.head, outputs[output].reshape(1, -1))
                task.advance()
        return np.concatenate([given[digest] for digest in digests])

    @staticmethod
    def _loss(probabilities: Probabilities, labels: Labels) -> float:
        """Mean cross entropy, nats."""
        return float(-np.log(np.clip(probabilities[np.arange(len(labels)), labels], _TINY, None)).mean())


def calibration_rows(context: RunContext) -> npt.NDArray[np.int64]:
    """Rows of distinct training scans, as many of each class where the part holds enough, ascending."""
    rows = context.split.rows("train")
    _, first = np.unique(context.dataset.digests[rows], return_index=True)
    rows = np.random.default_rng(context.seed).permutation(rows[np.sort(first)])
    labels = context.dataset.labels[rows]
    each = CALIBRATION_SCANS // len(context.dataset.classes)
    return np.sort(np.concatenate([rows[labels == code][:each] for code in range(len(context.dataset.classes))]))


def _speed_facts(found: QuantisedGraph, speed: SpeedRatio) -> dict[str, Any]:
    return {
        "layers": found.layers,
        "quantised_layers": found.quantised_layers,
        "scans_per_second_fp32": round(speed.first, 2),
        "scans_per_second_int8": round(speed.second, 2),
        "speed_ratio": round(speed.ratio, 3),
    }


def _accepted(before: float, after: float, found: QuantisedGraph, speed: SpeedRatio) -> str:
    layers = "" if found.quantised_layers == found.layers else f" in {found.quantised_layers} of {found.layers} layers"
    return (
        f"Computes in int8{layers}: validation loss {after:.4f} instead of {before:.4f} in full precision, "
        f"{speed.ratio:.2f} times as fast on this machine."
    )


def _too_slow(speed: SpeedRatio) -> str:
    return (
        f"Stays in full precision: int8 is {speed.ratio:.2f} times as fast on this machine, and --precision auto wants "
        f"{WANTED_SPEED:g}."
    )


def _too_much(before: float, after: float) -> str:
    return (
        f"Stays in full precision: in int8 the validation loss is {after:.4f} instead of {before:.4f}, and a rise of "
        f"less than {MOST_LOSS_RISE:g} is accepted."
    )
