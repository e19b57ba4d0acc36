"""The model in memory: named, replaced whole, kept where the other is not sound."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tumorlens.bundles import Predictor
from tumorlens.errors import IntegrityError
from tumorlens.serving.app import create_app
from tumorlens.serving.model_host import ModelHost
from tumorlens.workflows.compare import CompareSettings, compare_networks


@pytest.fixture(scope="module")
def other(tiny_study, tiny_comparison):
    settings = CompareSettings(backbones=("efficientnet-lite0",), size=64, seed=1)
    (run,) = compare_networks(tiny_study.dataset, settings, workspace=tiny_study.workspace).runs
    return run


def test_what_is_served_and_what_could_be(client, settings, tiny_comparison) -> None:
    (model,) = client.get("/v1/models").json()
    card = Predictor(settings.bundle).card
    assert (model["model"], model["labels"], model["scan_steps"]) == (card.model, list(card.labels), [])
    runs = {run["name"]: run for run in client.get("/v1/runs").json()}
    assert runs[tiny_comparison.runs[0].name]["served"] and runs[tiny_comparison.runs[0].name]["has_bundle"]


def test_another_run_is_served_by_name(settings, other, scans) -> None:
    with TestClient(create_app(settings)) as client:
        answer = client.put("/v1/models/current", json={"run": other.name})
        assert answer.status_code == 200 and answer.json()["name"] == other.name
        parts = [("files", (scans[0].name, scans[0].read_bytes()))]
        (group,) = client.post("/v1/predict", files=parts).json()["groups"]
        expected = Predictor(other.bundle).predict(scans[0])
        assert group["answers"][0]["probabilities"] == pytest.approx(dict(expected.probabilities), abs=1e-5)


@pytest.mark.parametrize("run", ["nothing", "..", "../runs", "/etc", "a/b", "", "x" * 300])
def test_a_name_is_no_path(client, run: str) -> None:
    before = client.get("/v1/models").json()
    assert client.put("/v1/models/current", json={"run": run}).status_code in (404, 422)
    assert client.get("/v1/models").json() == before


def test_a_bundle_that_is_not_sound_changes_nothing(settings, other, tmp_path: Path) -> None:
    broken = tmp_path / "bundle"
    shutil.copytree(other.bundle, broken)
    (broken / "model.bin").write_bytes(bytes((broken / "model.bin").stat().st_size))
    host = ModelHost(settings.bundle, threads=1, most_waiting=8)
    with host.model() as before, pytest.raises(IntegrityError, match="was changed after it was written"):
        host.swap(broken)
    with host.model() as after:
        assert after is before
    host.close()


def test_a_self_test_that_fails_changes_nothing(settings, other, monkeypatch) -> None:
    host = ModelHost(settings.bundle, threads=1, most_waiting=8)
    with monkeypatch.context() as patch:
        original = Predictor.predict_many
        patch.setattr(
            Predictor,
            "predict_many",
            lambda self, scans: replace(
                original(self, scans), probabilities=original(self, scans).probabilities[:, ::-1]
            ),
        )
        with pytest.raises(IntegrityError, match="failed its self-test"):
            host.swap(other.bundle)
    with host.model() as model:
        assert model.predictor.folder == settings.bundle
    host.close()


def test_a_request_keeps_the_model_that_it_began_with(settings, other) -> None:
    import threading

    host = ModelHost(settings.bundle, threads=1, most_waiting=8)
    with host.model() as model:
        swap = threading.Thread(target=host.swap, args=(other.bundle,))
        swap.start()
        while True:
            with host.model() as now:
                if now is not model:
                    break
        assert swap.is_alive()
        model.queue.submit(_scan()).result(timeout=60)
    swap.join(60)
    assert not swap.is_alive()
    host.close()


def _scan():
    import numpy as np

    return np.zeros((40, 40, 3), np.uint8)
