"""A reader meets the old state or the new one, never half of it."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tumorlens.errors import StorageError
from tumorlens.workspace import (
    atomic_directory,
    atomic_path,
    remove_leftovers,
    write_json,
    write_text,
)
from tumorlens.workspace.atomic import RETIRED_PREFIX, TEMPORARY_PREFIX


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_write_replaces_whole_file(tmp_path: Path) -> None:
    goal = tmp_path / "deep" / "file.txt"
    write_text(goal, "old")
    write_text(goal, "new")
    assert goal.read_text() == "new"
    assert _names(goal.parent) == ["file.txt"]


def test_error_inside_block_keeps_old_file_and_leaves_nothing(tmp_path: Path) -> None:
    goal = tmp_path / "file.txt"
    write_text(goal, "old")
    with pytest.raises(RuntimeError), atomic_path(goal) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert goal.read_text() == "old"
    assert _names(tmp_path) == ["file.txt"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.EROFS])
def test_refusal_by_the_system_is_one_sentence(tmp_path: Path, number: int) -> None:
    with (
        pytest.raises(StorageError, match="could not be written: .*; .* run the command again"),
        atomic_path(tmp_path / "f"),
    ):
        raise OSError(number, os.strerror(number))
    assert _names(tmp_path) == []


def test_other_system_errors_are_not_hidden(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), atomic_path(tmp_path / "f"):
        (tmp_path / "missing").read_bytes()


def test_nan_is_not_written_as_json(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "f.json", {"value": float("nan")})
    assert _names(tmp_path) == []


def test_directory_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    goal = tmp_path / "folder"
    with pytest.raises(RuntimeError), atomic_directory(goal) as temporary:
        (temporary / "a").write_text("1")
        raise RuntimeError
    assert _names(tmp_path) == []
    with atomic_directory(goal) as temporary:
        (temporary / "a").write_text("1")
        assert not goal.exists()
    assert (goal / "a").read_text() == "1"


def test_directory_is_replaced_only_when_asked(tmp_path: Path) -> None:
    goal = tmp_path / "folder"
    with atomic_directory(goal) as temporary:
        (temporary / "a").write_text("1")
    with pytest.raises(FileExistsError), atomic_directory(goal):
        pass
    with atomic_directory(goal, replace=True) as temporary:
        (temporary / "b").write_text("2")
    assert _names(goal) == ["b"]
    assert _names(tmp_path) == ["folder"]


def test_killed_writer_leaves_only_what_cleanup_removes(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys; from pathlib import Path; from tumorlens.workspace import atomic_path\n"
        "with atomic_path(Path(sys.argv[1])) as temporary:\n"
        "    temporary.write_text('half'); os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path / "sub" / "file.txt")], check=False)
    left = _names(tmp_path / "sub")
    assert len(left) == 1 and left[0].startswith(TEMPORARY_PREFIX)
    living = tmp_path / f"{TEMPORARY_PREFIX}{os.getpid()}-aa-mine"
    living.touch()
    assert remove_leftovers(tmp_path) == [tmp_path / "sub" / left[0]]
    assert living.exists()


def test_failed_replacement_keeps_the_old_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    goal = tmp_path / "folder"
    with atomic_directory(goal) as temporary:
        (temporary / "a").write_text("old")
    rename = Path.rename

    def fail_for_new(self: Path, target: Path) -> Path:
        if self.name.startswith(TEMPORARY_PREFIX):
            raise OSError(errno.EIO, "input/output error")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail_for_new)
    with pytest.raises(OSError, match="input/output"), atomic_directory(goal, replace=True) as temporary:
        (temporary / "a").write_text("new")
    assert (goal / "a").read_text() == "old"
    assert _names(tmp_path) == ["folder"]


def test_folder_set_aside_by_a_killed_process_comes_back(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    aside = tmp_path / f"{RETIRED_PREFIX}{gone.pid}-00ff-clinic"
    aside.mkdir()
    (aside / "a").write_text("old")
    assert remove_leftovers(tmp_path) == [aside]
    assert (tmp_path / "clinic" / "a").read_text() == "old"


def test_folder_set_aside_goes_once_its_successor_is_there(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    (tmp_path / "clinic").mkdir()
    (tmp_path / f"{RETIRED_PREFIX}{gone.pid}-00ff-clinic").mkdir()
    remove_leftovers(tmp_path)
    assert _names(tmp_path) == ["clinic"]


def test_a_folder_that_appeared_meanwhile_is_replaced(tmp_path: Path) -> None:
    goal = tmp_path / "folder"
    with atomic_directory(goal, replace=True) as temporary:
        (temporary / "a").write_text("mine")
        goal.mkdir()
        (goal / "b").write_text("theirs")
    assert _names(goal) == ["a"]
