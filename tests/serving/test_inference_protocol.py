"""The Open Inference Protocol, in JSON and binary."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tumorlens.bundles import Predictor
from tumorlens.scans import read_scan


@pytest.fixture(scope="module")
def name(settings) -> str:
    return Predictor(settings.bundle).card.name


@pytest.fixture(scope="module")
def batch(scans) -> np.ndarray:
    return np.stack([read_scan(scan).pixels for scan in scans])


@pytest.fixture(scope="module")
def expected(settings, batch) -> np.ndarray:
    return Predictor(settings.bundle).predict_many(batch).probabilities


def infer(client, name: str, document: dict, binary: bytes | None = None, **headers: str):
    body = json.dumps(document).encode()
    if binary is not None:
        headers["Inference-Header-Content-Length"] = str(len(body))
    return client.post(f"/v2/models/{name}/infer", content=body + (binary or b""), headers=headers)


def pixels_input(batch: np.ndarray, **more) -> dict:
    return {"name": "pixels", "datatype": "UINT8", "shape": list(batch.shape), **more}


def test_the_server_and_the_model_say_what_they_are(client, name) -> None:
    assert client.get("/v2/health/live").json() == {"live": True}
    assert client.get("/v2/health/ready").json() == {"ready": True}
    assert "binary_tensor_data" in client.get("/v2").json()["extensions"]
    for path in (f"/v2/models/{name}", f"/v2/models/{name}/versions/1"):
        document = client.get(path).json()
        assert document["inputs"] == [{"name": "pixels", "datatype": "UINT8", "shape": [-1, -1, -1, 3]}]
        assert [one["name"] for one in document["outputs"]] == ["probabilities", "map", "features"]
        assert document["outputs"][0]["shape"] == [-1, 2]
    assert client.get(f"/v2/models/{name}/ready").json()["ready"] is True
    assert client.get("/v2/models/other").status_code == 404


@pytest.mark.parametrize("nested", [False, True])
def test_json(client, name, batch, expected, nested: bool) -> None:
    data = batch.tolist() if nested else batch.ravel().tolist()
    document = {"id": "7", "inputs": [pixels_input(batch, data=data)], "outputs": [{"name": "probabilities"}]}
    answer = infer(client, name, document).json()
    assert answer["id"] == "7" and answer["model_name"] == name
    (output,) = answer["outputs"]
    assert output["shape"] == list(expected.shape)
    assert np.reshape(output["data"], output["shape"]) == pytest.approx(expected, abs=1e-5)


def test_binary(client, name, batch, expected) -> None:
    tensor = pixels_input(batch, parameters={"binary_data_size": batch.nbytes})
    document = {"inputs": [tensor], "parameters": {"binary_data_output": True}}
    answer = infer(client, name, document, batch.tobytes())
    length = int(answer.headers["Inference-Header-Content-Length"])
    outputs = json.loads(answer.content[:length])["outputs"]
    assert [one["name"] for one in outputs] == ["probabilities", "map", "features"]
    place, found = length, {}
    for one in outputs:
        size = one["parameters"]["binary_data_size"]
        found[one["name"]] = np.frombuffer(answer.content[place : place + size], np.float32).reshape(one["shape"])
        place += size
    assert place == len(answer.content)
    assert found["probabilities"] == pytest.approx(expected, abs=1e-5)
    assert found["map"].shape[0] == len(batch) and found["features"].shape == (len(batch), 1280)


SMALL = np.zeros((1, 2, 2, 3), np.uint8)


@pytest.mark.parametrize(
    ("document", "binary", "detail"),
    [
        ({}, None, "Expected one input"),
        ({"inputs": []}, None, "Expected one input"),
        ({"inputs": [3]}, None, "Expected one input"),
        ({"inputs": [{"name": "x"}]}, None, "Expected the input 'pixels' of type UINT8"),
        ({"inputs": [{"name": "pixels", "datatype": "FP32"}]}, None, "of type 'FP32'"),
        ({"inputs": [{**pixels_input(SMALL), "shape": [1, 2, 2]}]}, None, "of shape [n, h, w, 3]"),
        ({"inputs": [{**pixels_input(SMALL), "shape": [1, -2, 2, 3]}]}, None, "of shape [n, h, w, 3]"),
        ({"inputs": [{**pixels_input(SMALL), "shape": [1, True, 2, 3]}]}, None, "of shape [n, h, w, 3]"),
        ({"inputs": [pixels_input(SMALL, data=[1] * 11)]}, None, "Expected 12 whole numbers"),
        ({"inputs": [pixels_input(SMALL, data=[256] * 12)]}, None, "Expected 12 whole numbers"),
        ({"inputs": [pixels_input(SMALL, data=[0.5] * 12)]}, None, "Expected 12 whole numbers"),
        ({"inputs": [pixels_input(SMALL)]}, None, "Expected 12 whole numbers"),
        ({"inputs": [pixels_input(SMALL, parameters={"binary_data_size": 11})]}, bytes(11), "Expected 12 bytes"),
        ({"inputs": [pixels_input(SMALL, parameters={"binary_data_size": 12})]}, bytes(9), "Expected 12 bytes"),
        ({"inputs": [pixels_input(SMALL, parameters=3)]}, None, "parameters as an object"),
        ({"inputs": [pixels_input(SMALL, data=[0] * 12)], "outputs": [{"name": "y"}]}, None, "no output 'y'"),
        ({"inputs": [pixels_input(SMALL, data=[0] * 12)], "outputs": 3}, None, "a list of outputs"),
        ({"inputs": [pixels_input(SMALL, data=[0] * 12)], "id": 3}, None, "the id as a text"),
    ],
)
def test_other_requests_are_refused_in_a_sentence(client, name, document, binary, detail: str) -> None:
    answer = infer(client, name, document, binary)
    assert answer.status_code == 400 and detail in answer.json()["detail"], answer.text


def test_other_bodies(client, name) -> None:
    for body in (b"", b"[]", b"{", b"[" * 100_000, b"\xff"):
        assert client.post(f"/v2/models/{name}/infer", content=body).status_code == 400
    for length in ("-1", "x", "99"):
        answer = client.post(
            f"/v2/models/{name}/infer", content=b"{}", headers={"Inference-Header-Content-Length": length}
        )
        assert answer.status_code == 400


def test_limits(open_client, name) -> None:
    with open_client(pixels=100, frames=2) as client:
        for shape in ([1, 11, 10, 3], [3, 2, 2, 3]):
            data = [0] * int(np.prod(shape))
            document = {"inputs": [{"name": "pixels", "datatype": "UINT8", "shape": shape, "data": data}]}
            assert infer(client, name, document).status_code == 413
