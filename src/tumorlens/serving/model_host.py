"""The one model in memory: loaded once, asked by all requests, replaced whole or not at all."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from tumorlens.bundles import Predictor
from tumorlens.bundles.files import GRAPH_FILE
from tumorlens.bundles.predictor import GRAPH_OUTPUTS
from tumorlens.errors import IntegrityError
from tumorlens.runtime.graph_queue import GraphQueue
from tumorlens.types import Pixels

__all__ = ["HostedModel", "ModelHost"]

_TEST_SIDES = ((96, 120), (240, 240), (64, 64), (240, 180))
_TEST_TOLERANCE = 1e-4


class HostedModel:
    """A verified bundle with a queue before its graph.

    Args:
        bundle: Its folder.
        threads: CPU threads; ``None``: all.
        most_waiting: Most scans that may wait.

    Raises:
        IntegrityError: The bundle is not what was written, or fails its self-test.
    """

    def __init__(self, bundle: Path, *, threads: int | None, most_waiting: int) -> None:
        self.predictor = Predictor(bundle, threads=threads)
        self.queue = GraphQueue(
            self.predictor.folder / GRAPH_FILE,
            outputs=list(GRAPH_OUTPUTS),
            threads=threads,
            most_waiting=most_waiting,
        )
        try:
            self._test()
        except BaseException:
            self.queue.close()
            raise

    @property
    def name(self) -> str:
        """What the model is called in paths of the API: the run that it came from."""
        return self.predictor.card.name

    @property
    def output_shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of each output for one scan, without the first axis."""
        return self._shapes

    def _test(self) -> None:
        """Answers for a few made-up scans are probabilities, and the queue gives what the predictor gives."""
        scans = _test_scans()
        futures = [self.queue.submit(scan) for scan in scans]
        self._shapes = {name: output.shape[1:] for name, output in futures[0].result().items()}
        for scan, future in zip(scans, futures, strict=True):
            found = future.result()["probabilities"][0].astype(np.float64)
            asked = self.predictor.predict_many([scan]).probabilities[0]
            sound = np.isfinite(found).all() and (found >= 0).all() and abs(found.sum() - 1) < _TEST_TOLERANCE
            if not sound or np.abs(found - asked).max() > _TEST_TOLERANCE:
                raise IntegrityError(
                    f"The model {self.predictor.card.model} failed its self-test: its answers for made-up scans are no "
                    "probabilities, or differ from one another; make the bundle again."
                )


class ModelHost:
    """Holds the model that is served.

    Args:
        bundle: Folder of the first.
        threads: CPU threads; ``None``: all.
        most_waiting: Most scans that may wait.

    Raises:
        IntegrityError: The bundle is not what was written, or fails its self-test.
    """

    def __init__(self, bundle: Path, *, threads: int | None, most_waiting: int) -> None:
        self._threads, self._most_waiting = threads, most_waiting
        self._changed = threading.Condition()
        self._swapping = threading.Lock()
        self._users: dict[HostedModel, int] = {}
        self._current = self._load(bundle)

    @contextmanager
    def model(self) -> Iterator[HostedModel]:
        """The model, which stays as it is until the block ends, whatever is swapped in meanwhile."""
        with self._changed:
            model = self._current
            self._users[model] = self._users.get(model, 0) + 1
        try:
            yield model
        finally:
            with self._changed:
                self._users[model] -= 1
                if not self._users[model]:
                    del self._users[model]
                self._changed.notify_all()

    @property
    def depth(self) -> int:
        """How many scans wait or are computed."""
        return self._current.queue.depth

    def swap(self, bundle: Path) -> None:
        """Put another model in the place of this one, which goes on where the other is not sound.

        Requests that were begun are answered by the model that they began with.

        Raises:
            IntegrityError: The bundle is not what was written, or fails its self-test; nothing has changed then.
        """
        with self._swapping:
            new = self._load(bundle)
            with self._changed:
                old, self._current = self._current, new
                self._changed.wait_for(lambda: old not in self._users)
            old.queue.close()

    def close(self) -> None:
        """Let go of the model, once all requests are answered."""
        with self._changed:
            self._changed.wait_for(lambda: not self._users)
        self._current.queue.close()

    def _load(self, bundle: Path) -> HostedModel:
        return HostedModel(bundle, threads=self._threads, most_waiting=self._most_waiting)


def _test_scans() -> list[Pixels]:
    """Noise of several sizes, always the same."""
    random = np.random.default_rng(0)
    return [random.integers(0, 256, (*side, 3), dtype=np.uint8) for side in _TEST_SIDES]
