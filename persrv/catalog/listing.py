"""Reads stickers with everything that is known about them."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from operator import itemgetter
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, bindparam, exists, func, select

from persrv.catalog.batches import CHUNK, chunks
from persrv.catalog.columns import storable
from persrv.catalog.counts import typed_queries
from persrv.catalog.database import Part
from persrv.catalog.edits import edits_of
from persrv.catalog.ownership import placed_here, placed_here_by_sticker, read_here
from persrv.catalog.phrases import read_anew, tidy
from persrv.catalog.semantics import Reading, readings_of
from persrv.catalog.tables import edits, placements, readings, stickers
from persrv.errors import NotFoundError
from persrv.records import FIELDS, Semantics, Sticker

TYPED_QUERIES = 30
"""Historical queries that a sticker shows at most."""

_CANDIDATES = 8

_PATHS = {
    "sqlite": "SELECT loader, key, sticker_id, path FROM placements"
    " WHERE sticker_id IN (SELECT value FROM json_each(?)) AND collection || '' = ?",
    "postgresql": "SELECT loader, key, sticker_id, path FROM placements"
    " WHERE sticker_id IN (SELECT json_array_elements_text(%s::json)) AND collection || '' = %s",
}
"""For the driver itself, which answers in a fifth of the time: every search asks. For the empty text in it see
:func:`persrv.catalog.ownership.placed_here_by_sticker`."""

_OWN = exists().where(
    placements.c.collection.concat("") == bindparam("owner"), placements.c.sticker_id == stickers.c.id
)
# Built once, since every pick asks. "g" sorts behind every hexadecimal digit.
_FOUND = (
    select(stickers.c.id)
    .where(stickers.c.id >= bindparam("prefix"), stickers.c.id < bindparam("behind"), _OWN)
    .order_by(stickers.c.id)
    .limit(_CANDIDATES + 1)
)


class Listing(Part):
    """The stickers that some loader finds at present."""

    def stickers(
        self,
        ids: Iterable[str] | None = None,
        batch: int = CHUNK,
        *,
        typed: int = TYPED_QUERIES,
        min_users: int | None = None,
        until: datetime | None = None,
        without: Collection[str] = (),
    ) -> Iterator[Sticker]:
        """Walk through stickers in ascending id, their semantics merged.

        A field that a person edited is exactly what they said. Any other field joins what the sources say, loaders
        first, then the others by name; ``pack`` begins with the sticker's packs, and ``queries`` ends with
        what users typed when they picked it. Of phrases that differ only in case the first stays. A caption that was
        read in the picture and stands in its name, tags or description too is there once.

        Args:
            ids: Only these; ids that are not listed are left out. All stickers where it is ``None``.
            batch: Stickers read at a time, 1 to 500.
            typed: Most historical queries from interactions, >= 0.
            min_users: Least number of different users that a historical query needs, >= 1; the catalog's own where it
                is ``None``, see :meth:`persrv.catalog.Catalog.open`.
            until: Only interactions before this moment count.
            without: Sources whose readings are left out, such as those of the model that is to read anew.

        Raises:
            CatalogError: ``until`` has no time zone.
        """
        size, least = max(1, min(batch, CHUNK)), self._database.min_users if min_users is None else min_users
        for page in self._pages(size) if ids is None else chunks(sorted(set(ids)), size):
            with self._database.read() as connection:
                found = _assemble(connection, page, typed, least, until, without)
            yield from found

    def find(self, id_or_prefix: str) -> str:
        """Return the full id of a listed sticker; quick, since nothing else is read.

        Args:
            id_or_prefix: Its id, or as many of the id's first digits as tell it apart.

        Raises:
            NotFoundError: No sticker's id begins so, or several do; the text lists them then.
        """
        prefix = id_or_prefix.strip().lower()
        found: Sequence[str] = []
        if re.fullmatch(r"[0-9a-f]{1,32}", prefix):
            asked = {"owner": self._database.collection, "prefix": prefix, "behind": prefix + "g"}
            with self._database.read() as connection:
                found = connection.execute(_FOUND, asked).scalars().all()
        if not found:
            raise NotFoundError(f"there is no sticker {id_or_prefix!r}", "give a sticker's id or its first digits")
        if len(found) > 1:
            named = ", ".join(found[:_CANDIDATES]) + (", ..." if len(found) > _CANDIDATES else "")
            raise NotFoundError(f"{id_or_prefix!r} begins the ids {named}", "give more digits")
        return found[0]

    def sticker(self, id_or_prefix: str) -> Sticker:
        """Return one sticker, see :meth:`find`."""
        return next(self.stickers([self.find(id_or_prefix)]))

    def paths(self, ids: Iterable[str]) -> dict[str, Path | None]:
        """Return the pictures' files of those stickers that are listed; ``None`` where one has no picture."""
        found: dict[str, Path | None] = {}
        for chunk in chunks(sorted(set(ids))):
            wanted = json.dumps(chunk), storable(self._database.collection)
            rows = self._database.ask(_PATHS[self._database.dialect], wanted)
            for _, _, sticker_id, path in sorted(rows, key=itemgetter(0, 1)):
                if found.get(sticker_id) is None:
                    found[sticker_id] = None if path is None else Path(path)
        return found

    def pictured(self) -> set[str]:
        """Return the ids of the listed stickers that have a picture."""
        with self._database.read() as connection:
            pictured = (placed_here(connection), placements.c.path.is_not(None))
            wanted = select(placements.c.sticker_id).where(*pictured).distinct()
            return set(connection.execute(wanted).scalars())

    def worded(self) -> set[str]:
        """Return the ids of stickers of which any source, or a person, says anything; packs' names do not count."""
        with self._database.read() as connection:
            found = connection.execute(
                select(readings.c.sticker_id).where(read_here(connection), readings.c.texts != {}).distinct()
            ).scalars()
            return {*found, *connection.execute(select(edits.c.sticker_id).distinct()).scalars()}

    def count(self) -> int:
        """Return the number of listed stickers."""
        with self._database.read() as connection:
            wanted = select(func.count(placements.c.sticker_id.distinct())).where(placed_here(connection))
            return connection.execute(wanted).scalar_one()

    def pack_names(self, limit: int) -> list[str]:
        """Return names of packs, ascending.

        Args:
            limit: Most names, >= 0.
        """
        column = placements.c.pack
        with self._database.read() as connection:
            named = (placed_here(connection), column != "")
            wanted = select(column).where(*named).distinct().order_by(column).limit(max(limit, 0))
            return list(connection.execute(wanted).scalars())

    def sample(self, starts: Iterable[str]) -> list[str]:
        """Return the listed sticker at or behind each start, around the end to the first; ids are spread evenly.

        Args:
            starts: 32 hex digits each; random ones give random stickers, some of them twice.

        Returns:
            Ids, ascending, each once; none where nothing is listed.
        """
        found: set[str] = set()
        with self._database.read() as connection:
            wanted = select(stickers.c.id).where(_listed(connection)).order_by(stickers.c.id).limit(1)
            for start in starts:
                behind = connection.execute(wanted.where(stickers.c.id >= start)).scalar()
                first = behind or connection.execute(wanted).scalar()
                found |= {first} if first else set()
        return sorted(found)

    def _pages(self, size: int) -> Iterator[list[str]]:
        last = ""
        while True:
            with self._database.read() as connection:
                wanted = select(stickers.c.id).where(stickers.c.id > last, _listed(connection))
                page = list(connection.execute(wanted.order_by(stickers.c.id).limit(size)).scalars())
            if not page:
                return
            yield page
            last = page[-1]


