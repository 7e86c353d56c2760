"""Opens the database and hands out transactions."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection, Engine
from sqlalchemy.pool import PoolProxiedConnection

from persrv.catalog import schema
from persrv.catalog.connecting import DURABLE, MAY_WRITE, connected, parse_url
from persrv.catalog.failures import failure, printable_url, translated
from persrv.catalog.ownership import OWNER

_MUCH_KB = 192 * 1024
"""Pages in memory during a large transaction, in kB; SQLite's default is 2,000."""

_TYPED = (
    *("interactions", "impressions", "edits", "marks"),
    *("picked_queries", "picked_words", "query_words", "typed_words"),
)
"""Tables that hold what people typed or their names."""


class Database:
    """One open database. Threads may share it: each transaction has a connection of its own.

    Args:
        engine: Where connections come from.
        name: The database's URL as it may be printed.
        collection: Whose stickers are seen, see :mod:`persrv.catalog.ownership`.
        min_users: Different people who must have typed a query before it is public.
    """

    def __init__(self, engine: Engine, name: str, collection: str = "", min_users: int = 2) -> None:
        self.collection, self.min_users = collection, min_users
        engine = engine.execution_options(**{OWNER: collection})
        self._writers = engine.execution_options(**{MAY_WRITE: True})
        self._durable_writers = self._writers.execution_options(**{DURABLE: True})
        # All the queries of one reading see one state: SQLite does so by itself.
        one_state = {"isolation_level": "REPEATABLE READ"} if engine.dialect.name == "postgresql" else {}
        self._readers = engine.execution_options(**one_state)
        self._name = name
        self._own = threading.local()

    @classmethod
    def open(cls, url: str | Path, collection: str = "", min_users: int = 2) -> Database:
        """Open the database and upgrade its schema.

        Raises:
            CatalogError: The URL names no usable database, or one of a newer version.
            MissingExtraError: PostgreSQL's driver is not installed.
        """
        parsed = parse_url(url)
        name = printable_url(parsed)
        with translated(name):
            engine = connected(parsed, name)
            database = cls(engine, name, collection, min_users)
            try:
                schema.upgrade(database._readers, database._writers, name, collection=collection)
            except BaseException:
                engine.dispose()
                raise
            return database

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Hand out a connection whose queries all see one state, or the transaction that this thread is in."""
        with translated(self._name):
            if (current := self._current()) is not None:
                yield current
            else:
                with self._readers.connect() as connection:
                    yield connection

    @property
    def dialect(self) -> Literal["sqlite", "postgresql"]:
        """What the database speaks."""
        return "postgresql" if self._readers.dialect.name == "postgresql" else "sqlite"

    def ask(self, statement: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        """Return the rows of one statement that only reads, asked of the driver itself.

        Args:
            statement: Constant SQL with the driver's placeholders.
            values: For the placeholders.
        """
        with self.asking() as connection:
            try:
                cursor = connection.cursor()
                cursor.execute(statement, values)
                return list(cursor.fetchall())
            except self._readers.dialect.loaded_dbapi.Error as error:
                raise failure(error, self._name) from error

    @contextmanager
    def asking(self) -> Iterator[PoolProxiedConnection]:
        """Keep one connection for all that this thread asks by :meth:`ask` inside the ``with``, and hand it out.

        A search asks ten times, and taking a connection out of the pool costs more than most of its questions.
        """
        kept: PoolProxiedConnection | None = getattr(self._own, "asking", None)
        if kept is not None:
            yield kept
            return
        with translated(self._name):
            connection = self._readers.raw_connection()
            self._own.asking = connection
            try:
                yield connection
            finally:
                self._own.asking = None
                connection.close()

    @contextmanager
    def write(self, *, durable: bool = False) -> Iterator[Connection]:
        """Hand out a transaction; inside another one of this thread, a part of it that can fail by itself.

        Args:
            durable: Whether it must survive a power failure, too, which takes SQLite a write to the disk.
        """
        with translated(self._name):
            if (current := self._current()) is not None:
                with current.begin_nested():
                    yield current
                return
            with (self._durable_writers if durable else self._writers).begin() as connection:
                self._own.connection = connection
                try:
                    yield connection
                finally:
                    self._own.connection = None

    @contextmanager
    def write_much(self) -> Iterator[None]:
        """Make all writing of this thread inside the ``with`` one large transaction, which SQLite keeps in memory.

        Rows come at random places of their indexes, so that small transactions write each page of a file again and
        again. Where an error ends the ``with``, what was written whole before it counts. Other writers wait meanwhile.
        """
        if self._current() is not None or self.dialect != "sqlite":
            yield
            return
        failed: BaseException | None = None
        with translated(self._name), self._writers.connect() as connection:
            cursor = connection.connection.cursor()
            cursor.execute(f"PRAGMA cache_size = {-_MUCH_KB}")
            cursor.execute("PRAGMA temp_store = MEMORY")
            try:
                with connection.begin():
                    self._own.connection = connection
                    try:
                        yield
                    except BaseException as error:
                        failed = error
                    finally:
                        self._own.connection = None
            finally:
                for setting in ("cache_size = -2000", "temp_store = DEFAULT", "shrink_memory"):
                    cursor.execute(f"PRAGMA {setting}")
                cursor.close()
        if failed is not None:
            raise failed

    def scrub(self, *, rows: bool) -> None:
        """Remove what was deleted from the files: SQLite's write-ahead log is emptied, PostgreSQL's rows are vacuumed.

        SQLite's pages themselves are overwritten at once (``secure_delete``). PostgreSQL reuses the place of vacuumed
        rows, and overwrites it when it does.

        Args:
            rows: Whether rows were deleted; a log that somebody kept from being emptied is emptied without, too.
        """
        if self._current() is not None:
            return
        with translated(self._name):
            if self.dialect == "sqlite":
                self.ask("PRAGMA wal_checkpoint(TRUNCATE)", ())
                return
            if not rows:
                return
            with self._writers.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
                connection.exec_driver_sql(f"VACUUM {', '.join(_TYPED)}")

    def close(self) -> None:
        """Close all connections; closing twice is harmless."""
        self._writers.dispose()

    def _current(self) -> Connection | None:
        connection: Connection | None = getattr(self._own, "connection", None)
        return connection


class Part:
    """A part of the catalog: a set of methods on one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
