"""What every request meets first: whose name it calls, how much it sends and how fast; and what every answer carries.

Pure ASGI, so that a body is bounded while it comes and not after.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from tumorlens.serving.problems import ProblemError, problem
from tumorlens.serving.settings import ServeLimits

__all__ = ["HEADERS", "Guard"]

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
    (b"content-security-policy", b"default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"),
    (b"cache-control", b"no-store"),
)
"""Headers of every answer that does not set its own."""


class Guard:
    """Bounds what comes in and marks what goes out.

    Args:
        app: What is guarded.
        limits: Body size and times.
        host_names: Names that the header Host may hold, without port; empty: any.
    """

    def __init__(self, app: App, *, limits: ServeLimits, host_names: tuple[str, ...]) -> None:
        self._app, self._limits, self._host_names = app, limits, host_names

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        body = _Body(receive, self._limits)

        async def marked(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                own = {name for name, _ in message["headers"]}
                if _has_body(headers) and not body.ended and b"connection" not in own:
                    message["headers"] = [*message["headers"], (b"connection", b"close")]
                message["headers"] = [*message["headers"], *(pair for pair in HEADERS if pair[0] not in own)]
            await send(message)

        try:
            self._check_head(headers)
            await self._app(scope, body.receive, marked)
        except ProblemError as refusal:
            if begun:
                raise
            response = problem(refusal.status, refusal.detail, headers=refusal.headers)
            await response(scope, receive, marked)

    def _check_head(self, headers: MutableMapping[bytes, str]) -> None:
        host = headers.get(b"host", "")
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() and not host.endswith("]") else host
        if self._host_names and name.lower() not in self._host_names:
            raise ProblemError(421, "The server does not answer to this name: use the address that it printed.")
        length = headers.get(b"content-length", "0")
        if not length.isdigit():
            raise ProblemError(400, "The header Content-Length is no number.")
        if int(length) > self._limits.body_bytes:
            raise ProblemError(413, _too_large(self._limits))
        if headers.get(b"content-encoding", "identity") != "identity":
            raise ProblemError(415, "Bodies are taken as they are: send them without Content-Encoding.")


def _has_body(headers: MutableMapping[bytes, str]) -> bool:
    return b"transfer-encoding" in headers or headers.get(b"content-length", "0") != "0"


class _Body:
    """A request's body as it comes, within its limits.

    Attributes:
        ended: Whether all of it has come; where it has not, the connection is of no use after the answer.
    """

    def __init__(self, receive: Receive, limits: ServeLimits) -> None:
        self._receive, self._limits = receive, limits
        self._bytes = 0
        self.ended = False
        self._deadline: float | None = None

    async def receive(self) -> Message:
        """The next message.

        Raises:
            ProblemError: The body is too large (413) or too slow (408).
        """
        if self.ended:
            return await self._receive()  # waits for the client to go
        now = time.monotonic()
        self._deadline = self._deadline or now + self._limits.body_seconds
        wait = min(self._limits.idle_seconds, self._deadline - now)
        try:
            message = await asyncio.wait_for(self._receive(), timeout=max(wait, 0.001))
        except TimeoutError:
            raise ProblemError(408, "The body came too slowly: send it again, in fewer files or faster.") from None
        if message["type"] == "http.request":
            self._bytes += len(message.get("body", b""))
            self.ended = not message.get("more_body", False)
            if self._bytes > self._limits.body_bytes:
                raise ProblemError(413, _too_large(self._limits))
        return message


def _too_large(limits: ServeLimits) -> str:
    return f"The body is larger than {limits.body_bytes // (1024 * 1024)} MiB: send fewer or smaller files."
