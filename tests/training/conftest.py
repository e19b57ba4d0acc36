"""Tiny stores that child processes can open."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tumorlens.datasets import open_pixel_store
from tumorlens.features import FeatureKind, FeatureStore, ViewSettings
from tumorlens.training import FittedNetwork, StoreSource, ViewSource
from tumorlens.types import Features, Pixels


def _digests(count: int) -> list[str]:
    return [f"{row:064x}" for row in range(count)]


@pytest.fixture(scope="session")
def store_features() -> Callable[[Path, Features], StoreSource]:
    """Keeps the rows of a matrix in a feature store in a folder."""

    def store(folder: Path, features: Features) -> StoreSource:
        kind = FeatureKind(
            backbone="vgg16",
            graph_digest="w" * 64,
            size=240,
            view="flat",
            scan_steps=(),
            width=features.shape[1],
        )
        digests = _digests(len(features))
        with FeatureStore(folder / "features") as opened:
            opened.put_many(kind, list(zip(digests, features, strict=True)))
        return StoreSource(folder / "features", kind.prefix, digests)

    return store


@pytest.fixture(scope="session")
def store_scans() -> Callable[..., ViewSource]:
    """Keeps scans in a pixel store in a folder; ``views``: how they are augmented."""

    def store(folder: Path, scans: Sequence[Pixels], *, size: int, views: ViewSettings | None = None) -> ViewSource:
        digests = _digests(len(scans))
        with open_pixel_store(folder / "pixels", writable=True) as opened:
            opened.write(zip(digests, scans, strict=True))
        return ViewSource(folder / "pixels", digests, size, views)

    return store


@pytest.fixture(scope="session")
def kill_training() -> Callable[[str, Mapping[str, Any]], None]:
    """Calls ``be_killed(facts)`` of a test module beside this file in a process that must die of it."""

    def kill(module: str, facts: Mapping[str, Any]) -> None:
        script = (
            f"import json, sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); import {module} as module; "
            "module.be_killed(json.loads(sys.stdin.read()))"
        )
        process = subprocess.run(
            [sys.executable, "-c", script],
            input=json.dumps(facts),
            text=True,
            capture_output=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
            check=False,
        )
        assert process.returncode == -signal.SIGKILL, process.stderr

    return kill


@pytest.fixture(scope="session")
def read_scalars() -> Callable[[Path], dict[tuple[str, int], float]]:
    """Reads what TensorBoard would, by tag and step; a point that is there twice is an error."""

    def read(folder: Path) -> dict[tuple[str, int], float]:
        import tensorflow as tf

        scalars: dict[tuple[str, int], float] = {}
        for file in folder.iterdir():
            for record in tf.data.TFRecordDataset(str(file)).as_numpy_iterator():
                event = tf.compat.v1.Event.FromString(record)
                for value in event.summary.value:
                    assert (value.tag, event.step) not in scalars
                    scalars[value.tag, event.step] = value.simple_value
        return scalars

    return read


@pytest.fixture(scope="session")
def assert_same_training(read_scalars) -> Callable[[FittedNetwork, FittedNetwork], None]:
    """Holds two trainings against each other to 1e-5: history, head, and what TensorBoard shows."""

    def check(first: FittedNetwork, second: FittedNetwork) -> None:
        for one, other in zip(first.history, second.history, strict=True):
            assert list(asdict(one).values()) == pytest.approx(list(asdict(other).values()), abs=1e-5)
        for one, other in zip(first.head.layers, second.head.layers, strict=True):
            assert np.allclose(one.weight, other.weight, atol=1e-5) and np.allclose(one.bias, other.bias, atol=1e-5)
        for part in ("train", "validation"):
            assert read_scalars(first.events / part) == pytest.approx(read_scalars(second.events / part), abs=1e-5)

    return check
