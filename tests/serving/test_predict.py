"""Files in, answers out: the same as the predictor's, for every format; what cannot be read is said."""

from __future__ import annotations

import base64
import contextlib
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from tumorlens.bundles import Predictor
from tumorlens.serving.app import create_app
from tumorlens.serving.uploads import shown_name


def send(client, *files: Path | tuple[str, bytes], **query: str):
    parts = [file if isinstance(file, tuple) else (file.name, file.read_bytes()) for file in files]
    return client.post("/v1/predict", files=[("files", part) for part in parts], params=query)


def test_answers_are_those_of_the_predictor(client, settings, scans) -> None:
    document = send(client, *scans).json()
    predictor = Predictor(settings.bundle)
    assert [group["source"] for group in document["groups"]] == [scan.name for scan in scans]
    for group, scan in zip(document["groups"], scans, strict=True):
        (answer,), expected = group["answers"], predictor.predict(scan)
        assert answer["probabilities"] == pytest.approx(dict(expected.probabilities), abs=1e-5)
        assert (answer["label"], answer["decision"]) == (expected.label, expected.decision)
        assert answer["heatmap_png"] is None and answer["similar"] is None
    card = predictor.card
    assert (document["model"], document["data_digest"]) == (card.model, card.manifest_digest)
    assert document["verdict"] is None and document["use"] == card.use


def test_a_heatmap_and_like_scans_come_when_asked_for(client, scans) -> None:
    (group,) = send(client, scans[0], heatmap="true", similar="true").json()["groups"]
    picture = Image.open(io.BytesIO(base64.b64decode(group["answers"][0]["heatmap_png"])))
    assert picture.format == "PNG" and picture.width > 500
    assert len(group["answers"][0]["similar"]) == 3


def test_a_volume_is_answered_slice_by_slice_highest_first(client, tmp_path: Path) -> None:
    import nibabel as nib

    random = np.random.default_rng(0)
    volume = nib.Nifti1Image(random.integers(0, 900, (40, 48, 6)).astype(np.int16), np.diag([1.0, 1.0, 5.0, 1.0]))
    nib.save(volume, tmp_path / "head.nii.gz")
    (group,) = send(client, tmp_path / "head.nii.gz").json()["groups"]
    values = [answer["probabilities"]["tumor"] for answer in group["answers"]]
    assert len(values) == 6 and values == sorted(values, reverse=True)
    assert group["order"] == "probability of tumor, highest first"
    assert all(answer["source"].startswith("head.nii.gz") for answer in group["answers"])


@pytest.mark.parametrize("kind", ["JPEG", "TIFF", "BMP", "WEBP"])
def test_other_pictures(client, scans, kind: str) -> None:
    stream = io.BytesIO()
    Image.open(scans[0]).convert("L").save(stream, format=kind)
    answer = send(client, (f"scan.{kind.lower()}", stream.getvalue()))
    assert answer.status_code == 200, answer.text


def test_one_bad_file_does_not_stop_the_rest(client, scans) -> None:
    document = send(client, scans[0], ("broken.png", b"\x89PNG no more")).json()
    assert len(document["groups"]) == 1
    (refused,) = document["refused"]
    assert refused["source"] == "broken.png" and "broken.png" in refused["reason"]
    assert "/dev/shm" not in str(document)


def test_bad_files_alone_are_refused_in_a_sentence(client) -> None:
    answer = send(client, ("broken.png", b"\x89PNG no more"))
    assert answer.status_code == 422 and answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"].startswith("broken.png")
    assert "/dev/shm" not in answer.text


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\scans\\a.txt", "a.txt"),
        ("x" * 500, "x" * 120),
    ],
)
def test_a_clients_name_is_shown_in_part_and_never_a_path(client, name: str, shown: str) -> None:
    answer = client.post("/v1/predict", files=[("files", (name, b"text"))])
    assert answer.status_code == 415
    assert answer.json()["detail"].startswith(f"{shown} is none of what is read")


def test_control_characters_are_not_shown() -> None:
    assert shown_name("a\r\nb\x00\x9b\u202e.txt") == "ab.txt" and shown_name("\n") == "unnamed"


@pytest.mark.parametrize(
    ("request_", "status", "detail"),
    [
        ({"content": b"x", "headers": {"content-type": "text/plain"}}, 415, "Expected multipart/form-data"),
        ({"content": b"x", "headers": {"content-type": "multipart/form-data"}}, 422, "Missing boundary"),
        ({"content": b"x", "headers": {"content-type": "multipart/form-data; boundary=b"}}, 422, "cannot be read"),
        ({"content": b"x", "headers": {"content-encoding": "gzip"}}, 415, "without Content-Encoding"),
        ({"files": [("scans", ("a.png", b"x"))]}, 422, "alone, got a field 'scans'"),
        ({"data": {"files": "text"}, "files": [("files", ("a.png", b"x"))]}, 422, "cannot be read"),
        ({}, 415, "got 'nothing'"),
    ],
)
def test_other_bodies_are_refused(client, request_, status: int, detail: str) -> None:
    answer = client.post("/v1/predict", **request_)
    assert answer.status_code == status and detail in answer.json()["detail"], answer.text


def test_limits(open_client, scans, large_picture, tmp_path: Path) -> None:
    with open_client(files=2, body_bytes=400_000, pixels=400_000, frames=3) as client:
        assert send(client, *scans[:3]).status_code == 413
        assert send(client, ("a.png", bytes(500_000))).status_code == 413
        answer = send(client, large_picture)
        assert answer.status_code == 422 and "pixels" in answer.json()["detail"]
        assert send(client, *scans[:2]).status_code == 200


@pytest.mark.parametrize(
    ("begin", "most"),
    [(b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n', 400), (b"nothing", 100)],
)
def test_a_body_without_a_length_is_cut_while_it_comes(connect, begin: bytes, most: int) -> None:
    """A MiB at a time: at the limit of 256 where it could be a file, at once where it is none."""
    piece = b"100000\r\n" + bytes(0x100000) + b"\r\n"
    with connect() as endless:
        endless.sendall(
            b"POST /v1/predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: multipart/form-data; boundary=b\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n" + f"{len(begin):x}\r\n".encode() + begin + b"\r\n"
        )
        sent = 0
        with contextlib.suppress(ConnectionError):
            while sent < 600:
                endless.sendall(piece)
                sent += 1
        assert sent < most and (most < 256 or sent >= 256)


def test_many_requests_of_one_client_are_slowed(open_client, scans) -> None:
    with open_client(requests_a_minute=4) as client:
        statuses = [send(client, scans[0]).status_code for _ in range(3)]
        answer = send(client, scans[0])
    assert statuses == [200, 200, 429] and answer.status_code == 429
    assert 1 <= int(answer.headers["retry-after"]) <= 15


def test_nothing_is_left_in_memory(client, scans) -> None:
    send(client, *scans)
    send(client, ("broken.png", b"x"))
    assert not list(Path("/dev/shm").glob("tumorlens-upload-*"))


def test_uploads_are_kept_where_that_is_asked_for(settings, scans, tmp_path: Path) -> None:
    with TestClient(create_app(replace(settings, keep_uploads=tmp_path))) as client:
        assert send(client, scans[0]).status_code == 200
    (kept,) = tmp_path.glob("tumorlens-upload-*/*")
    assert kept.read_bytes() == scans[0].read_bytes() and kept.name == "00000.png"
