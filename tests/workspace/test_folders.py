"""Where the workspace is found, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tumorlens.errors import InputError, IntegrityError
from tumorlens.workspace import Workspace, check_name


def test_argument_goes_before_environment_before_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TUMORLENS_HOME", raising=False)
    assert Workspace.locate().root == Path("tumorlens-workspace")
    monkeypatch.setenv("TUMORLENS_HOME", str(tmp_path / "home"))
    assert Workspace.locate().root == tmp_path / "home"
    assert Workspace.locate(tmp_path / "given").root == tmp_path / "given"


def test_locating_makes_nothing(tmp_path: Path) -> None:
    Workspace.locate(tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_file_instead_of_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="must be a folder, but .*file is a file"):
        Workspace.locate(tmp_path / "file")


@pytest.mark.parametrize(("text", "message"), [('{"format": 99}', "format 99"), ("{", "damaged"), ("{}", "damaged")])
def test_newer_or_damaged_marker(workspace: Workspace, text: str, message: str) -> None:
    (workspace.root / "workspace.json").write_text(text)
    with pytest.raises(IntegrityError, match=message):
        Workspace.locate(workspace.root)


@pytest.mark.parametrize("name", ["", "../up", ".hidden", "a/b", "a b", "-x", "x" * 101, "a\n", "a.", "CON", "nul.x"])
def test_names_that_cannot_be_folders(name: str) -> None:
    with pytest.raises(InputError, match="data set's name must be"):
        check_name(name, of="data set")


@pytest.mark.parametrize("name", ["bohaju", "Br35H_2020", "a.b-c", "1"])
def test_good_names(name: str) -> None:
    assert check_name(name, of="data set") == name
