"""A run killed at any moment goes on where it was, and ends as an undisturbed one."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tumorlens.features import FeatureStore
from tumorlens.workspace import Workspace

_KILLS = 6


def _command(workspace: Path) -> list[str]:
    place = ["--workspace", str(workspace), "--size", "64", "--quiet", "--json"]
    return [sys.executable, "-m", "tumorlens", "compare", "tiny", *place]


def _kill_after(workspace: Path, seconds: float) -> None:
    process = subprocess.Popen(
        _command(workspace), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    time.sleep(seconds)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.mark.slow
def test_killed_compare_goes_on_and_gives_the_same_figures(tiny_study, tmp_path: Path) -> None:
    whole, copy = tmp_path / "whole", tmp_path / "workspace"  # both begin without features of other tests
    for workspace in (whole, copy):
        shutil.copytree(tiny_study.workspace.datasets, workspace / "datasets")
    moments = random.Random(1)
    for _ in range(_KILLS):
        _kill_after(copy, moments.uniform(0.3, 9.0))
        for finished in ("runs", "comparisons"):  # so that every attempt has something left to do
            shutil.rmtree(copy / finished, ignore_errors=True)
    assert _network_row(copy) == _network_row(whole)
    assert not [path for path in copy.rglob(".tmp-*") if "training" not in path.parts]


def _network_row(workspace: Path) -> dict[str, Any]:
    """The network's row of a whole run, but for what it took."""
    done = subprocess.run(_command(workspace), capture_output=True, text=True, check=True)
    (row,) = [row for row in json.loads(done.stdout)["rows"] if row["kind"] == "backbone"]
    return {key: value for key, value in row.items() if key not in ("seconds", "peak_memory_mb")}


def _hear_interrupts() -> None:
    """A shell without job control lets what it starts in the background ignore them, and children inherit that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="SIGINT is sent otherwise there")
def test_ctrl_c_is_one_sentence(tiny_study, tmp_path: Path) -> None:
    copy = tmp_path / "workspace"
    shutil.copytree(tiny_study.workspace.datasets, copy / "datasets")
    process = subprocess.Popen(
        _command(copy),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=_hear_interrupts,
    )
    while not (copy / "graphs").exists() and process.poll() is None:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 130 and output == ""
    assert "run the same command again" in errors and "Traceback" not in errors


@pytest.mark.slow
def test_features_before_the_kill_are_not_computed_again(tiny_study, tmp_path: Path) -> None:
    """Kill in the middle of a feature pass: what was stored stays, and only the rest is computed."""
    copy = tmp_path / "workspace"
    shutil.copytree(tiny_study.workspace.datasets, copy / "datasets")
    script = (
        "import os, signal, sys\n"
        "import tumorlens.features.store as store\n"
        "put, calls = store.FeatureStore.put_many, []\n"
        "def put_then_die(self, kind, vectors):\n"
        "    put(self, kind, list(vectors)[:10]); os.kill(os.getpid(), signal.SIGKILL)\n"
        "store.FeatureStore.put_many = put_then_die\n"
        "from tumorlens.cli.main import main; main(sys.argv[1:])\n"
    )
    subprocess.run([sys.executable, "-c", script, *_command(copy)[3:]], capture_output=True, check=False)
    with FeatureStore(Workspace(copy).features) as features:
        (kind,) = features.kinds()
    assert kind.vectors == 10
    done = subprocess.run(_command(copy), capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["best"]
    with FeatureStore(Workspace(copy).features) as features:
        (kind,) = features.kinds()
    assert kind.vectors == len(tiny_study.dataset)
