"""A small model behind the application, asked in this process, and behind a port."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("fastapi", reason="the extra serve is not installed")
pytest.importorskip("python_multipart", reason="the extra serve is not installed")

from starlette.testclient import TestClient

from tumorlens.serving import ServeLimits, ServeSettings


@pytest.fixture(scope="session")
def settings(tiny_comparison, tiny_study) -> ServeSettings:
    (run,) = tiny_comparison.runs
    return ServeSettings(bundle=run.bundle, workspace=tiny_study.workspace, host_names=("testserver",))


@pytest.fixture(scope="session")
def open_client(settings) -> Callable[..., contextlib.AbstractContextManager[TestClient]]:
    """A client of an application with other limits."""
    from dataclasses import replace

    from tumorlens.serving.app import create_app

    @contextlib.contextmanager
    def opened(**limits: float) -> Iterator[TestClient]:
        app = create_app(replace(settings, limits=ServeLimits(**limits)))
        with TestClient(app, raise_server_exceptions=False) as client:
            yield client

    return opened


@pytest.fixture(scope="session")
def client(open_client) -> Iterator[TestClient]:
    with open_client() as client:
        yield client


@pytest.fixture(scope="session")
def scans(tiny_study) -> list[Path]:
    return sorted((tiny_study.folder / "images").glob("*.png"))[:4]


@pytest.fixture(scope="session")
def server(settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The command's own server; its address."""
    words = ["serve", str(settings.bundle), "--port", "0", "--workspace", str(settings.workspace.root)]
    with subprocess.Popen(
        [sys.executable, "-m", "tumorlens", *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert " at http://127.0.0.1:" in line, line + process.stdout.read()
        yield line.partition(" at ")[2].partition(". ")[0]
        process.terminate()
        assert process.wait(timeout=60) in (0, -signal.SIGTERM)  # which is raised again once all is answered


@pytest.fixture
def connect(server: str) -> Callable[[], socket.socket]:
    """A bare connection to the server."""
    host, port = server.removeprefix("http://").split(":")
    return lambda: socket.create_connection((host, int(port)), timeout=60)


@pytest.fixture(scope="session")
def large_picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("large") / "large.png"
    Image.fromarray(np.zeros((700, 700, 3), np.uint8)).save(path)
    return path
