"""What the catalog knows of the files that its stickers were read from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import func, select

from persrv.catalog.batches import chunks
from persrv.catalog.columns import storable
from persrv.catalog.database import Part
from persrv.catalog.ownership import collection_of, placed_here
from persrv.catalog.tables import placements, removed_stickers, stickers

READ_BEFORE = "read before:"
"""Keys of notes begin so that say what need not be read again; they go when rows of this table may be lost."""


class KnownFile(NamedTuple):
    """What a file looked like when it was last read; if nothing changed, it need not be hashed again."""

    path: str | None
    size: int
    mtime_ns: int
    sticker_id: str
    format: str
    width: int
    height: int
    frames: int


class ReadFiles(Part):
    """Files, as they were when they were last read."""

    def removals(self) -> str:
        """Return what differs once a person removed a sticker, or let one come back."""
        of = removed_stickers.c
        with self._database.read() as connection:
            wanted = select(func.count(), func.max(of.removed_at)).where(of.collection == collection_of(connection))
            count, last = connection.execute(wanted).one()
        return f"{count} {last}"

    def states(self, loader: str) -> frozenset[str]:
        """Return the states of the files that a loader's stickers were read from."""
        with self._database.read() as connection:
            own = (placed_here(connection), placements.c.loader == loader, placements.c.state != "")
            return frozenset(connection.execute(select(placements.c.state).where(*own)).scalars())

    def files(self, loader: str) -> Iterator[tuple[str, int, int]]:
        """Yield path, size and time of change of a loader's pictures, as they were when they were read."""
        of = placements.c
        with self._database.read() as connection:
            own = (placed_here(connection), of.loader == loader, of.path.is_not(None))
            rows = connection.execute(select(of.path, of.size, of.mtime_ns).where(*own))
            yield from ((path, size, mtime_ns) for path, size, mtime_ns in rows)

    def known_files(self, loader: str, keys: Sequence[str]) -> dict[str, KnownFile]:
        """Return keys of a loader with the files that were last seen under them, and what is known of the pictures."""
        of, facts = placements.c, stickers.c
        columns = (of.path, of.size, of.mtime_ns, of.sticker_id, facts.format, facts.width, facts.height, facts.frames)
        found: dict[str, KnownFile] = {}
        with self._database.read() as connection:
            own = (placed_here(connection), of.loader == loader)
            wanted = select(of.key, *columns).join(stickers, facts.id == of.sticker_id).where(*own)
            for chunk in chunks(storable(key) for key in keys):
                rows = connection.execute(wanted.where(of.key.in_(chunk)))
                found.update((key, KnownFile(*known)) for key, *known in rows)
        return found
