"""Keys: shown once, kept as a hash, each with its role, gone when they are taken away."""

from __future__ import annotations

import json
import stat
from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from tumorlens.cli.main import main
from tumorlens.errors import InputError, NotFoundError, StorageError
from tumorlens.serving.app import create_app
from tumorlens.serving.database import open_database
from tumorlens.serving.keys import add_key, find_key, list_keys, may, remove_key
from tumorlens.workspace import Workspace


@pytest.fixture
def database(workspace: Workspace):
    return open_database(workspace)


def test_a_key_is_found_by_its_secret_alone(database, workspace: Workspace) -> None:
    key, sent = add_key(database, name="ward-7", role="predict")
    assert find_key(database, sent) == key and list_keys(database) == [key]
    for wrong in (
        "",
        "tl_",
        sent[:-1],
        sent + "a",
        sent.swapcase(),
        f"tl_{key.id}_{'A' * 43}",
        "tl_" + "é" * 20,
        "x" * 10_000,
    ):
        assert find_key(database, wrong) is None
    secret = sent.removeprefix(f"tl_{key.id}_")
    held = b"".join(file.read_bytes() for file in workspace.root.glob("server.db*"))
    assert secret.encode() not in held and key.id.encode() in held


def test_the_database_is_its_owners(database, workspace: Workspace) -> None:
    assert stat.S_IMODE((workspace.root / "server.db").stat().st_mode) == 0o600


def test_roles() -> None:
    assert may("train", "predict") and may("train", "train") and may("predict", "predict")
    assert not may("predict", "train")


def test_names_and_roles_are_checked(database) -> None:
    add_key(database, name="a", role="train")
    with pytest.raises(InputError, match=r"^A key named 'a' exists already"):
        add_key(database, name="a", role="predict")
    with pytest.raises(InputError, match=r"^Expected --role predict or train, got 'admin'\.$"):
        add_key(database, name="b", role="admin")
    with pytest.raises(InputError, match="A key's name must be"):
        add_key(database, name="../b", role="predict")
    remove_key(database, "a")
    with pytest.raises(NotFoundError, match=r"^There is no key 'a'"):
        remove_key(database, "a")


@pytest.mark.parametrize("url", ["nothing", "mysql+nodriver://x", "postgresql://", ""])
def test_other_addresses_are_refused_in_a_sentence(workspace: Workspace, url: str) -> None:
    with pytest.raises((InputError, StorageError), match="--database-url"):
        open_database(workspace, url)


def test_a_damaged_database_is_said(workspace: Workspace) -> None:
    (workspace.root / "server.db").write_bytes(b"no database" * 1000)
    with pytest.raises(StorageError, match="cannot be used"):
        open_database(workspace)


@pytest.fixture(scope="module")
def keyed(settings, tmp_path_factory: pytest.TempPathFactory):
    url = f"sqlite:///{tmp_path_factory.mktemp('keys') / 'k.db'}"
    database = open_database(settings.workspace, url)
    sent = {role: add_key(database, name=role, role=role)[1] for role in ("predict", "train")}
    with TestClient(create_app(replace(settings, auth=True, database_url=url))) as client:
        yield client, database, sent


def head(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


def test_without_a_key_nothing_is_answered(keyed, scans) -> None:
    client, _, _ = keyed
    parts = [("files", (scans[0].name, scans[0].read_bytes()))]
    for headers in ({}, head("wrong"), {"authorization": "Basic eA=="}, {"authorization": "Bearer"}):
        answers = [
            client.post("/v1/predict", files=parts, headers=headers),
            client.get("/v1/models", headers=headers),
            client.get("/v1/runs", headers=headers),
            client.put("/v1/models/current", json={"run": "x"}, headers=headers),
            client.get("/metrics", headers=headers),
            client.get("/v2/models/x", headers=headers),
            client.post("/v2/models/x/infer", content=b"{}", headers=headers),
        ]
        assert {answer.status_code for answer in answers} == {401}
        assert {answer.headers["www-authenticate"] for answer in answers} == {"Bearer"}
        assert {answer.headers["content-type"] for answer in answers} == {"application/problem+json"}
    for path in ("/healthz", "/readyz", "/v2", "/v2/health/live", "/v2/health/ready", "/openapi.json"):
        assert client.get(path).status_code == 200


def test_a_key_may_do_what_its_role_may(keyed, scans) -> None:
    client, _, sent = keyed
    parts = [("files", (scans[0].name, scans[0].read_bytes()))]
    for role in ("predict", "train"):
        assert client.post("/v1/predict", files=parts, headers=head(sent[role])).status_code == 200
    answer = client.put("/v1/models/current", json={"run": "nothing"}, headers=head(sent["predict"]))
    assert answer.status_code == 403 and "has the role predict, and this needs train" in answer.json()["detail"]
    assert client.put("/v1/models/current", json={"run": "nothing"}, headers=head(sent["train"])).status_code == 404


def test_a_key_that_is_taken_away_is_refused_at_once(keyed) -> None:
    client, database, _ = keyed
    _, key = add_key(database, name="guest", role="predict")
    assert client.get("/v1/models", headers=head(key)).status_code == 200
    remove_key(database, "guest")
    assert client.get("/v1/models", headers=head(key)).status_code == 401


def test_keys_on_the_command_line(capsys, workspace: Workspace) -> None:
    place = ["--workspace", str(workspace.root), "--quiet"]
    assert main(["keys", "add", "ward-7", "--role", "train", *place, "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert find_key(open_database(workspace), made["key"]).name == "ward-7"
    assert main(["keys", "list", *place]) == 0
    shown = capsys.readouterr().out
    assert "ward-7  train" in shown and made["key"] not in shown
    assert main(["keys", "remove", "ward-7", *place]) == 0
    assert main(["keys", "remove", "ward-7", *place]) == 2
    assert "There is no key 'ward-7'" in capsys.readouterr().err
