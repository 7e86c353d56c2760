"""Which stickers changed, and since when: every change that may show in a point gives a sticker a new number."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from sqlalchemy import Connection, and_, bindparam, exists, func, or_, select, tuple_, update

from persrv.catalog.batches import chunks, insert_for, upsert
from persrv.catalog.database import Part
from persrv.catalog.ownership import placed_here_by_sticker
from persrv.catalog.tables import counters, indexed_stickers, placements, stickers, vocabularies

ADDED = "added by hand"
"""The source of stickers that people add; no loader can have a blank in its name."""

# Built once, since every pick asks: building a statement takes longer than running it.
_MARKED = (
    update(stickers).where(stickers.c.id.in_(bindparam("chosen", expanding=True))).values(revision=bindparam("number"))
)

_STICKERS, _READY, _PROFILES = "stickers", "ready:", "profiles left:"


class Revisions(Part):
    """The order in which stickers changed."""

    def revision(self) -> int:
        """Return the number of the last change; 0 before the first."""
        with self._database.read() as connection:
            return counted(connection, _STICKERS)

    def touch(self, sticker_ids: Iterable[str]) -> None:
        """Say that something changed that points are made from, such as a picture's vectors beside the catalog.

        Call it when the change is stored. A sticker that is new, and whose source is still being read, is left alone:
        whoever makes its point begins later and finds the change, and marking each new sticker a second time would
        write the catalog a dozen times over.
        """
        of = stickers.c
        with self._database.write() as connection:
            begun = connection.execute(select(func.max(vocabularies.c.applied))).scalar() or 0
            ready = select(func.max(counters.c.value)).where(counters.c.name.startswith(_READY, autoescape=True))
            bound = max(begun, connection.execute(ready).scalar() or 0)
            # By the builds' numbers: joined with the builds, SQLite goes through all stickers for each new one.
            builds = connection.execute(select(vocabularies.c.id)).scalars().all()
            indexed = exists().where(
                indexed_stickers.c.vocabulary_id.in_(builds), indexed_stickers.c.sticker_id == of.id
            )
            added = exists().where(placements.c.sticker_id == of.id, placements.c.loader == ADDED)
            for chunk in chunks(sticker_ids):
                chosen = select(of.id).where(of.id.in_(chunk), or_(of.revision <= bound, indexed, added))
                mark_changed(connection, connection.execute(chosen).scalars())

    def ready(self, collection: str) -> int:
        """Return the change up to which a collection's new stickers are read completely, see :meth:`set_ready`."""
        with self._database.read() as connection:
            return counted(connection, _READY + collection)

    def set_ready(self, collection: str, revision: int) -> None:
        """Say that everything that a collection's new stickers need is there, up to this change."""
        row = {"name": _READY + collection, "value": revision}
        with self._database.write() as connection:
            upsert(connection, counters, [row])

    def leave_profiles(self, left: bool) -> None:
        """Say whether a build left people's profiles to the program that has the index open."""
        row = {"name": _PROFILES + self._database.collection, "value": int(left)}
        with self._database.write() as connection:
            upsert(connection, counters, [row])

    def profiles_left(self) -> bool:
        """Return whether a build left people's profiles to be fitted."""
        with self._database.read() as connection:
            return counted(connection, _PROFILES + self._database.collection) > 0

    def changed(self, build: str, after: tuple[int, str], ready: int, limit: int) -> list[tuple[int, str]]:
        """Return the revisions and ids of stickers that changed, oldest change first.

        Args:
            build: Whose points.
            after: Only what comes after this revision and id.
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
            select(stickers.c.revision, stickers.c.id)
            .where(tuple_(stickers.c.revision, stickers.c.id) > after)
            .order_by(stickers.c.revision, stickers.c.id)
            .limit(limit)
        )
        with self._database.read() as connection:
            here = select(placements.c.key).where(
                placements.c.sticker_id == stickers.c.id, placed_here_by_sticker(connection)
            )
            added = here.where(placements.c.loader == ADDED)
            wanted = wanted.where(or_(known, added.exists(), and_(stickers.c.revision <= ready, here.exists())))
            return [(row.revision, row.id) for row in connection.execute(wanted)]

    def first_unready(self, build: str, ready: int) -> int | None:
        """Return the oldest change among new stickers that are still being read, ``None`` where there is none."""
        known = (
            select(indexed_stickers.c.sticker_id)
            .join(vocabularies, vocabularies.c.id == indexed_stickers.c.vocabulary_id)
            .where(vocabularies.c.build == build, indexed_stickers.c.sticker_id == stickers.c.id)
            .exists()
        )
        with self._database.read() as connection:
            here = select(placements.c.key).where(
                placements.c.sticker_id == stickers.c.id, placed_here_by_sticker(connection)
            )
            added = here.where(placements.c.loader == ADDED)
            wanted = select(func.min(stickers.c.revision)).where(stickers.c.revision > ready)
            return connection.execute(wanted.where(here.exists(), ~added.exists(), ~known)).scalar()

    def changed_since(self, revision: int, sticker_ids: Iterable[str]) -> list[str]:
        """Return those of the stickers that changed after a revision."""
        found: list[str] = []
        with self._database.read() as connection:
            for chunk in chunks(sticker_ids):
                later = select(stickers.c.id).where(stickers.c.id.in_(chunk), stickers.c.revision > revision)
                found.extend(connection.execute(later).scalars())
        return found


def mark_changed(connection: Connection, sticker_ids: Iterable[str]) -> None:
    """Give stickers the next revision; none where there are no stickers.

    The counter's row is locked until the transaction ends, so that revisions appear in their order.
    """
    for number, chunk in enumerate(chunks(sorted(set(sticker_ids)))):
        revision = next_number(connection, _STICKERS) if not number else counted(connection, _STICKERS)
        connection.execute(_MARKED, {"chosen": chunk, "number": revision})


def one_by_one(connection: Connection) -> None:
    """Let no other transaction count picks until this one ends; SQLite has one writer at a time anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(counters.c.value).where(counters.c.name == _STICKERS).with_for_update())


def next_number(connection: Connection, name: str) -> int:
    """Raise a counter by one and return it; its row is locked until the transaction ends."""
    return int(connection.execute(_raising(connection.dialect.name), {"counter": name}).scalar_one())


def counted(connection: Connection, name: str) -> int:
    """Return a counter, 0 where nothing was counted."""
    found = connection.execute(select(counters.c.value).where(counters.c.name == name)).scalar()
    return int(found or 0)


@cache
def _raising(dialect: str) -> Any:
    added = insert_for(dialect, counters).values(name=bindparam("counter"), value=1)
    more = added.on_conflict_do_update(index_elements=["name"], set_={"value": counters.c.value + 1})
    return more.returning(counters.c.value)
