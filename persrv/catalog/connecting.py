"""From a catalog's URL to an engine of SQLAlchemy whose connections are as the catalog wants them."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import ConnectionPoolEntry

from persrv.errors import CatalogError, MissingExtraError

BUSY_SECONDS = 10.0
"""How long SQLite waits for another writer before it gives up, unless the URL says ``?timeout=``."""

MAY_WRITE, DURABLE = "persrv_may_write", "persrv_durable"
"""Execution options of SQLAlchemy: whether a transaction may write, and whether it must outlive a power failure."""

_SQLITE_OPTIONS = {"immutable", "mode", "timeout", "uri"}
_HOW_TO_WRITE = "write it as sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE"


def parse_url(url: str | Path) -> URL:
    """Return a catalog's URL with the driver that is used.

    Args:
        url: ``sqlite:///FILE``, the path of an SQLite file, or ``postgresql://USER:PASSWORD@HOST/DATABASE``.

    Raises:
        CatalogError: It is none of these.
    """
    if isinstance(url, Path):
        return URL.create("sqlite", database=str(url))
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise CatalogError("the catalog's URL cannot be read", _HOW_TO_WRITE) from error
    if parsed.drivername in {"postgres", "postgresql"}:
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername not in {"sqlite", "sqlite+pysqlite", "postgresql+psycopg"}:
        raise CatalogError(f"a catalog cannot live in {parsed.drivername!r}", _HOW_TO_WRITE)
    return parsed


def connected(url: URL, name: str) -> Engine:
    """Return an engine that was connected once; an SQLite file that is missing is made, with its folder.

    Args:
        url: From :func:`parse_url`.
        name: The URL as it may be printed.

    Raises:
        CatalogError: The URL has an option that the driver does not know, or names a folder or memory.
        MissingExtraError: PostgreSQL's driver is not installed.
        SQLAlchemyError: The database refuses; the caller translates it.
    """
    try:
        engine = _engine(url)
        engine.connect().close()
    except (TypeError, ValueError) as error:
        # Options after the URL's "?" reach the driver as they stand, and it says so in these ways.
        raise CatalogError(f"the catalog's URL {name} has a wrong option: {error}", "correct it") from error
    return engine


def _engine(url: URL) -> Engine:
    if url.get_backend_name() == "postgresql":
        try:
            return create_engine(url, pool_pre_ping=True, hide_parameters=True)
        except ImportError as error:
            raise MissingExtraError("a catalog in PostgreSQL", "postgres") from error
    if unknown := sorted(set(url.query) - _SQLITE_OPTIONS):
        raise CatalogError(
            f"the catalog's URL has the unknown option {unknown[0]!r}", f"use only {', '.join(sorted(_SQLITE_OPTIONS))}"
        )
    _check_file(url)
    waiting = {} if "timeout" in url.query else {"timeout": BUSY_SECONDS}
    # Many threads read at once, and an idle SQLite connection costs next to nothing.
    engine = create_engine(url, hide_parameters=True, pool_size=16, max_overflow=48, connect_args=waiting)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _check_file(url: URL) -> None:
    if not url.database or url.database == ":memory:":
        raise CatalogError("a catalog cannot live in memory, it would be lost", _HOW_TO_WRITE)
    if url.database.startswith("file:"):
        return
    file = Path(url.database)
    if file.is_dir():
        raise CatalogError(f"the catalog {file} is a folder", f"give a file in it, such as {file / 'catalog.db'}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CatalogError(f"the folder {file.parent} cannot be made: {error.strerror}", "give another path") from error


def _prepare_sqlite(connection: DBAPIConnection, entry: ConnectionPoolEntry) -> None:
    # Python's own transaction handling commits before some statements, which would split an upgrade.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA synchronous = NORMAL")
    # What a user asks to be forgotten is overwritten, not only unlinked.
    cursor.execute("PRAGMA secure_delete = ON")
    _switch_to_wal(cursor)
    cursor.close()


def _switch_to_wal(cursor: DBAPICursor) -> None:
    """Switch to write-ahead logging; while another process does the same, SQLite refuses at once and is asked again."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def _begin_sqlite(connection: Connection) -> None:
    # A writer takes the lock at once: a reader that turns writer later can be refused without waiting.
    may_write = connection.get_execution_options().get(MAY_WRITE, False)
    if may_write:
        durable = connection.get_execution_options().get(DURABLE, False)
        connection.exec_driver_sql(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if may_write else "BEGIN")
