"""Which stickers loaders found, and where."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

from sqlalchemy import Connection, delete, func, select, tuple_

from persrv.catalog.batches import chunks, upsert
from persrv.catalog.columns import storable
from persrv.catalog.database import Part
from persrv.catalog.identity import check_sticker_id
from persrv.catalog.ownership import collection_of, placed_here, placed_here_by_sticker
from persrv.catalog.revisions import counted, mark_changed, next_number
from persrv.catalog.semantics import LOADER, reading_row, require, write_readings
from persrv.catalog.tables import placements, readings, removed_stickers, stickers
from persrv.records import SourceSticker

_MOVES = "moves"


@dataclass(frozen=True, slots=True)
class Entry:
    """One sticker as a loader found it, with the facts about its picture; all facts are empty without a picture.

    Attributes:
        sticker_id: From :func:`~persrv.catalog.sticker_id_of` or :func:`~persrv.catalog.sticker_id_of_key`.
        loader: The loader's name.
        source: What the loader said.
        format: Pillow's name of the format in lower case.
        width: Pixels.
        height: Pixels.
        frames: 1 for a still.
        size: The file's bytes.
        mtime_ns: The file's time of change, nanoseconds since 1970.
    """

    sticker_id: str
    loader: str
    source: SourceSticker
    format: str = ""
    width: int = 0
    height: int = 0
    frames: int = 0
    size: int = 0
    mtime_ns: int = 0


class Placements(Part):
    """Stickers and where they were found."""

    def put(self, batch: Sequence[Entry], *, durable: bool = False) -> set[str]:
        """Store what a loader found, in one transaction; putting the same again changes nothing.

        A key that now holds another picture moves to that sticker; the loader's texts follow it. Stickers that a
        person removed are left out.

        Args:
            batch: Stickers, each with the loader and the key that it was found by.
            durable: Wait for the disk: a loader reads its source again after a power cut, a person does not.

        Returns:
            Stickers that were left out.

        Raises:
            CatalogError: An id is none, or the database refuses.
        """
        newest = {(storable(entry.loader), storable(entry.source.key)): entry for entry in batch}
        for entry in newest.values():
            check_sticker_id(entry.sticker_id)
        left_out: set[str] = set()
        with self._database.write(durable=durable) as connection:
            for loader in sorted({loader for loader, _ in newest}):
                entries = {key: entry for (of, key), entry in newest.items() if of == loader}
                for chunk in chunks(entries.items()):
                    removed = _removed(connection, {entry.sticker_id for _, entry in chunk})
                    kept = {key: entry for key, entry in chunk if entry.sticker_id not in removed}
                    _put_chunk(connection, loader, kept)
                    left_out |= removed
        return left_out

    def remove(self, sticker_id: str) -> None:
        """Take a sticker out of the collection, until somebody adds it again; its sources do not bring it back.

        Its edits, interactions and readings stay.

        Raises:
            NotFoundError: There is no such sticker.
        """
        with self._database.write(durable=True) as connection:
            require(connection, [sticker_id])
            own = (placed_here_by_sticker(connection), placements.c.sticker_id == sticker_id)
            connection.execute(delete(placements).where(*own))
            of = readings.c
            theirs = (of.sticker_id == sticker_id, of.collection == collection_of(connection))
            connection.execute(delete(readings).where(*theirs, of.source.startswith(LOADER)))
            row = {"collection": collection_of(connection), "sticker_id": sticker_id, "removed_at": datetime.now(UTC)}
            upsert(connection, removed_stickers, [row])
            mark_changed(connection, [sticker_id])

    def add_again(self, sticker_ids: Iterable[str]) -> None:
        """Let stickers that were removed come back when a loader or a person puts them."""
        with self._database.write() as connection:
            own = removed_stickers.c.collection == collection_of(connection)
            for chunk in chunks(sticker_ids):
                connection.execute(delete(removed_stickers).where(own, removed_stickers.c.sticker_id.in_(chunk)))

    def moves(self) -> int:
        """Return how often a loader's key came to stand for another picture."""
        with self._database.read() as connection:
            return counted(connection, _MOVES)

    def placed(self, loader: str) -> int:
        """Return how many keys of a loader are known."""
        with self._database.read() as connection:
            own = (placed_here(connection), placements.c.loader == loader)
            return connection.execute(select(func.count()).select_from(placements).where(*own)).scalar_one()

    def resolve(self, loader: str, keys: Iterable[str]) -> dict[str, str]:
        """Return a loader's keys with their sticker ids; unknown keys are left out."""
        with self._database.read() as connection:
            return resolved(connection, loader, keys)

    def remove_missing(self, loader: str, seen_keys: Collection[str]) -> list[str]:
        """Forget a loader's placements other than those just seen, and the texts that came with them.

        A sticker that has no placement left is no longer listed. Its edits, interactions and other readings stay,
        and it comes back with them when a loader finds it again.

        Returns:
            The stickers that lost their last placement by this call, ascending.
        """
        seen = {storable(key) for key in seen_keys}
        with self._database.write() as connection:
            own = (placed_here(connection), placements.c.loader == loader)
            known = connection.execute(select(placements.c.key, placements.c.sticker_id).where(*own))
            gone = sorted((key, sticker_id) for key, sticker_id in known if key not in seen)
            mark_changed(connection, {sticker_id for _, sticker_id in gone})
            _drop_readings(connection, loader, gone)
            for chunk in chunks(key for key, _ in gone):
                connection.execute(delete(placements).where(*own, placements.c.key.in_(chunk)))
            return sorted(_unplaced(connection, {sticker_id for _, sticker_id in gone}))


