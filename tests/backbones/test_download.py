from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from tumorlens.backbones import BackboneSpec, fetch_weights, find_backbone
from tumorlens.errors import WeightsUnavailableError
from tumorlens.progress import Task

CONTENT = bytes(range(256)) * 3000


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/missing":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT[: len(CONTENT) // 2] if self.path == "/truncated" else CONTENT)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


def spec_at(url: str | None, content: bytes = CONTENT) -> BackboneSpec:
    spec = find_backbone("resnet50")
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
    return replace(spec, weights=replace(spec.weights, url=url, digest=md5))


class Counter:
    """Progress that adds up."""

    def __init__(self) -> None:
        self.total: int | None = None
        self.done = 0

    @contextmanager
    def task(self, title: str, *, total: int | None) -> Iterator[Task]:
        self.total = total
        yield self

    def advance(self, amount: int = 1, *, note: str | None = None) -> None:
        self.done += amount

    def say(self, message: str) -> None:
        """Say nothing."""


def test_a_complete_file_is_kept_under_keras_name(server: str, tmp_path: Path) -> None:
    counter, spec = Counter(), spec_at(f"{server}/weights")
    path = fetch_weights(spec, tmp_path / "models", counter)
    assert path == tmp_path / "models" / spec.weights.file_name
    assert path.read_bytes() == CONTENT
    assert counter.total == counter.done == len(CONTENT)
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(
    ("address", "content", "reason"),
    [
        ("/truncated", CONTENT, "bytes came"),
        ("/missing", CONTENT, "the server answered 404"),
        ("/weights", b"other", "has the MD5"),
    ],
)
def test_anything_else_is_not_kept(server: str, tmp_path: Path, address: str, content: bytes, reason: str) -> None:
    with pytest.raises(WeightsUnavailableError, match=reason) as caught:
        fetch_weights(spec_at(server + address, content), tmp_path)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_file_already_there_survives_a_failure(server: str, tmp_path: Path) -> None:
    spec = spec_at(f"{server}/truncated")
    (tmp_path / spec.weights.file_name).write_bytes(b"old")
    with pytest.raises(WeightsUnavailableError):
        fetch_weights(spec, tmp_path)
    assert (tmp_path / spec.weights.file_name).read_bytes() == b"old"


def test_no_connection_and_no_address(tmp_path: Path) -> None:
    with pytest.raises(WeightsUnavailableError, match="no connection"):
        fetch_weights(spec_at("http://127.0.0.1:9/none"), tmp_path)
    with pytest.raises(WeightsUnavailableError, match="not published as a download"):
        fetch_weights(spec_at(None), tmp_path)
