"""Errors as problem details (RFC 9457): one clear sentence, the right status, never a traceback."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from tumorlens.errors import HTTP_STATUS, TumorlensError

__all__ = ["PROBLEM_TYPE", "ProblemError", "add_problem_handlers", "problem", "status_of"]

PROBLEM_TYPE = "application/problem+json"

_log = logging.getLogger("tumorlens.serving")


class ProblemError(Exception):
    """A refusal with a status of its own.

    Args:
        status: HTTP status, 400..599.
        detail: One sentence for the client.
        headers: Further headers, such as ``Retry-After``.
    """

    def __init__(self, status: int, detail: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, dict(headers or {})


def status_of(error: TumorlensError) -> int:
    """The HTTP status of an error that is raised on purpose."""
    return next(HTTP_STATUS[kind] for kind in type(error).__mro__ if kind in HTTP_STATUS)


def problem(status: int, detail: str, *, headers: Mapping[str, str] | None = None, **more: Any) -> JSONResponse:
    """A response that says what is wrong.

    Args:
        status: HTTP status.
        detail: One sentence for the client.
        headers: Further headers.
        more: Further members of the document.
    """
    document = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail, **more}
    return JSONResponse(document, status_code=status, headers=dict(headers or {}), media_type=PROBLEM_TYPE)


def add_problem_handlers(app: FastAPI) -> None:
    """Turn every error of an application into problem details."""

    @app.exception_handler(ProblemError)
    async def refused(_: Request, error: ProblemError) -> JSONResponse:
        return problem(error.status, error.detail, headers=error.headers)

    @app.exception_handler(TumorlensError)
    async def known(_: Request, error: TumorlensError) -> JSONResponse:
        status = status_of(error)
        if status in (500, 507):
            _log.error("%s", error)
            return problem(status, "The server cannot answer now; its log says why.")
        return problem(status, str(error), headers={"Retry-After": "1"} if status == 503 else None)

    @app.exception_handler(RequestValidationError)
    async def unfit(_: Request, error: RequestValidationError) -> JSONResponse:
        return problem(422, "; ".join(_sentence(one) for one in error.errors()))

    @app.exception_handler(HTTPException)
    async def by_framework(_: Request, error: HTTPException) -> JSONResponse:
        details = {404: "There is nothing here: /docs lists what there is.", 405: "This path takes another method."}
        detail = details.get(error.status_code, str(error.detail))
        return problem(error.status_code, detail, headers=error.headers)

    @app.exception_handler(Exception)
    async def unknown(_: Request, error: Exception) -> JSONResponse:
        _log.error("A request failed in a way that was not foreseen.", exc_info=error)
        return problem(500, "The server failed in a way that was not foreseen; its log says more.")


def _sentence(error: Mapping[str, Any]) -> str:
    place = ".".join(str(part) for part in error["loc"] if part != "body")
    return f"{place or 'body'}: {error['msg']}"
