"""The catalog as the other rooms see it: one object, each of whose subjects has a module of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Self

from sqlalchemy import select

from persrv.catalog.affinity import Affinities
from persrv.catalog.batches import upsert
from persrv.catalog.columns import Json
from persrv.catalog.counts import Statistics
from persrv.catalog.database import Database
from persrv.catalog.edits import Edits
from persrv.catalog.impressions import Impressions
from persrv.catalog.indexed import IndexedStickers
from persrv.catalog.integrity import Integrity
from persrv.catalog.labels import Labels
from persrv.catalog.marks import Marks
from persrv.catalog.own_picks import OwnPicks
from persrv.catalog.people import UserData
from persrv.catalog.placements import Placements
from persrv.catalog.read_files import ReadFiles
from persrv.catalog.revisions import Revisions
from persrv.catalog.semantics import Readings
from persrv.catalog.successors import Successors
from persrv.catalog.tables import notes


class Catalog(
    Placements,
    ReadFiles,
    UserData,
    Readings,
    Edits,
    Labels,
    Statistics,
    Impressions,
    IndexedStickers,
    Successors,
    Revisions,
    Affinities,
    Marks,
    Integrity,
    OwnPicks,
):
    """The truth about a collection: stickers, what is said about them, and who picked them.

    Every method is one transaction, and what it wrote outlives the process when it returns. At a power failure SQLite
    may lose, but never tear, the last transactions; it never loses a pick, an edit or a removal. Threads may share a
    catalog. Texts are stored as UTF-8 without NUL characters; lone surrogates become ``?``. Every method can raise
    :class:`~persrv.errors.CatalogError` where the database cannot be used.
    """

    @classmethod
    def open(cls, url: str | Path, collection: str = "", min_users: int = 2) -> Self:
        """Open a catalog, make it where there is none, and upgrade its schema if it is older than this code.

        Args:
            url: ``sqlite:///FILE``, the path of an SQLite file, or ``postgresql://USER:PASSWORD@HOST/DATABASE``.
            collection: Whose stickers are seen; several collections may share a catalog, and each keeps to its own.
            min_users: Different people who must have typed a query before it is one of a sticker's texts, >= 1.

        Raises:
            CatalogError: The database cannot be used, or is of a newer version than this code.
            MissingExtraError: PostgreSQL's driver is not installed.
        """
        return cls(Database.open(url, collection, min_users))

    @property
    def collection(self) -> str:
        """The collection whose stickers are seen."""
        return self._database.collection

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make all calls of this thread inside the ``with`` one transaction: all of them count, or none.

        A call that fails inside takes back only itself, if its error is caught inside.
        """
        with self._database.write():
            yield

    @contextmanager
    def large_transaction(self) -> Iterator[None]:
        """Make all calls of this thread inside the ``with`` one large transaction.

        For the first filling of a catalog: everybody else who writes waits, for minutes perhaps. Where an error ends
        the ``with``, the calls that were done count.
        """
        with self._database.write_much():
            yield

    def asking(self) -> AbstractContextManager[object]:
        """Keep one connection for what this thread asks on the way of a search inside the ``with``."""
        return self._database.asking()

    def note(self, key: str, content: Json) -> None:
        """Store a small fact that must outlive the process, in place of the one before under this key."""
        with self._database.write() as connection:
            upsert(connection, notes, [{"key": key, "content": content}])

    def noted(self, key: str) -> Json:
        """Return the fact under a key, ``None`` where there is none."""
        with self._database.read() as connection:
            content: Json = connection.execute(select(notes.c.content).where(notes.c.key == key)).scalar()
            return content

    def close(self) -> None:
        """Close all connections; closing twice is harmless."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
