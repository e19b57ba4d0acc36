"""API keys: made here, shown once, kept as a hash.

A key is ``tl_ID_SECRET`` with 256 random bits, so that a plain SHA-256 of the secret says nothing of it.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, get_args

from sqlalchemy import Engine, delete, insert, select
from sqlalchemy.exc import IntegrityError

from tumorlens.errors import InputError, NotFoundError
from tumorlens.serving.database import KEYS, database_errors
from tumorlens.workspace import check_name

__all__ = ["ROLES", "ApiKey", "Role", "add_key", "find_key", "list_keys", "may", "remove_key"]

Role = Literal["predict", "train"]

ROLES: tuple[str, ...] = get_args(Role)
"""``predict``: ask the model; ``train``: that, and decide which model is served."""

_KEY = re.compile(r"tl_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")


@dataclass(frozen=True)
class ApiKey:
    """A key without its secret.

    Attributes:
        id: What logs call it.
        name: What its owner calls it.
        role: One of :data:`ROLES`.
        created: When it was made, UTC.
    """

    id: str
    name: str
    role: str
    created: datetime

    def to_json(self) -> dict[str, str]:
        """The keys of ``keys list --json``."""
        return {"id": self.id, "name": self.name, "role": self.role, "created": self.created.isoformat()}


def add_key(engine: Engine, *, name: str, role: str) -> tuple[ApiKey, str]:
    """Make a key.

    Args:
        engine: The database.
        name: What its owner calls it; each name once.
        role: One of :data:`ROLES`.

    Returns:
        The key, and what the client sends: shown now and never again.

    Raises:
        InputError: There is no such role, or the name is taken or none.
        StorageError: The database cannot be written.
    """
    check_name(name, of="key")
    if role not in ROLES:
        raise InputError(f"Expected --role {' or '.join(ROLES)}, got {role!r}.")
    key = ApiKey(secrets.token_hex(6), name, role, datetime.now(UTC).replace(microsecond=0))
    secret = secrets.token_urlsafe(32)
    row = {**vars(key), "secret_sha256": _hash(secret)}
    with database_errors():
        try:
            with engine.begin() as connection:
                connection.execute(insert(KEYS).values(row))
        except IntegrityError as error:
            raise InputError(f"A key named {name!r} exists already: choose another name, or remove it.") from error
    return key, f"tl_{key.id}_{secret}"


def list_keys(engine: Engine) -> list[ApiKey]:
    """All keys, oldest first.

    Raises:
        StorageError: The database cannot be read.
    """
    with database_errors(), engine.connect() as connection:
        return [_key(row) for row in connection.execute(select(KEYS).order_by(KEYS.c.created)).mappings()]


def remove_key(engine: Engine, name: str) -> None:
    """Take a key away; a server that runs refuses it from its next request on.

    Raises:
        NotFoundError: There is none of that name.
        StorageError: The database cannot be written.
    """
    with database_errors(), engine.begin() as connection:
        removed = connection.execute(delete(KEYS).where(KEYS.c.name == name)).rowcount
    if not removed:
        raise NotFoundError(f"There is no key {name!r}: tumorlens keys list shows them.")


def find_key(engine: Engine, sent: str) -> ApiKey | None:
    """The key that a client sent; ``None`` where it is none.

    Raises:
        StorageError: The database cannot be read.
    """
    match = _KEY.fullmatch(sent)
    if match is None:
        return None
    with database_errors(), engine.connect() as connection:
        row = connection.execute(select(KEYS).where(KEYS.c.id == match[1])).mappings().first()
    if row is None or not hmac.compare_digest(str(row["secret_sha256"]), _hash(match[2])):
        return None
    return _key(row)


def may(role: str, wanted: Role) -> bool:
    """Whether a key of one role may do what another may."""
    return ROLES.index(role) >= ROLES.index(wanted)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("ascii")).hexdigest()


def _key(row: Mapping[Any, Any]) -> ApiKey:
    created: datetime = row["created"]
    return ApiKey(row["id"], row["name"], row["role"], created if created.tzinfo else created.replace(tzinfo=UTC))
