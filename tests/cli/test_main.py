"""The command as a user meets it: words in, text or one JSON document out, one sentence for every mistake."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tumorlens.cli.main import main


@pytest.fixture
def place(tiny_study) -> list[str]:
    return ["--workspace", str(tiny_study.workspace.root), "--quiet"]


def _json(capsys: pytest.CaptureFixture[str], *words: str) -> object:
    assert main([*words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_module_is_the_same_command() -> None:
    for command in ([sys.executable, "-m", "tumorlens"], [str(Path(sys.executable).with_name("tumorlens"))]):
        done = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True)
        assert done.stdout.startswith("tumorlens 0.")


@pytest.mark.parametrize("words", [[], ["data"], ["runs"], ["backbones"], ["cache"]])
def test_without_a_command_help_is_shown(capsys, words) -> None:
    main(words)
    shown = capsys.readouterr()
    assert "Usage" in shown.out + shown.err


_COMMANDS = [
    ["demo"],
    ["data", "import"],
    ["data", "list"],
    ["data", "show"],
    ["data", "split"],
    ["data", "audit"],
    ["data", "relabel"],
    ["data", "synthesize"],
    ["data", "remove"],
    ["compare"],
    ["train"],
    ["evaluate"],
    ["predict"],
    ["report"],
    ["runs", "list"],
    ["runs", "show"],
    ["runs", "remove"],
    ["backbones", "list"],
    ["backbones", "show"],
    ["backbones", "fetch"],
    ["cache", "show"],
    ["cache", "clean"],
    ["doctor"],
]


@pytest.mark.parametrize("words", _COMMANDS, ids=" ".join)
def test_every_command_explains_itself(capsys, words) -> None:
    assert main([*words, "--help"]) == 0
    assert "Usage" in capsys.readouterr().out


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; from tumorlens.cli.main import main; main(['--help'])\n"
        "sys.exit(', '.join({'numpy', 'pandas', 'openvino', 'keras', 'sklearn'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["compare", "nothing"], "no data set 'nothing'"),
        (["compare", "tiny", "--backbones", "resnet5"], "resnet50"),
        (["compare", "tiny", "--protocol", "other"], "grouped or study"),
        (["compare", "tiny", "--folds", "5", "--head", "study"], "'study', which needs one split"),
        (["compare", "tiny", "--folds", "5", "--from-scratch"], "--from-scratch needs one split"),
        (["compare", "tiny", "--repeats", "5"], "Expected --folds"),
        (["train", "tiny"], "either --backbone B or --from-scratch"),
        (["predict", "nothing", "scan.png"], "Expected a bundle folder"),
        (["evaluate", "nothing", "tiny"], "Expected a bundle folder"),
        (["report", "nothing"], "name or folder of a run"),
        (["runs", "show", "nothing"], "tumorlens runs list"),
        (["backbones", "show", "vgg"], "vgg16"),
        (["data", "show", "nothing"], "no data set 'nothing'"),
        (["data", "import", "missing-folder", "--name", "x"], "missing-folder"),
        (["data", "split", "tiny", "--read", "missing.csv"], "missing.csv"),
        (["data", "synthesize", "x", "--tumor-share", "2"], "tumor_share"),
        (["data", "synthesize", "x", "--scaling", "other"], "window or slice-maximum"),
        (["train", "tiny", "--from-scratch", "--head", "mlp"], "leave out --head"),
        (["train", "tiny", "--from-scratch", "--augment", "wild"], "plain, artefacts, none, got 'wild'"),
        (["train", "tiny", "--from-scratch", "--views", "3"], "--views is for fine-tuning"),
        (["compare", "tiny", "--epochs", "3"], "--epochs is for training"),
    ],
)
def test_mistakes_are_one_sentence_and_exit_2(capsys, place, words, message) -> None:
    if words[0] in ("backbones",):
        place = place[2:]
    assert main([*words, *place]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("Error: ") and message in shown.err
    assert "Traceback" not in shown.err and len(shown.err.strip().splitlines()) == 1


def test_unknown_option_is_a_usage_error(capsys) -> None:
    assert main(["compare", "x", "--no-such-option"]) == 2
    assert "--no-such-option" in capsys.readouterr().err


def test_interruption_says_that_nothing_is_lost(capsys, monkeypatch, place) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("tumorlens.workflows.compare.compare_networks", interrupt)
    assert main(["compare", "tiny", *place]) == 130
    assert "run the same command again" in capsys.readouterr().err


def test_full_disk_anywhere_is_one_sentence(capsys, monkeypatch, place) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tumorlens.workflows.compare.compare_networks", full)
    assert main(["compare", "tiny", *place]) == 2
    assert "disk is full" in capsys.readouterr().err


def test_fault_shows_no_traceback(capsys, monkeypatch, place) -> None:
    def fault(*_: object, **__: object) -> None:
        raise ZeroDivisionError("boom")

    monkeypatch.setattr("tumorlens.workflows.compare.compare_networks", fault)
    assert main(["compare", "tiny", *place]) == 1
    error = capsys.readouterr().err
    assert "boom" in error and "Traceback" not in error


def test_shared_options_may_stand_before_the_command(capsys, place) -> None:
    assert main([*place, "--json", "data", "list"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["name"] == "tiny" and row["groups_are"] == "patients" and row["synthetic"]


def test_data_show_and_split(capsys, place, tmp_path) -> None:
    facts = _json(capsys, "data", "show", "tiny", *place)
    assert facts["scans"] == 64 and facts["groups"] == 16
    written = tmp_path / "split.json"
    split = _json(capsys, "data", "split", "tiny", "--write", str(written), *place)
    again = _json(capsys, "data", "split", "tiny", "--read", str(written), *place)
    assert split["split_digest"] == again["split_digest"]
    assert sum(sum(counts.values()) for counts in split["parts"].values()) == 64


def test_compare_by_folds(capsys, place) -> None:
    words = ["compare", "tiny", "--size", "64", "--folds", "2", "--repeats", "1", *place]
    document = _json(capsys, *words)
    assert (document["protocol"], document["folds"], document["repeats"]) == ("cross-validation", 2, 1)
    assert main(words) == 0
    text = capsys.readouterr().out
    assert "Out of fold (2 folds, 1 repeat)" in text and "training variation not included" in text
    assert "Next:  tumorlens train tiny --backbone efficientnet-lite0" in text and "Best model" not in text
    assert Path(document["report"]).is_file()


def test_compare_predict_and_runs(capsys, tiny_study, tiny_comparison, place) -> None:
    document = _json(capsys, "compare", "tiny", "--size", "64", *place)
    assert document["best"] == tiny_comparison.comparison.best
    row = _json(capsys, "train", "tiny", "--backbone", "efficientnet-lite0", "--size", "64", *place)
    assert row.pop("marks") == ["synthetic"] and "not for patient care" in row.pop("use")
    assert row == document["rows"][2]
    assert main(["compare", "tiny", "--size", "64", *place]) == 0
    text = capsys.readouterr().out
    assert "Next:  tumorlens predict" in text and "research output" in text.lower()
    scan = str(next((tiny_study.folder / "images").iterdir()))
    answer = _json(capsys, "predict", document["best"], scan, *place)
    assert set(answer) == {
        *("source", "label", "decision", "probabilities", "conformal_set", "novelty", "similar"),
        *("model", "precision", "views", "marks", "use", "heatmap", "heatmap_check"),
    }
    assert main(["predict", document["best"], scan, *place]) == 0
    assert "not for patient care" in capsys.readouterr().out
    (run,) = [run for run in _json(capsys, "runs", "list", *place) if run["run"] == document["best"]]
    shown = _json(capsys, "runs", "show", run["run"], *place)
    assert shown["test_openings"] >= 1 and shown["metrics"]["test_accuracy"] == row["test_accuracy"]


def test_report(capsys, tiny_comparison, place, tmp_path) -> None:
    name = tiny_comparison.best_run.name
    words = ["report", name, "--out", str(tmp_path / "r"), "--no-pictures", "--data-licence", "CC-BY-4.0", *place]
    assert main(words) == 0
    shown = capsys.readouterr().out
    assert str(tmp_path / "r" / "report.html") in shown and "model-card.md" in shown
    assert f"Next:  tumorlens predict {name} SCAN.png" in shown
    assert "CC-BY-4.0" in (tmp_path / "r" / "data-sheet.md").read_text(encoding="utf-8")
    document = _json(capsys, *words)
    assert document["kind"] == "run" and document["report"] == str(tmp_path / "r" / "report.html")
    assert all(Path(file).is_file() for file in document["files"])


def test_predict_goes_on_after_a_bad_file(capsys, tiny_study, tiny_comparison, place, tmp_path) -> None:
    (tmp_path / "bad.png").write_bytes(b"no image")
    good = str(next((tiny_study.folder / "images").iterdir()))
    assert main(["predict", tiny_comparison.best_run.name, str(tmp_path / "bad.png"), good, "--json", *place]) == 2
    shown = capsys.readouterr()
    answer = json.loads(shown.out)
    assert answer["source"] == good and answer["heatmap"] is None
    assert "bad.png" in shown.err


def test_predict_writes_heatmaps(capsys, tiny_study, tiny_comparison, place, tmp_path) -> None:
    scans = [str(path) for path in sorted((tiny_study.folder / "images").iterdir())[:2]]
    words = ["predict", tiny_comparison.best_run.name, *scans, "--heatmaps", str(tmp_path / "why"), *place]
    assert main([*words, "--json"]) == 0
    pictures = [Path(json.loads(line)["heatmap"]) for line in capsys.readouterr().out.splitlines()]
    assert [path.stem[6:] for path in pictures] == [Path(scan).stem for scan in scans]
    assert all(path.is_file() and path.with_suffix(".npy").is_file() for path in pictures)
    assert main(words) == 0
    assert "Heatmaps: 2 in" in capsys.readouterr().out
    taken = ["predict", tiny_comparison.best_run.name, scans[0], "--heatmaps", str(pictures[0]), *place]
    assert main(taken) == 2
    assert "is a file" in capsys.readouterr().err


def test_synthesize_import_and_remove(capsys, tmp_path) -> None:
    place = ["--workspace", str(tmp_path / "workspace"), "--quiet"]
    words = ["data", "synthesize", str(tmp_path / "scans"), "--patients", "8", "--slices", "3", "--import-as", "made"]
    facts = _json(capsys, *words, *place)
    assert facts["scans"] == 24 and Path(facts["contact_sheet"]).is_file() and facts["synthetic"]
    assert main(["data", "remove", "made", "--yes", *place[:2]]) == 0
    capsys.readouterr()
    assert _json(capsys, "data", "list", *place) == []
    assert (tmp_path / "scans" / "labels.csv").is_file()


def test_backbones(capsys) -> None:
    rows = _json(capsys, "backbones", "list")
    assert {"resnet50", "vgg16", "efficientnetb0", "efficientnet-lite0"} <= {row["name"] for row in rows}
    facts = _json(capsys, "backbones", "show", "efficientnet-lite0")
    assert facts["width"] == 1280 and facts["weights_at_hand"]


def test_cache_and_doctor(capsys, tiny_comparison, place) -> None:
    (kind, *_) = _json(capsys, "cache", "show", *place)["features"]
    assert kind["backbone"] == "efficientnet-lite0" and kind["vectors"] > 0
    findings = _json(capsys, "doctor", *place)
    assert {"versions", "memory", "extra train"} <= {finding["subject"] for finding in findings}


def test_cache_clean_loses_no_result(capsys, tmp_path, tiny_study, tiny_comparison) -> None:
    import shutil

    copy = tmp_path / "workspace"
    shutil.copytree(tiny_study.workspace.root, copy)
    assert main(["cache", "clean", "--yes", "--workspace", str(copy), "--quiet"]) == 0
    assert not (copy / "features").exists() and not (copy / "graphs").exists()
    capsys.readouterr()
    assert (
        main(
            [
                "predict",
                tiny_comparison.best_run.name,
                str(next((tiny_study.folder / "images").iterdir())),
                "--workspace",
                str(copy),
            ]
        )
        == 0
    )
