"""The small graphs as a parameter, and what OpenVINO computes from them."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest


def _load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SMALL = _load("small_graphs")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Tests that take ``small_graph`` run once for each."""
    if "small_graph" in metafunc.fixturenames:
        metafunc.parametrize("small_graph", list(SMALL.GRAPHS.values()), ids=list(SMALL.GRAPHS))


@pytest.fixture(scope="session")
def noise_batch() -> np.ndarray:
    """``(2, 4, 9, 11)`` coloured noise, the small graphs' input."""
    return SMALL.NOISE


@pytest.fixture(scope="session")
def small() -> Any:
    """The module of small graphs."""
    return SMALL
