"""The public names load when used, and importing the package costs nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest

import tumorlens as tl


def test_every_public_name_loads() -> None:
    for name in tl.__all__:
        assert getattr(tl, name) is not None
    assert set(tl.__all__) <= set(dir(tl))


def test_unknown_name() -> None:
    with pytest.raises(AttributeError, match="nothing"):
        _ = tl.nothing


def test_import_is_light() -> None:
    heavy = "{'numpy', 'pandas', 'openvino', 'keras'}"
    code = f"import sys, tumorlens; sys.exit(', '.join({heavy} & set(sys.modules)) or 0)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_compare_from_python(tiny_study, tiny_comparison, capsys) -> None:
    scans = tl.load_scans("tiny", workspace=tiny_study.workspace.root)
    result = tl.compare(scans, size=64)
    assert result.folder == tiny_comparison.folder
    result.table()
    assert "efficientnet-lite0" in capsys.readouterr().out
    scan = tiny_study.folder / "images" / scans.manifest["source"][0]
    assert result.best.predict(str(scan)).label in scans.classes


def test_cross_validation_from_python(tiny_study, capsys) -> None:
    scans = tl.load_scans("tiny", workspace=tiny_study.workspace.root)
    result = tl.compare(scans, size=64, folds=2, repeats=1)
    assert isinstance(result, tl.CrossValidationResult)
    assert (result.comparison.folds, result.comparison.repeats) == (2, 1)
    result.table()
    assert "Out of fold (2 folds, 1 repeat)" in capsys.readouterr().out
    with pytest.raises(tl.TumorlensError, match="Expected --folds with --repeats 2"):
        tl.compare(scans, repeats=2)
