"""Runs the application: listens, cuts clients that never finish a request's head, says where it is, stops cleanly."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from tumorlens.errors import InputError
from tumorlens.serving.app import create_app
from tumorlens.serving.settings import ServeSettings

__all__ = ["run_server"]

_KEEP_ALIVE_SECONDS = 15
_STOP_SECONDS = 30
_LONGEST_HEAD = 64 * 1024


def run_server(settings: ServeSettings, *, on_start: Callable[[str], None]) -> None:
    """Serve until the process is told to stop; requests that were begun are answered first.

    Args:
        settings: How it is run.
        on_start: Given the address once requests are taken.

    Raises:
        InputError: The address cannot be listened on.
        IntegrityError: The bundle is not what was written, or fails its self-test.
        StorageError: Uploads cannot be kept in memory on this machine.
    """
    listening = _listen(settings)
    try:
        app = create_app(settings)
        logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
        config = uvicorn.Config(
            app,
            http=_protocol(settings.limits.head_seconds),
            ws="none",
            lifespan="on",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=settings.limits.connections,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=_STOP_SECONDS,
            h11_max_incomplete_event_size=_LONGEST_HEAD,
            log_config=None,
        )
        _Server(config, lambda: on_start(_address(listening))).run(sockets=[listening])
    finally:
        listening.close()


class _Server(uvicorn.Server):
    """Says when it has started."""

    def __init__(self, config: uvicorn.Config, on_start: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_start = on_start

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._on_start()


def _listen(settings: ServeSettings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((settings.host, settings.port))
        listening.listen(2048)
    except (OSError, OverflowError) as error:
        listening.close()
        reason = getattr(error, "strerror", None) or error
        raise InputError(
            f"{settings.host}:{settings.port} cannot be listened on ({reason}): give another --host or --port."
        ) from error
    return listening


def _address(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _protocol(head_seconds: float) -> type[H11Protocol]:
    """uvicorn's protocol, which waits for a request's head for so long and no longer."""

    class Impatient(H11Protocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self._head_timer: asyncio.TimerHandle | None = None
            self._await_head()

        def handle_events(self) -> None:
            cycle = self.cycle
            super().handle_events()
            if self.cycle is not cycle:
                self._cancel_head()

        def on_response_complete(self) -> None:
            super().on_response_complete()
            self._await_head()

        def connection_lost(self, exc: Exception | None) -> None:
            self._cancel_head()
            super().connection_lost(exc)

        def _await_head(self) -> None:
            self._cancel_head()
            self._head_timer = self.loop.call_later(
                max(head_seconds, _KEEP_ALIVE_SECONDS) if self.cycle else head_seconds, self._give_up
            )

        def _cancel_head(self) -> None:
            if self._head_timer is not None:
                self._head_timer.cancel()
                self._head_timer = None

        def _give_up(self) -> None:
            if not self.transport.is_closing() and (self.cycle is None or self.cycle.response_complete):
                self.transport.close()

    return Impatient
