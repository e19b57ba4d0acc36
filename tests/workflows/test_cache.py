"""What the caches hold is shown and removed; a training that runs is left alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from filelock import FileLock

from tumorlens.cli.main import main
from tumorlens.errors import InputError
from tumorlens.workflows.resumable import list_resumable, open_resumable
from tumorlens.workspace import Workspace


def stop_a_training(workspace: Workspace, run: str, size: int = 3_000_000) -> Path:
    """As a kill leaves it: the folder with a state, and a lock that nobody holds."""
    with pytest.raises(KeyboardInterrupt), open_resumable(workspace, run) as folder:
        (folder / "state.npz").write_bytes(bytes(size))
        raise KeyboardInterrupt
    return folder


def test_stopped_trainings_are_shown_and_go_and_running_ones_stay(workspace: Workspace, capsys) -> None:
    stopped, running = stop_a_training(workspace, "a-scratch-1"), stop_a_training(workspace, "b-fine-tuned-2", 0)
    place = ["--workspace", str(workspace.root)]
    with FileLock(running.with_name("b-fine-tuned-2.lock")):
        assert main(["cache", "show", "--json", *place]) == 0
        trainings = json.loads(capsys.readouterr().out)["trainings"]
        assert [(each["run"], each["running"]) for each in trainings] == [
            ("a-scratch-1", False),
            ("b-fine-tuned-2", True),
        ]
        assert trainings[0]["mb"] == pytest.approx(3.0, abs=0.1)
        assert main(["cache", "show", *place]) == 0
        shown = capsys.readouterr().out
        assert "a-scratch-1: 3.0 MB, stopped; the command that began it goes on from here" in shown
        assert main(["cache", "clean", "--yes", *place]) == 0
        assert "Freed 3.0 MB" in capsys.readouterr().out
        assert not stopped.exists()
        assert running.is_dir()
    assert [each.run for each in list_resumable(workspace)] == ["b-fine-tuned-2"]


def test_only_what_is_asked_for_goes(workspace: Workspace) -> None:
    folder = stop_a_training(workspace, "run")
    workspace.graphs.mkdir()
    place = ["--workspace", str(workspace.root), "--yes"]
    assert main(["cache", "clean", "--features", *place]) == 0
    assert folder.is_dir() and workspace.graphs.is_dir()
    assert main(["cache", "clean", "--trainings", *place]) == 0
    assert not folder.exists() and workspace.graphs.is_dir()


def test_a_finished_training_leaves_nothing_and_a_second_process_is_refused(workspace: Workspace) -> None:
    with open_resumable(workspace, "run") as folder:
        lock = folder.with_name("run.lock")
        with (
            pytest.raises(InputError, match="Another process is training the run run"),
            open_resumable(workspace, "run"),
        ):
            pass
        assert folder.is_dir() and lock.is_file()
    assert not folder.exists()
