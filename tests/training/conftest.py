"""Tiny stores that child processes can open."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tumorlens.datasets import open_pixel_store
from tumorlens.features import FeatureKind, FeatureStore
from tumorlens.training import DatasetSource, StoreSource
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
def store_scans() -> Callable[[Path, Sequence[Pixels]], DatasetSource]:
    """Keeps scans in a pixel store in a folder."""

    def store(folder: Path, scans: Sequence[Pixels]) -> DatasetSource:
        digests = _digests(len(scans))
        with open_pixel_store(folder / "pixels", writable=True) as opened:
            opened.write(zip(digests, scans, strict=True))
        return DatasetSource(folder / "pixels", digests)

    return store
