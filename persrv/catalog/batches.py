"""Writes and reads many rows at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import chain, islice
from typing import Any, TypeVar

from sqlalchemy import Connection, Table

T = TypeVar("T")

CHUNK = 500
"""Values in one ``IN (...)``: far below what any database allows, and large enough to be quick."""


def chunks(items: Iterable[T], size: int = CHUNK) -> Iterator[list[T]]:
    """Yield the items in lists of ``size``, the last one shorter."""
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk


def grouped(items: Iterable[T], size: int) -> Iterator[Iterator[T]]:
    """Yield the items in iterators of ``size``, the last one shorter, each to be walked through before the next."""
    rest = iter(items)
    for first in rest:
        yield chain((first,), islice(rest, size - 1))


def upsert(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], keep: Sequence[str] = ()) -> None:
    """Insert rows; where the primary key exists already, replace the row's other columns.

    Args:
        connection: Inside a transaction that may write.
        table: Where to.
        rows: All with the same columns. They are written in the order of their keys, so that two writers
            cannot wait for each other in a circle.
        keep: Columns that an existing row keeps.
    """
    if not rows:
        return
    keys = [column.name for column in table.primary_key]
    statement = _upserting(connection.dialect.name, table, tuple(rows[0]), tuple(keep))
    connection.execute(statement, sorted(rows, key=lambda row: [row[key] for key in keys]))


def insert_into(connection: Connection, table: Table) -> Any:
    """Return the database's own ``INSERT``, which can say what becomes of a row that is there already."""
    return insert_for(connection.dialect.name, table)


def insert_for(dialect: str, table: Table) -> Any:
    """Return the ``INSERT`` of a dialect, see :func:`insert_into`.

    The dialect is imported when the first row is written: PostgreSQL's takes 40 ms, and a search writes nothing.
    """
    if dialect == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as postgresql_insert

        return postgresql_insert(table)
    from sqlalchemy.dialects.sqlite import insert as sqlite_insert

    return sqlite_insert(table)


def insert_new(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], unique: str) -> set[Any]:
    """Insert rows, leave out those that a unique index knows already, and return the ``unique`` values of new ones."""
    if not rows:
        return set()
    return set(connection.execute(_inserting_new(connection.dialect.name, table, unique), rows).scalars())


# Built once each: building a statement takes longer than running it.


@cache
def _upserting(dialect: str, table: Table, columns: tuple[str, ...], keep: tuple[str, ...]) -> Any:
    keys = [column.name for column in table.primary_key]
    added = insert_for(dialect, table)
    replaced = {name: added.excluded[name] for name in columns if name not in keys and name not in keep}
    conflict = added.on_conflict_do_update if replaced else added.on_conflict_do_nothing
    return conflict(index_elements=keys, **({"set_": replaced} if replaced else {}))


@cache
def _inserting_new(dialect: str, table: Table, unique: str) -> Any:
    return insert_for(dialect, table).on_conflict_do_nothing().returning(table.c[unique])