def _listed(connection: Connection) -> ColumnElement[bool]:
    return exists().where(placed_here_by_sticker(connection), placements.c.sticker_id == stickers.c.id)


def _assemble(
    connection: Connection,
    sticker_ids: list[str],
    typed: int,
    min_users: int,
    until: datetime | None,
    without: Collection[str],
) -> list[Sticker]:
    rows = connection.execute(select(stickers).where(stickers.c.id.in_(sticker_ids)).order_by(stickers.c.id)).all()
    places = _places_of(connection, sticker_ids)
    readings = {
        sticker_id: [reading for reading in entries if reading.source not in without]
        for sticker_id, entries in readings_of(connection, sticker_ids).items()
    }
    edited = edits_of(connection, sticker_ids)
    queries = typed_queries(connection, sticker_ids, typed, min_users, until)
    return [
        _sticker(row, places[row.id], readings.get(row.id, []), edited.get(row.id, {}), queries.get(row.id, []))
        for row in rows
        if row.id in places
    ]


def _places_of(connection: Connection, sticker_ids: list[str]) -> dict[str, list[Row[Any]]]:
    own = select(placements).where(placed_here_by_sticker(connection), placements.c.sticker_id.in_(sticker_ids))
    rows = connection.execute(own).all()
    places: dict[str, list[Row[Any]]] = {}
    # Sorted here, since PostgreSQL sorts texts by the language that it was set up for.
    for place in sorted(rows, key=lambda place: (place.loader, place.key)):
        places.setdefault(place.sticker_id, []).append(place)
    return places


def _path(places: list[Row[Any]]) -> Path | None:
    return next((Path(place.path) for place in places if place.path is not None), None)


def _sticker(
    row: Row[Any],
    places: list[Row[Any]],
    readings: list[Reading],
    edited: dict[str, tuple[str, ...]],
    queries: list[str],
) -> Sticker:
    packs = tuple(sorted({place.pack for place in places if place.pack}))
    ratings = [place.rating for place in places]
    return Sticker(
        id=row.id,
        path=_path(places),
        format=row.format,
        width=row.width,
        height=row.height,
        frames=row.frames,
        packs=packs,
        semantics=_merged(readings, edited, packs, queries),
        language=_scalar("language", edited, [place.language for place in places]),
        # One source that calls a picture unsafe outweighs all that call it safe.
        rating=_scalar("rating", edited, [rating for rating in ratings if rating == "unsafe"] or ratings),
        style=_scalar("style", edited, [place.style for place in places]),
    )


def _merged(
    readings: list[Reading], edited: dict[str, tuple[str, ...]], packs: tuple[str, ...], queries: list[str]
) -> Semantics:
    phrases: dict[str, list[str]] = {"pack": list(packs)}
    for reading in readings:
        for name, texts in reading.semantics.items():
            phrases.setdefault(name, []).extend(texts)
    phrases.setdefault("queries", []).extend(queries)
    known = [text for name in ("name", "tags", "description") for text in edited.get(name, phrases.get(name, ()))]
    phrases["ocr"] = list(read_anew(phrases.get("ocr", ()), known))
    # An edit stands as it is; `tidy` ran when it was made.
    return Semantics(**{name: edited.get(name, tidy(phrases.get(name, ()))) for name in FIELDS})


def _scalar(name: str, edited: dict[str, tuple[str, ...]], values: list[str]) -> str:
    if name in edited:
        return edited[name][0]
    return next((value for value in values if value), "")
