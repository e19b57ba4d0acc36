from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tumorlens.runtime.graph_cache import facts_digest
from tumorlens.training.training_state import TrainingState


def test_what_was_saved_last_comes_back(tmp_path: Path) -> None:
    state = TrainingState(tmp_path / "state.npz", facts_digest({"seed": 1}))
    assert state.load() is None
    state.save({"step": 3}, {"weight": np.arange(4.0)})
    state.save({"step": 4, "history": [{"loss": 0.5}]}, {"weight": np.arange(5.0)})
    found = state.load()
    assert found is not None
    assert found[0]["step"] == 4 and found[0]["history"] == [{"loss": 0.5}]
    assert np.array_equal(found[1]["weight"], np.arange(5.0))
    assert [path.name for path in tmp_path.iterdir()] == ["state.npz"]


def test_the_state_of_another_training_is_passed_over(tmp_path: Path) -> None:
    TrainingState(tmp_path / "state.npz", facts_digest({"seed": 1})).save({"step": 3}, {})
    assert TrainingState(tmp_path / "state.npz", facts_digest({"seed": 2})).load() is None


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 half", b"no archive"])
def test_a_damaged_state_is_passed_over(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "state.npz").write_bytes(content)
    assert TrainingState(tmp_path / "state.npz", "w").load() is None
