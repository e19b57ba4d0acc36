"""Where the server keeps what must outlive it: SQLite in the workspace, or any database that SQLAlchemy speaks to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Column, DateTime, Engine, MetaData, String, Table, create_engine, event
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from tumorlens.errors import InputError, StorageError
from tumorlens.workspace import Workspace, storage_errors

__all__ = ["KEYS", "database_errors", "open_database"]

_FILE = "server.db"
_BUSY_SECONDS = 30

_METADATA = MetaData()

KEYS = Table(
    "api_keys",
    _METADATA,
    Column("id", String(16), primary_key=True),
    Column("name", String(100), nullable=False, unique=True),
    Column("role", String(16), nullable=False),
    Column("secret_sha256", String(64), nullable=False),
    Column("created", DateTime(timezone=True), nullable=False),
)
"""API keys: of the secret there is a hash alone."""


def open_database(workspace: Workspace, url: str | None = None) -> Engine:
    """Open the database; tables that are missing are made.

    Args:
        workspace: Where it lies, for its owner alone to read, unless ``url`` names another.
        url: Address in SQLAlchemy's form, such as ``postgresql+psycopg://user@host/name``.

    Raises:
        InputError: The address cannot be understood, or its driver is not installed.
        StorageError: The database cannot be reached or written.
    """
    if url is None:
        file = workspace.create().root / _FILE
        with storage_errors(file):
            file.touch(mode=0o600)
        url = f"sqlite:///{file}"
    try:
        engine = create_engine(url, connect_args={"timeout": _BUSY_SECONDS} if url.startswith("sqlite") else {})
    except (ArgumentError, NoSuchModuleError, ImportError, ValueError) as error:
        raise InputError(
            f"Expected --database-url as SQLAlchemy writes it, such as sqlite:///FILE, its driver installed: {error}"
        ) from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _settle_sqlite)
    with database_errors():
        _METADATA.create_all(engine)
    return engine


@contextmanager
def database_errors() -> Iterator[None]:
    """Turn what a database raises into one sentence.

    Raises:
        StorageError: It cannot be reached, read or written.
    """
    try:
        yield
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise StorageError(
            f"The server's database cannot be used ({reason}): check --database-url, the disk and the permissions."
        ) from error


def _settle_sqlite(connection: Any, _: object) -> None:
    """Readers do not wait for the writer, and what is committed survives a crash of the machine."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()
