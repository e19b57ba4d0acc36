"""What must work where TensorFlow is not installed: run in an environment without the extra ``train``."""

from __future__ import annotations

import importlib.util
import json

import pytest

from tumorlens.cli.main import main

pytestmark = [
    pytest.mark.core_only,
    pytest.mark.skipif(
        importlib.util.find_spec("tensorflow") is not None, reason="TensorFlow is installed in this environment"
    ),
]


@pytest.fixture
def place(tiny_study) -> list[str]:
    return ["--workspace", str(tiny_study.workspace.root), "--quiet"]


def test_compare_with_linear_heads_and_predict(capsys, tiny_study, place) -> None:
    assert main(["compare", "tiny", "--size", "64", "--json", *place]) == 0
    best = json.loads(capsys.readouterr().out)["best"]
    scan = str(next((tiny_study.folder / "images").iterdir()))
    assert main(["predict", best, scan, "--json", *place]) == 0
    assert json.loads(capsys.readouterr().out)["label"] in tiny_study.dataset.classes


def test_export_to_openvino_and_to_what_needs_it(capsys, tiny_comparison, place, tmp_path) -> None:
    words = ["export", tiny_comparison.best_run.name, "--out", str(tmp_path), *place]
    assert main([*words, "--format", "openvino"]) == 0
    assert main([*words, "--format", "tflite"]) == 2
    assert 'pip install "tumorlens[train]"' in capsys.readouterr().err


def test_mlp_head(capsys, place) -> None:
    assert main(["train", "tiny", "--backbone", "efficientnet-lite0", "--head", "mlp", "--size", "64", *place]) == 0


def test_every_network_of_keras_can_be_listed(capsys) -> None:
    assert main(["backbones", "list", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) > 30


@pytest.mark.parametrize("words", [["--head", "study"], ["--from-scratch"]])
def test_what_needs_it_names_the_extra(capsys, place, words) -> None:
    assert main(["compare", "tiny", "--size", "64", *words, *place]) == 2
    assert 'pip install "tumorlens[train]"' in capsys.readouterr().err


def test_keras_network_is_converted_without_it(capsys, place) -> None:
    words = ["compare", "tiny", "--backbones", "mobilenetv2", "--weights", "random", "--size", "64", "--json"]
    assert main([*words, *place]) == 0
    assert "random weights" in json.loads(capsys.readouterr().out)["marks"]
