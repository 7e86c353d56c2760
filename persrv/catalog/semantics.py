"""What each source says about a sticker: its loader, OCR, a describer."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, and_, bindparam, exists, select

from persrv.catalog.batches import chunks, upsert
from persrv.catalog.database import Part
from persrv.catalog.ownership import placed_here_by_sticker, read_here
from persrv.catalog.phrases import semantics_of, texts_of
from persrv.catalog.revisions import mark_changed
from persrv.catalog.tables import placements, readings, stickers
from persrv.errors import CatalogError, NotFoundError
from persrv.records import Semantics

LOADER = "loader:"
"""Sources that begin so are loaders; only :meth:`Placements.put` writes for them."""


# Built once: every pick asks.
_KNOWN = select(stickers.c.id).where(stickers.c.id.in_(bindparam("ids", expanding=True)))


@dataclass(frozen=True, slots=True)
class Reading:
    """What one source said about one sticker.

    Attributes:
        source: ``loader:NAME``, or what read the sticker: ``"ocr"``, ``"describer"``.
        model: Name and revision of the model that it used, ``""`` for a loader.
        key: The loader's key of the sticker, ``""`` for other sources.
        semantics: What it said, tidied.
        read_at: When it first said so, UTC.
    """

    source: str
    model: str
    key: str
    semantics: Semantics
    read_at: datetime


class Readings(Part):
    """What sources say, with their provenance."""

    def put_semantics(self, sticker_id: str, source: str, model: str, semantics: Semantics) -> None:
        """Store what a source says about a sticker, in place of all that it said before.

        Empty semantics are stored too: the source has looked and found nothing.

        Raises:
            NotFoundError: There is no such sticker.
            CatalogError: The source is empty or a loader's.
        """
        self.put_all_semantics(source, model, {sticker_id: semantics})

    def put_all_semantics(self, source: str, model: str, texts: Mapping[str, Semantics]) -> None:
        """Do :meth:`put_semantics` for many stickers in one transaction, which is many times as fast.

        Args:
            source: Who says it.
            model: Name and revision of the model that it used.
            texts: What it says, by sticker id.

        Raises:
            NotFoundError: One of the stickers is not there; nothing is stored.
            CatalogError: The source is empty or a loader's.
        """
        if not source or source.startswith(LOADER):
            raise CatalogError(f"{source!r} cannot be a source's name", f"name it without {LOADER!r} at the beginning")
        with self._database.write() as connection:
            require(connection, texts)
            rows = [reading_row(sticker_id, source, "", model, semantics) for sticker_id, semantics in texts.items()]
            mark_changed(connection, write_readings(connection, source, rows))

    def semantics_sources(self, sticker_id: str) -> list[Reading]:
        """Return who said what about a sticker, in the order in which it is merged: loaders first, then by name.

        Raises:
            NotFoundError: There is no such sticker.
        """
        with self._database.read() as connection:
            require(connection, [sticker_id])
            return readings_of(connection, [sticker_id]).get(sticker_id, [])

    def unread(self, source: str, model: str) -> list[str]:
        """Return the ids of listed stickers of which this source, with this model, has said nothing yet, ascending."""
        read = exists().where(
            and_(readings.c.sticker_id == stickers.c.id, readings.c.source == source, readings.c.model == model)
        )
        with self._database.read() as connection:
            placed = exists().where(placed_here_by_sticker(connection), placements.c.sticker_id == stickers.c.id)
            return sorted(connection.execute(select(stickers.c.id).where(placed, ~read)).scalars())


def require(connection: Connection, sticker_ids: Collection[str]) -> None:
    """Check that the catalog knows all these stickers, listed or not.

    Raises:
        NotFoundError: Naming the first that it does not know.
    """
    for chunk in chunks(sorted(set(sticker_ids))):
        known = set(connection.execute(_KNOWN, {"ids": chunk}).scalars())
        for sticker_id in chunk:
            if sticker_id not in known:
                raise NotFoundError(f"there is no sticker {sticker_id!r}", "give the full id of a sticker")


def reading_row(sticker_id: str, source: str, key: str, model: str, semantics: Semantics) -> dict[str, Any]:
    """Return a row of ``readings``, read now."""
    return {
        "sticker_id": sticker_id,
        "collection": "",
        "source": source,
        "key": key,
        "model": model,
        "texts": texts_of(semantics),
        "read_at": datetime.now(UTC),
    }


def write_readings(connection: Connection, source: str, rows: Iterable[Mapping[str, Any]]) -> set[str]:
    """Write rows of one source and return the stickers of which they say something new.

    Rows that say what is stored already stay untouched, with their time.
    """
    spoken: set[str] = set()
    for chunk in chunks(rows):
        known = {
            (found.sticker_id, found.key): (found.model, found.texts)
            for found in connection.execute(
                select(readings.c.sticker_id, readings.c.key, readings.c.model, readings.c.texts).where(
                    readings.c.sticker_id.in_([row["sticker_id"] for row in chunk]),
                    readings.c.source == source,
                    read_here(connection),
                )
            )
        }
        changed = [row for row in chunk if known.get((row["sticker_id"], row["key"])) != (row["model"], row["texts"])]
        upsert(connection, readings, changed)
        spoken.update(
            row["sticker_id"]
            for row in changed
            if known.get((row["sticker_id"], row["key"]), ("", {}))[1] != row["texts"]
        )
    return spoken


def readings_of(connection: Connection, sticker_ids: Sequence[str]) -> dict[str, list[Reading]]:
    """Return the readings of at most one chunk of stickers, in the order in which they are merged."""
    found: dict[str, list[Reading]] = {}
    for row in connection.execute(
        select(readings).where(readings.c.sticker_id.in_(sticker_ids), read_here(connection))
    ):
        reading = Reading(row.source, row.model, row.key, semantics_of(row.texts), row.read_at)
        found.setdefault(row.sticker_id, []).append(reading)
    for entries in found.values():
        entries.sort(key=lambda reading: (not reading.source.startswith(LOADER), reading.source, reading.key))
    return found