def resolved(connection: Connection, loader: str | Sequence[str], keys: Iterable[str]) -> dict[str, str]:
    """Return keys with their sticker ids; unknown keys are left out.

    Args:
        connection: Inside a transaction.
        loader: Whose keys they are; of several loaders the first one that knows a key counts.
        keys: The keys.
    """
    found: dict[str, str] = {}
    for chunk in chunks(keys):
        for name in reversed([loader] if isinstance(loader, str) else loader):
            known = _placed(connection, name, chunk)
            found.update((key, known[storable(key)]) for key in chunk if storable(key) in known)
    return found


def _placed(connection: Connection, loader: str, keys: Sequence[str]) -> dict[str, str]:
    return {key: row["sticker_id"] for key, row in _rows(connection, loader, keys).items()}


def _rows(connection: Connection, loader: str, keys: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    own = (placed_here(connection), placements.c.loader == loader)
    chosen = select(placements).where(*own, placements.c.key.in_(keys))
    return {row["key"]: dict(row) for row in connection.execute(chosen).mappings()}


def _removed(connection: Connection, sticker_ids: Collection[str]) -> set[str]:
    of = removed_stickers.c
    own = (of.collection == collection_of(connection), of.sticker_id.in_(sticker_ids))
    return set(connection.execute(select(of.sticker_id).where(*own)).scalars())


def _unplaced(connection: Connection, sticker_ids: set[str]) -> set[str]:
    placed: set[str] = set()
    for chunk in chunks(sorted(sticker_ids)):
        found = select(placements.c.sticker_id).where(
            placed_here_by_sticker(connection), placements.c.sticker_id.in_(chunk)
        )
        placed.update(connection.execute(found).scalars())
    return sticker_ids - placed


def _put_stickers(connection: Connection, entries: Iterable[Entry]) -> None:
    now = datetime.now(UTC)
    rows = {
        entry.sticker_id: {
            "id": entry.sticker_id,
            "format": entry.format,
            "width": entry.width,
            "height": entry.height,
            "frames": entry.frames,
            "added_at": now,
        }
        for entry in entries
    }
    upsert(connection, stickers, list(rows.values()), keep=("added_at",))


def _put_chunk(connection: Connection, loader: str, entries: Mapping[str, Entry]) -> None:
    """Write what changed of at most one chunk of a loader's entries, by key."""
    before = _rows(connection, loader, [*entries])
    digests = {key: _digest(entry) for key, entry in entries.items()}
    entries = {
        key: entry
        for key, entry in entries.items()
        if key not in before or (before[key]["digest"], before[key]["state"]) != (digests[key], entry.source.state)
    }
    if not entries:
        return
    owner = {"collection": collection_of(connection)}
    rows = {key: owner | _placement_row(loader, key, entry, digests[key]) for key, entry in entries.items()}
    _put_stickers(connection, entries.values())
    moved = [
        (key, before[key]["sticker_id"])
        for key, row in rows.items()
        if key in before and before[key]["sticker_id"] != row["sticker_id"]
    ]
    _drop_readings(connection, loader, moved)
    if moved:
        next_number(connection, _MOVES)
    upsert(connection, placements, [*rows.values()])
    source = LOADER + loader
    labels = (
        reading_row(entry.sticker_id, source, key, "", entry.source.semantics) | owner for key, entry in entries.items()
    )
    spoken = write_readings(connection, source, labels)
    shown = {row["sticker_id"] for key, row in rows.items() if _shown(row) != _shown(before.get(key, {}))}
    mark_changed(connection, spoken | shown | {sticker_id for _, sticker_id in moved})


def _digest(entry: Entry) -> str:
    """Return 32 hex digits that differ where anything differs that a loader said, or that its file is like."""
    source = entry.source
    content = [source.pack, source.language, source.rating, source.style, str(source.path), source.semantics.items()]
    facts = [entry.sticker_id, entry.format, entry.width, entry.height, entry.frames, entry.size, entry.mtime_ns]
    return blake2b(repr([facts, content]).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _shown(row: Mapping[str, Any]) -> list[Any]:
    """Return what of a placement a sticker's point can show."""
    return [row.get(name) for name in ("sticker_id", "pack", "path", "language", "rating", "style")]


def _placement_row(loader: str, key: str, entry: Entry, digest: str) -> dict[str, Any]:
    return {
        "loader": storable(loader),
        "key": key,
        "sticker_id": entry.sticker_id,
        "pack": storable(entry.source.pack),
        "path": None if entry.source.path is None else storable(str(entry.source.path)),
        "size": entry.size,
        "mtime_ns": entry.mtime_ns,
        "language": storable(entry.source.language),
        "rating": storable(entry.source.rating),
        "style": storable(entry.source.style),
        "digest": digest,
        "state": entry.source.state,
    }


def _drop_readings(connection: Connection, loader: str, keys_and_ids: Sequence[tuple[str, str]]) -> None:
    there = tuple_(readings.c.key, readings.c.sticker_id)
    for chunk in chunks(keys_and_ids):
        own = (readings.c.collection == collection_of(connection), readings.c.source == LOADER + loader)
        connection.execute(delete(readings).where(*own, there.in_(chunk)))
