"""Whose stickers: several collections may share one catalog, and each sees its own.

A placement and what a loader says belong to the collection that took them in. What hangs on a picture's content alone
is everybody's: edits, interactions, and what models read.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection

from persrv.catalog.tables import placements, readings

OWNER = "persrv_collection"
"""The execution option of a connection that names the collection."""


def collection_of(connection: Connection) -> str:
    """Return the name of the collection that a connection was opened for."""
    return str(connection.get_execution_options().get(OWNER, ""))


def placed_here(connection: Connection) -> ColumnElement[bool]:
    """Return the condition on ``placements`` that keeps to the collection's own."""
    return placements.c.collection == collection_of(connection)


def placed_here_by_sticker(connection: Connection) -> ColumnElement[bool]:
    """Return the same condition for statements that name stickers.

    SQLite does not know that nearly all placements are of one collection: it takes the collection for rare and goes
    through all its rows, 335 ms of 100,000 for twenty stickers. What is computed has no index, so it looks up stickers.
    """
    return placements.c.collection.concat("") == collection_of(connection)


def read_here(connection: Connection) -> ColumnElement[bool]:
    """Return the condition on ``readings`` that leaves out what loaders say of other collections' stickers."""
    return readings.c.collection.in_(("", collection_of(connection)))
