"""Which stickers changed, and since when: every change that may show in a point gives a sticker a new number."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from persrv.catalog.batches import chunks
from persrv.catalog.database import Part
from persrv.catalog.ownership import placed_here
from persrv.catalog.tables import counters, indexed_stickers, placements, stickers, vocabularies

_STICKERS = "stickers"


class Revisions(Part):
    """The order in which stickers changed."""

    def revision(self) -> int:
        """Return the number of the last change; 0 before the first."""
        with self._database.read() as connection:
            return _last(connection)

    def touch(self, sticker_ids: Iterable[str]) -> None:
        """Say that something changed that points are made from, such as a picture's vectors beside the catalog."""
        with self._database.write() as connection:
            mark(connection, sticker_ids)

    def changed(self, build: str, after: int, ready: int, limit: int) -> list[tuple[str, int]]:
        """Return stickers that changed after the build's points were made, with their revisions, oldest change first.

        Args:
            build: Whose points.
            after: Only changes with a larger number.
            ready: Up to this change new stickers are read completely. Later ones are left out as long as the build
                has no point of them: a source was still being read.
            limit: Most stickers.
        """
        known = (
            select(indexed_stickers.c.sticker_id)
            .join(vocabularies, vocabularies.c.id == indexed_stickers.c.vocabulary_id)
            .where(vocabularies.c.build == build, indexed_stickers.c.sticker_id == stickers.c.id)
            .exists()
        )
        wanted = (
            select(stickers.c.id, stickers.c.revision)
            .where(stickers.c.revision > after, or_(stickers.c.revision <= ready, known))
            .order_by(stickers.c.revision, stickers.c.id)
            .limit(limit)
        )
        with self._database.read() as connection:
            return [(row.id, row.revision) for row in connection.execute(wanted)]

    def listed(self, sticker_ids: Iterable[str]) -> set[str]:
        """Return those of the stickers that some loader finds at present."""
        found: set[str] = set()
        with self._database.read() as connection:
            for chunk in chunks(sticker_ids):
                wanted = (
                    select(placements.c.sticker_id)
                    .where(placed_here(connection), placements.c.sticker_id.in_(chunk))
                    .distinct()
                )
                found.update(connection.execute(wanted).scalars())
        return found


def mark(connection: Connection, sticker_ids: Iterable[str]) -> None:
    """Give stickers the next revision; none where there are no stickers.

    The counter's row is locked until the transaction ends, so that revisions appear in their order.
    """
    for number, chunk in enumerate(chunks(sorted(set(sticker_ids)))):
        revision = _next(connection) if not number else _last(connection)
        connection.execute(update(stickers).where(stickers.c.id.in_(chunk)).values(revision=revision))


def _next(connection: Connection) -> int:
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    added = dialect.insert(counters).values(name=_STICKERS, value=1)
    raised = added.on_conflict_do_update(index_elements=["name"], set_={"value": counters.c.value + 1})
    return int(connection.execute(raised.returning(counters.c.value)).scalar_one())


def _last(connection: Connection) -> int:
    found = connection.execute(select(counters.c.value).where(counters.c.name == _STICKERS)).scalar()
    return int(found or 0)
