"""Who may do what: a key in each request, or anyone where none is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from tumorlens.serving.keys import Role, find_key, may
from tumorlens.serving.problems import ProblemError
from tumorlens.serving.state import Shared, shared_of

__all__ = ["allowed"]

_bearer = HTTPBearer(auto_error=False, description="A key made by `tumorlens keys add`, where the server asks for one.")


def allowed(wanted: Role) -> Callable[..., str]:
    """A dependency of routes that need a role; gives the id of the caller's key, empty without keys.

    Args:
        wanted: The role.
    """

    def check(
        shared: Annotated[Shared, Depends(shared_of)],
        sent: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
    ) -> str:
        if shared.keys is None:
            return ""
        key = None if sent is None else find_key(shared.keys, sent.credentials)
        if key is None:
            raise ProblemError(
                401,
                "This server asks for a key: send it in the header 'Authorization: Bearer KEY'.",
                headers={"WWW-Authenticate": "Bearer"},
            )
        if not may(key.role, wanted):
            raise ProblemError(403, f"The key {key.name!r} has the role {key.role}, and this needs {wanted}.")
        return key.id

    return check
