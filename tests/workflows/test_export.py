"""``tumorlens export``, typed and from Python: on which scans, what is said, what a full disk or a kill does."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import tumorlens as tl
from tumorlens.cli.main import main
from tumorlens.errors import InputError, NotFoundError
from tumorlens.workflows.evaluation_model import EvaluatedModel, find_model
from tumorlens.workflows.export_scans import parity_scans
from tumorlens.workspace import Workspace

_REPORT = {
    *("format", "model", "digest", "precision", "marks", "ran_in", "n_scans", "sizes", "differences", "bounds"),
    *("files", "versions", "use", "scans", "seconds"),
}


@pytest.fixture(scope="module")
def run(tiny_comparison):
    return tiny_comparison.best_run


@pytest.fixture(scope="module")
def model(tiny_study, run) -> EvaluatedModel:
    return find_model(run.name, workspace=tiny_study.workspace)


def words(run, workspace: Workspace, out: Path, *more: str) -> list[str]:
    place = ["--workspace", str(workspace.root), "--quiet"]
    return ["export", run.name, "--format", "openvino", "--out", str(out), *place, *more]


def test_command_writes_and_says_what_was_compared(tiny_study, run, tmp_path, capsys) -> None:
    ledger = tiny_study.workspace.ledger
    before = ledger.read_bytes() if ledger.exists() else b""
    assert main(words(run, tiny_study.workspace, tmp_path, "--json")) == 0
    document = json.loads(capsys.readouterr().out)
    assert set(document) == {"path", "files", "parity", "not_in_graph", "marks", "use"}
    assert set(document["parity"]) == _REPORT
    assert document["path"] == str(tmp_path / f"{run.name}.xml") and all(
        Path(file).is_file() for file in document["files"]
    )
    assert document["marks"] == ["synthetic"] and "not for patient care" in document["use"]
    assert (ledger.read_bytes() if ledger.exists() else b"") == before  # the test part stays closed
    assert main(words(run, tiny_study.workspace, tmp_path / "again.xml")) == 0
    said = capsys.readouterr().out
    assert "probabilities differ by 0.0e+00 at most (0.0001 allowed)" in said and "no label read" in said


def test_from_python(tiny_study, tiny_comparison, run, tmp_path) -> None:
    for given in (run, tiny_comparison.best, run.bundle):
        result = tl.export_bundle(given, "openvino", out=tmp_path / "model.xml", workspace=tiny_study.workspace.root)
        assert isinstance(result, tl.ExportResult) and result.parity["digest"] == tiny_comparison.best.card.digest


def test_scans_are_held_out_and_of_several_sizes(tiny_study, model) -> None:
    chosen = parity_scans(model, None, workspace=tiny_study.workspace)
    table = model.predictions()
    held_out = set(table.loc[table["part"].isin(["calibration", "validation"]), "pixel_digest"])
    closed = set(table.loc[table["part"].isin(["train", "test"]), "pixel_digest"])
    assert not held_out & closed
    assert chosen.facts["given"] == min(len(held_out), 48) and len(chosen.scans) >= 32
    assert chosen.facts["synthetic"] == max(32 - len(held_out), 0)
    assert len({scan.shape for scan in chosen.scans}) >= 3 and chosen.facts["trimmed"] > 0
    with tiny_study.dataset.open_pixels() as store:
        whole = {store.get(digest).tobytes() for digest in held_out}
    untouched = chosen.facts["given"] - chosen.facts["trimmed"]
    assert sum(scan.tobytes() in whole for scan in chosen.scans) == untouched


def test_without_a_run_scans_are_synthetic_and_the_same_each_time(model, tmp_path) -> None:
    alone, empty = EvaluatedModel(model.bundle, model.card, None), Workspace.locate(tmp_path)
    first, second = (parity_scans(alone, None, workspace=empty) for _ in range(2))
    assert first.facts == {"source": "32 synthetic scans", "given": 0, "synthetic": 32, "trimmed": 0}
    assert len({scan.shape for scan in first.scans}) == 4
    assert all(np.array_equal(one, other) for one, other in zip(first.scans, second.scans, strict=True))
    assert all(scan.dtype == np.uint8 and scan.ndim == 3 and scan.max() > 100 for scan in first.scans)


def test_given_scans_come_first(tiny_study, model, tmp_path) -> None:
    for number in range(3):
        pixels = np.random.default_rng(number).integers(0, 256, (50, 60 + number, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
    chosen = parity_scans(model, str(tmp_path), workspace=tiny_study.workspace)
    assert (chosen.facts["given"], chosen.facts["synthetic"]) == (3, 29)
    assert [scan.shape for scan in chosen.scans[:3]] == [(50, 60, 3), (50, 61, 3), (50, 62, 3)]
    assert chosen.facts["source"] == "3 scans: given as files; 29 synthetic scans"
    own = parity_scans(model, "tiny", workspace=tiny_study.workspace)
    assert "parts calibration" in own.facts["source"]
    with pytest.raises(NotFoundError, match="nothing-there"):
        parity_scans(model, "nothing-there", workspace=tiny_study.workspace)


def test_bad_input_is_one_sentence(tiny_study, run, tmp_path, capsys) -> None:
    place = ["--workspace", str(tiny_study.workspace.root), "--quiet"]
    assert main(["export", run.name, "--format", "pickle", *place]) == 2
    assert "Expected --format onnx, openvino, keras, tflite, got 'pickle'" in capsys.readouterr().err
    assert main(words(run, tiny_study.workspace, run.bundle / "copy.xml")) == 2
    assert "lies inside the bundle" in capsys.readouterr().err
    assert main(["export", "no-such-run", "--format", "openvino", *place]) == 2
    assert "runs list" in capsys.readouterr().err
    with pytest.raises(InputError, match=r"must end in \.xml"):
        tl.export_bundle(run, "openvino", out=tmp_path / "model.bin")
    assert list(tmp_path.iterdir()) == [] and not (run.bundle / "copy.xml").exists()


_LIMITED = (
    "import resource, signal, sys\n"
    "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
    "resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))\n"
    "from tumorlens.cli.main import main; sys.exit(main(sys.argv[2:]))\n"
)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="file size limits are POSIX")
@pytest.mark.parametrize("name", ["openvino", "onnx"])
@pytest.mark.parametrize("limit_kb", [30, 4000], ids="{} kB a file".format)
def test_a_full_disk_leaves_nothing(tiny_study, run, tmp_path, limit_kb, name) -> None:
    if name == "onnx":
        pytest.importorskip("onnx")
    order = words(run, tiny_study.workspace, tmp_path / "out")
    order[order.index("openvino")] = name
    (tmp_path / "out").mkdir()
    command = [sys.executable, "-c", _LIMITED, str(limit_kb * 1000), *order]
    stopped = subprocess.run(command, capture_output=True, text=True, check=False)
    assert stopped.returncode == 2, stopped.stderr
    assert stopped.stderr.startswith("Error: ") and "Traceback" not in stopped.stderr
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")
def test_a_kill_leaves_no_export_and_the_next_one_tidies_up(tiny_study, run, tmp_path) -> None:
    order = words(run, tiny_study.workspace, tmp_path)
    process = subprocess.Popen([sys.executable, "-m", "tumorlens", *order], start_new_session=True)
    while not list(tmp_path.glob(".tmp-*")) and process.poll() is None:
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert [path.name[:5] for path in tmp_path.iterdir()] == [".tmp-"]
    assert main(order) == 0
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == sorted(f"{run.name}{end}" for end in (".xml", ".bin", ".xml.parity.json"))


def test_export_to_onnx_imports_neither_keras_nor_tensorflow(tiny_study, run, tmp_path) -> None:
    pytest.importorskip("onnx")
    order = words(run, tiny_study.workspace, tmp_path)
    order[order.index("openvino")] = "onnx"
    code = (
        "import sys; from tumorlens.cli.main import main; code = main(sys.argv[1:]); "
        "sys.exit(code or ', '.join({'keras', 'tensorflow', 'torch'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code, *order], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_prediction_imports_none_of_what_export_needs(run, tmp_path) -> None:
    Image.fromarray(np.zeros((40, 40, 3), np.uint8)).save(tmp_path / "scan.png")
    code = (
        "import sys; from tumorlens.cli.main import main; code = main(sys.argv[1:]); "
        "sys.exit(code or ', '.join({'keras', 'tensorflow', 'onnx', 'onnxruntime'} & set(sys.modules)) or 0)"
    )
    order = ["predict", str(run.bundle), str(tmp_path / "scan.png")]
    done = subprocess.run([sys.executable, "-c", code, *order], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_an_ensemble_whose_member_was_made_again_is_refused_for_keras(tiny_study, run, tmp_path) -> None:
    from tumorlens.workflows.export import _member

    copy = Workspace.locate(tmp_path / "workspace").create()
    shutil.copytree(run.folder, copy.runs / run.name)
    digest = find_model(run.name, workspace=copy).card.digest
    assert _member(f"{run.name}@{digest[:12]}", digest, copy) == copy.runs / run.name / "bundle"
    assert _member(f"{run.name}@{digest[:12]}", "0" * 64, copy) is None
    assert _member("gone@0123", digest, copy) is None
