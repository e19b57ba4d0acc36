"""Counts every request, and lets no client ask too often. Pure ASGI: nothing is held back."""

from __future__ import annotations

import time
from collections.abc import MutableMapping
from typing import Any

from tumorlens.serving.guard import App, Message, Receive, Send
from tumorlens.serving.problems import problem
from tumorlens.serving.state import Shared

__all__ = ["Counted"]

_UNLIMITED = frozenset({"/healthz", "/readyz", "/metrics", "/v2/health/live", "/v2/health/ready"})


class Counted:
    """Counts, and refuses what comes too often (429).

    Args:
        app: What answers.
        shared: Where is counted.
    """

    def __init__(self, app: App, *, shared: Shared) -> None:
        self._app, self._shared = app, shared

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.perf_counter(), 500

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        client = scope.get("client")
        wait = 0.0 if scope["path"] in _UNLIMITED else self._shared.rates.take(client[0] if client else "")
        try:
            if wait:
                later = {"Retry-After": str(int(wait) + 1)}
                response = problem(429, "Too many requests from one client: send them more slowly.", headers=later)
                await response(scope, receive, noted)
            else:
                await self._app(scope, receive, noted)
        finally:
            route = getattr(scope.get("route"), "path", "none")
            seconds = time.perf_counter() - started
            self._shared.metrics.add_request(method=_method(scope), route=route, status=status, seconds=seconds)


def _method(scope: MutableMapping[str, Any]) -> str:
    """One of those that there are, so that no client makes up series of counters."""
    method = str(scope["method"])
    return method if method in {"GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"} else "other"
