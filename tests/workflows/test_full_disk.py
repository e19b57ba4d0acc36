"""A disk that fills up in a real run: one sentence, exit 2, nothing half-written, and the run goes on after."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

_LIMITED = (
    "import resource, signal, sys\n"
    "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
    "resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))\n"
    "from tumorlens.cli.main import main; sys.exit(main(sys.argv[2:]))\n"
)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="file size limits are POSIX")
@pytest.mark.parametrize("limit_kb", [30, 150, 4000, 13800], ids="{} kB a file".format)
def test_compare_with_no_room(tiny_study, tiny_comparison, tmp_path: Path, limit_kb: int) -> None:
    copy = tmp_path / "workspace"
    shutil.copytree(tiny_study.workspace.datasets, copy / "datasets")
    words = ["compare", "tiny", "--size", "64", "--workspace", str(copy), "--quiet"]
    stopped = subprocess.run(
        [sys.executable, "-c", _LIMITED, str(limit_kb * 1000), *words], capture_output=True, text=True, check=False
    )
    assert stopped.returncode == 2, stopped.stderr
    assert stopped.stderr.startswith("Error: ") and "Traceback" not in stopped.stderr
    assert not list(copy.rglob(".tmp-*")) and not list((copy / "runs").glob("*"))
    done = subprocess.run([sys.executable, "-m", "tumorlens", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
