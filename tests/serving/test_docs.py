"""The examples of the page run as they stand, but for the address."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tumorlens.bundles import Predictor

PAGE = Path(__file__).parents[2] / "docs" / "serving.md"


def test_the_client_of_the_page(server: str, settings) -> None:
    pytest.importorskip("tritonclient", reason="tritonclient is not installed")
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    code = code.replace("127.0.0.1:8000", server.removeprefix("http://"))
    code = code.replace('"RUN"', repr(Predictor(settings.bundle).card.name))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    found = [float(value) for value in done.stdout.strip(" []\n").split()]
    assert len(found) == 2 and sum(found) == pytest.approx(1.0, abs=1e-5)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_curl_of_the_page(server: str, scans, tmp_path: Path) -> None:
    lines = [line.strip() for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("    curl ")]
    assert len(lines) == 3
    for name in ("scan.png", "a.dcm", "b.dcm"):
        (tmp_path / name).write_bytes(scans[0].read_bytes() if name == "scan.png" else b"")
    words = shlex.split(lines[0].replace("http://127.0.0.1:8000", server))
    done = subprocess.run([*words, "-s", "-S"], capture_output=True, text=True, cwd=tmp_path, timeout=60)
    assert done.returncode == 0 and '"groups":[{"source":"scan.png"' in done.stdout, done.stdout + done.stderr


def test_limits_on_the_page_are_the_defaults() -> None:
    limits, text = settings_limits(), PAGE.read_text(encoding="utf-8")
    assert f"| {limits.body_bytes // 2**20} MiB, {limits.files}, {limits.frames:,} |" in text
    assert f"| {limits.pixels // 10**6} million |" in text
    times = (limits.head_seconds, limits.idle_seconds, limits.body_seconds)
    assert "| " + "; ".join(f"{seconds:.0f} s" for seconds in times) + " |" in text
    assert f"| {limits.answer_seconds:.0f} s; {limits.waiting} |" in text
    assert f"| {limits.requests_a_minute:,.0f} a minute |" in text


def settings_limits():
    from tumorlens.serving import ServeLimits

    return ServeLimits()
