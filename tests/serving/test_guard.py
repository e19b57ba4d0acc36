"""Names, headers, and clients that are slow."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tumorlens.errors import InputError
from tumorlens.serving import ServeLimits, ServeSettings
from tumorlens.workspace import Workspace


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "example.org"])
def test_others_are_let_in_on_purpose_alone(host: str) -> None:
    words = {"bundle": Path("b"), "workspace": Workspace.locate("w"), "host": host}
    with pytest.raises(InputError, match=r"lets others ask the model without a login"):
        ServeSettings(**words)
    assert ServeSettings(**words, insecure=True).allowed_hosts == ServeSettings(**words, auth=True).allowed_hosts == ()
    with pytest.raises(InputError, match="give one of the two"):
        ServeSettings(**words, insecure=True, auth=True)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.8.8.8"])
def test_this_machine_needs_no_login(host: str) -> None:
    ServeSettings(bundle=Path("b"), workspace=Workspace.locate("w"), host=host)


def test_limits_are_above_0() -> None:
    with pytest.raises(InputError, match=r"^Expected the limit files above 0, got 0\.$"):
        ServeLimits(files=0)


@pytest.mark.parametrize("host", ["evil.example", "testserver.evil.example", "", "127.0.0.1.nip.io:80"])
def test_another_name_is_not_answered(client, host: str) -> None:
    assert client.get("/healthz", headers={"host": host}).status_code == 421


def test_every_answer_carries_the_usual_headers(client) -> None:
    for path in ("/healthz", "/nothing", "/v2"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff" and headers["x-frame-options"] == "DENY"
        assert "unsafe-inline" not in headers["content-security-policy"] and "server" not in headers
        assert "access-control-allow-origin" not in headers


def test_errors_are_problem_details(client) -> None:
    for answer, status in ((client.get("/nothing"), 404), (client.delete("/healthz"), 405)):
        assert answer.status_code == status and answer.headers["content-type"] == "application/problem+json"
        assert set(answer.json()) == {"type", "title", "status", "detail"}


def test_a_request_that_never_ends_is_cut(server, connect) -> None:
    started = time.monotonic()
    with connect() as slow:
        slow.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ")
        assert slow.recv(1000) == b""
    assert 5 < time.monotonic() - started < 45


def test_a_body_that_stops_is_answered_and_cut(open_client) -> None:
    def stops():
        yield b"--b\r\n"
        time.sleep(1.5)
        yield b"x"

    with open_client(idle_seconds=0.3) as client:
        headers = {"content-type": "multipart/form-data; boundary=b"}
        assert client.post("/v1/predict", content=stops(), headers=headers).status_code in (408, 422)


def test_half_a_body_over_a_connection_is_answered_408(settings, tmp_path) -> None:
    """Over a port, where the body really comes in pieces."""
    import socket
    import threading
    from dataclasses import replace

    from tumorlens.serving import server as module

    address: list[str] = []
    started = threading.Event()
    stop: list = []

    class Kept(module._Server):
        def __init__(self, *words) -> None:
            super().__init__(*words)
            stop.append(self)

    own = replace(settings, port=0, host_names=(), limits=ServeLimits(idle_seconds=0.5))
    original, module._Server = module._Server, Kept
    try:
        thread = threading.Thread(
            target=module.run_server, args=(own,), kwargs={"on_start": lambda at: (address.append(at), started.set())}
        )
        thread.start()
        assert started.wait(60)
        host, port = address[0].removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=30) as half:
            half.sendall(
                b"POST /v1/predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: multipart/form-data; boundary=b\r\n"
                b"Content-Length: 5000\r\n\r\n--b\r\n"
            )
            answer = half.recv(4000)
            assert answer.startswith(b"HTTP/1.1 408")
            while half.recv(4000):
                pass
    finally:
        module._Server = original
        stop[0].should_exit = True
        thread.join(60)
