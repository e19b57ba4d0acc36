"""What all methods share: from scans to evidence. A method gives maps of logits; the contrast is taken here."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from tumorlens.errors import InputError
from tumorlens.explanation.evidence import class_evidence
from tumorlens.types import Maps, Pixels

__all__ = ["MapMethod", "ModelFiles"]


@dataclass(frozen=True)
class ModelFiles:
    """The model to explain, as a bundle keeps it.

    Attributes:
        graph: The bundle's graph (``model.xml``).
        keras: Its ``.keras`` model; ``None``: there is none.
        threads: CPU threads; ``None``: all.
    """

    graph: Path
    keras: Path | None = None
    threads: int | None = None


class MapMethod(ABC):
    """One way to say where a score came from.

    Args:
        model: What is explained.

    Attributes:
        name: As in :data:`~tumorlens.explanation.methods.METHODS`.
        title: For people, with the paper.
    """

    name: ClassVar[str]
    title: ClassVar[str]

    def __init__(self, model: ModelFiles) -> None:
        self.model = model

    def evidence(self, scans: Sequence[Pixels], *, targets: Sequence[int]) -> list[npt.NDArray[np.float32]]:
        """The map of one class for each scan.

        Args:
            scans: Each ``(h, w, 3)`` uint8 in 0..255, of any size, the model's declared steps already applied.
            targets: Index of the class for each scan.

        Returns:
            For each scan ``(h, w)`` float32 over the whole scan: above 0 where a cell speaks for the class. For
            :class:`~tumorlens.explanation.methods.Cam` in log-odds before any temperature; other methods have units
            of their own.

        Raises:
            InputError: A scan is not such pixels, there is no such class, or there are not as many targets as scans.
            TumorlensError: What the method needs is missing or failed.
        """
        for scan in scans:
            if scan.dtype != np.uint8 or scan.ndim != 3 or scan.shape[2] != 3 or 0 in scan.shape:
                raise InputError(f"A scan must be uint8 of shape (h, w, 3), got {scan.dtype} of shape {scan.shape}.")
        if len(scans) != len(targets):
            raise InputError(f"Expected one class for each scan, got {len(targets)} for {len(scans)} scans.")
        maps = self.class_maps(scans) if scans else ()
        return [class_evidence(each, target=target) for each, target in zip(maps, targets, strict=True)]

    @abstractmethod
    def class_maps(self, scans: Sequence[Pixels]) -> Iterable[Maps]:
        """``(h, w, k)`` float32 for each scan: where the logit of each class came from, but for what all share."""
