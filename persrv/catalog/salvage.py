"""Takes out of a damaged SQLite catalog whatever can still be read, row by row, into a new one.

What cannot be made again comes over: stickers and where they lie, what was said of them, edits, picks, marks, and who
is to stay forgotten. Counts, and what belongs to a build, are made again by the next build.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from persrv.catalog.affinity import COUNTED_BY
from persrv.catalog.read_files import READ_BEFORE
from persrv.errors import CatalogError

_TABLES = (
    "stickers",
    "placements",
    "readings",
    "edits",
    "interactions",
    "impressions",
    "marks",
    "removed_stickers",
    "forgotten",
    "counters",
    "notes",
)
"""What is taken, those that others name first."""

_TOGETHER = 500
_FARTHEST = 1 << 20
"""Rows that are stepped over at most behind the last one that could be read."""


@dataclass(frozen=True, slots=True)
class Salvage:
    """What was taken out of a damaged catalog.

    Attributes:
        rows: Rows of each table.
        unreadable: Tables of which some rows could not be read.
        homeless: Rows of each table that name a sticker that could not be read, as their columns and values; they can
            be put in once the source brought the sticker again.
    """

    rows: dict[str, int]
    unreadable: tuple[str, ...]
    homeless: tuple[tuple[str, dict[str, Any]], ...]


def salvage(damaged: Path, target: Path) -> Salvage:
    """Copy every row that can be read into a catalog that was just made.

    Args:
        damaged: The damaged file; it is only read.
        target: A new catalog of this version.

    Raises:
        CatalogError: The new catalog cannot be written.
    """
    rows: dict[str, int] = {}
    unreadable: list[str] = []
    homeless: list[tuple[str, dict[str, Any]]] = []
    try:
        with (
            closing(sqlite3.connect(f"{damaged.absolute().as_uri()}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(target)) as new,
        ):
            for table in _TABLES:
                reading = _Reading(source, table, _columns(new, table))
                taken, lost = _copied(new, table, reading)
                rows[table] = taken
                homeless += [(table, row) for row in lost]
                if reading.broken:
                    unreadable.append(table)
            # Whatever counted picks has to count those that came over.
            new.execute("DELETE FROM notes WHERE key = ?", (COUNTED_BY,))
            # Whoever asks who was forgotten since must not be given an order that begins anew.
            new.execute(
                "INSERT INTO counters (name, value) SELECT 'forgotten', max(number) FROM forgotten WHERE number > 0"
                " GROUP BY 1 ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)"
            )
            # What a loader said may be lost, so that everything is read again.
            new.execute("UPDATE placements SET digest = '', state = ''")
            new.execute("DELETE FROM notes WHERE key LIKE ?", (f"{READ_BEFORE}%",))
            new.commit()
    except sqlite3.Error as error:
        raise CatalogError(f"the catalog {target} cannot be written: {error}", "make room, and try again") from error
    return Salvage(rows, tuple(unreadable), tuple(homeless))


def put_homeless(target: Path, found: Salvage) -> int:
    """Put in the rows whose stickers are there again, and return how many are lost.

    Args:
        target: The new catalog, after the source was read.
        found: What :func:`salvage` returned.

    Raises:
        CatalogError: The catalog cannot be written.
    """
    lost = 0
    try:
        with closing(sqlite3.connect(target)) as new:
            for table, row in found.homeless:
                lost += not _put(new, table, row)
            new.commit()
    except sqlite3.Error as error:
        raise CatalogError(f"the catalog {target} cannot be written: {error}", "make room, and try again") from error
    return lost


class _Reading:
    """Walks through a table of a damaged file by row number, steps over what cannot be read, and says that it did."""

    def __init__(self, source: sqlite3.Connection, table: str, columns: Sequence[str]) -> None:
        self._source = source
        self._table = table
        self.broken = False
        try:
            there = set(_columns(source, table))
        except sqlite3.Error:
            self.broken, there = True, set()
        self.columns = [column for column in columns if column in there]

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        if not self.columns:
            self.broken = True
            return
        last, step = -(1 << 62), 1
        names = ", ".join(f'"{column}"' for column in self.columns)
        # Names of tables and columns are this module's own and the new catalog's.
        query = f'SELECT rowid, {names} FROM "{self._table}" WHERE rowid > ? ORDER BY rowid LIMIT ?'  # noqa: S608
        wanted = _TOGETHER
        while True:
            try:
                found = self._source.execute(query, (last, wanted)).fetchall()
            except (sqlite3.Error, UnicodeDecodeError, OverflowError):
                self.broken = True
                if wanted > 1:
                    wanted = 1
                    continue
                last, step = max(last, 0) + step, step * 2
                if step > _FARTHEST:
                    return
                continue
            for row in found:
                yield row[1:]
            if len(found) < wanted:
                return
            last, step = found[-1][0], 1


def _columns(connection: sqlite3.Connection, table: str) -> list[str]:
    return [str(row[1]) for row in connection.execute(f'PRAGMA table_info("{table}")')]


def _copied(new: sqlite3.Connection, table: str, reading: _Reading) -> tuple[int, list[dict[str, Any]]]:
    taken, homeless = 0, []
    for values in reading:
        row = dict(zip(reading.columns, values, strict=True))
        if _put(new, table, row):
            taken += 1
        else:
            homeless.append(row)
    return taken, homeless


def _put(new: sqlite3.Connection, table: str, row: dict[str, Any]) -> bool:
    """Put one row in, and return whether it can stand there; a row that is there already is not put in twice."""
    if "sticker_id" in row and table != "removed_stickers":
        known = new.execute("SELECT 1 FROM stickers WHERE id = ?", (row["sticker_id"],)).fetchone()
        if known is None:
            return False
    names, places = ", ".join(f'"{name}"' for name in row), ", ".join("?" * len(row))
    verb = "REPLACE" if table in ("counters", "notes") else "IGNORE"
    statement = f'INSERT OR {verb} INTO "{table}" ({names}) VALUES ({places})'  # noqa: S608
    try:
        new.execute(statement, tuple(row.values()))
    except sqlite3.IntegrityError:
        return False
    return True
