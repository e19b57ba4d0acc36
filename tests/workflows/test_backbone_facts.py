"""Fetching puts the file where it was asked for, from a server that is not the real one."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tumorlens.backbones import BACKBONES
from tumorlens.errors import NotFoundError, WeightsUnavailableError
from tumorlens.workflows.backbone_facts import describe_backbone, fetch_backbones, list_backbones

_BYTES = b"weights" * 1000


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "served").mkdir()
    (tmp_path / "served" / "vgg.h5").write_bytes(_BYTES)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(tmp_path / "served"))) as found:
        threading.Thread(target=found.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{found.server_port}"
        found.shutdown()


def _serve_vgg16(monkeypatch: pytest.MonkeyPatch, url: str, digest: str) -> None:
    spec = BACKBONES["vgg16"]
    published = replace(spec.weights, url=url, digest=digest)
    monkeypatch.setitem(BACKBONES, "vgg16", replace(spec, weights=published))


def test_file_lands_in_the_wanted_folder(server, tmp_path, monkeypatch) -> None:
    _serve_vgg16(monkeypatch, f"{server}/vgg.h5", hashlib.md5(_BYTES).hexdigest())
    target = tmp_path / "new" / "folder"
    (row,) = fetch_backbones(["vgg16"], target)
    assert Path(row["path"]) == target / BACKBONES["vgg16"].weights.file_name
    assert Path(row["path"]).read_bytes() == _BYTES and row["note"] == "downloaded and checked"
    (again,) = fetch_backbones(["vgg16"], target)
    assert again["note"] == "already here"


@pytest.mark.parametrize(("page", "reason"), [("missing.h5", "404"), ("vgg.h5", "MD5")])
def test_what_is_not_the_published_file_is_not_kept(server, tmp_path, monkeypatch, page, reason) -> None:
    _serve_vgg16(monkeypatch, f"{server}/{page}", "0" * 32)
    with pytest.raises(WeightsUnavailableError, match=reason):
        fetch_backbones(["vgg16"], tmp_path / "target")
    assert not list((tmp_path / "target").glob("*")) if (tmp_path / "target").exists() else True


def test_names_are_checked_before_anything_is_fetched(tmp_path) -> None:
    with pytest.raises(NotFoundError, match="vgg16"):
        fetch_backbones(["resnet50", "vgg61"], tmp_path)


def test_packaged_weights_need_no_fetching(tmp_path) -> None:
    (row,) = fetch_backbones(["efficientnet-lite0"], tmp_path)
    assert row["note"] == "installed with tumorlens" and not list(tmp_path.iterdir())


def test_list_and_show(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    at_hand = {row["name"] for row in list_backbones(None) if row["weights_at_hand"]}
    assert at_hand == {"efficientnet-lite0"}
    facts = describe_backbone("ResNet50", None)
    assert facts["weights_at_hand"] is None and facts["paper"]["arxiv"] == "1512.03385"
