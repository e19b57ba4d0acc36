"""The command line of a search: what is refused, and how to go on after Ctrl-C."""

from __future__ import annotations

from pathlib import Path

import pytest

from tumorlens.cli.main import main


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--budget", "20"], "did you mean 20m or 20s"),
        (["--budget", "10s"], "at least 30s"),
        (["--sizes", "64,big"], "numbers from 32 to 1024"),
        (["--sizes", ","], "numbers from 32 to 1024"),
    ],
)
def test_options_that_do_not_fit_are_one_sentence(words: list[str], said: str, tmp_path: Path, capsys) -> None:
    assert main(["search", "none", "--workspace", str(tmp_path), *words]) == 2
    assert said in capsys.readouterr().err


def test_without_optuna_the_extra_is_named(monkeypatch, tmp_path: Path, capsys) -> None:
    monkeypatch.setattr("tumorlens.extras.has_extra", lambda extra: extra != "search")
    assert main(["search", "none", "--workspace", str(tmp_path)]) == 2
    assert 'pip install "tumorlens[search]"' in capsys.readouterr().err


def test_ctrl_c_tells_the_command_to_go_on_with(monkeypatch, tmp_path: Path, capsys) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("tumorlens.workflows.search.search_dataset", interrupt)
    place = tmp_path / "a workspace"
    words = ["--budget", "20m", "--no-crop", "--seed", "3", "--weights", "vgg16=a.h5", "--weights", "random"]
    assert main(["search", "clinic", "--workspace", str(place), *words]) == 130
    said = capsys.readouterr().err
    given = "--budget 20m --no-crop --weights vgg16=a.h5 --weights random --seed 3"
    assert f"tumorlens search clinic {given} --workspace '{place}'" in said.replace("\n", " ")
    assert "Nothing finished is lost" in said
