"""Who picked which sticker, for which query, when."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, deque
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, or_, select, tuple_

from persrv.catalog.batches import chunks, insert_new
from persrv.catalog.columns import in_utc, plain
from persrv.catalog.database import Part
from persrv.catalog.phrases import fold_query
from persrv.catalog.placements import resolved
from persrv.catalog.revisions import mark
from persrv.catalog.semantics import require
from persrv.catalog.tables import interactions
from persrv.errors import CatalogError
from persrv.records import PICK_KINDS, Interaction, Skipped, SourcePick

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_PAGE = 1000
_PICKS_AT_ONCE = 2000


@dataclass(frozen=True, slots=True)
class PickReport:
    """What became of a loader's picks.

    Attributes:
        new: Picks stored now.
        known: Picks that were stored before.
        skipped: Picks of stickers that the catalog does not know, by the loader's key.
    """

    new: int
    known: int
    skipped: tuple[Skipped, ...]


class Interactions(Part):
    """The log of interactions. The same interaction is stored once, however often it is put."""

    def put_interactions(self, batch: Iterable[Interaction]) -> int:
        """Store interactions in one transaction and return how many were new.

        Two are the same if user, query, sticker, time (to the microsecond) and kind are.

        Raises:
            NotFoundError: The catalog does not know a sticker; nothing is stored then.
            CatalogError: A user is empty, a time has no zone, or a kind is unknown; nothing is stored then.
        """
        with self._database.write() as connection:
            return sum(_insert(connection, chunk) for chunk in chunks(batch))

    def record(self, interaction: Interaction) -> bool:
        """Store one interaction and return whether it was new.

        Raises:
            NotFoundError: As :meth:`put_interactions`.
            CatalogError: As :meth:`put_interactions`.
        """
        return self.put_interactions([interaction]) == 1

    def put_picks(self, loader: str, picks: Iterable[SourcePick], default_time: datetime = EPOCH) -> PickReport:
        """Store a loader's picks; those of unknown stickers are skipped and reported.

        A transaction holds a few thousand picks, so that a long source keeps nobody waiting. What an interruption
        left out is stored when the source is read again.

        A pick without a time gets ``default_time``, its n-th repetition n microseconds later, so that reading the
        same source again stores nothing twice and yet keeps repeated picks.

        Raises:
            CatalogError: As :meth:`put_interactions`.
        """
        new = known = 0
        skipped: list[Skipped] = []
        repeated: Counter[tuple[str, ...]] = Counter()
        for chunk in chunks(picks, _PICKS_AT_ONCE):
            with self._database.write() as connection:
                ids = resolved(connection, loader, {pick.key for pick in chunk})
                found = [_timed(pick, ids[pick.key], default_time, repeated) for pick in chunk if pick.key in ids]
                stored = _insert(connection, found)
            skipped += [Skipped(pick.key, "no sticker has this key") for pick in chunk if pick.key not in ids]
            new += stored
            known += len(found) - stored
        return PickReport(new, known, tuple(skipped))

    def interactions(
        self, user: str | None = None, since: datetime | None = None, until: datetime | None = None
    ) -> Iterator[Interaction]:
        """Walk through interactions by time, those of one moment in the order in which they were stored.

        Args:
            user: Only theirs.
            since: Only from this moment on.
            until: Only before this moment.

        Raises:
            CatalogError: A time has no zone.
        """
        table = interactions
        wanted = select(table).order_by(table.c.time, table.c.id).limit(_PAGE)
        if user is not None:
            wanted = wanted.where(table.c.user == user)
        if since is not None:
            wanted = wanted.where(table.c.time >= since)
        if until is not None:
            wanted = wanted.where(table.c.time < until)
        page = wanted
        while True:
            with self._database.read() as connection:
                rows = connection.execute(page).all()
            for row in rows:
                yield Interaction(row.user, row.query, row.sticker_id, row.time, row.kind)
            if len(rows) < _PAGE:
                return
            last = rows[-1]
            page = wanted.where(
                table.c.time >= last.time,
                or_(table.c.time > last.time, and_(table.c.time == last.time, table.c.id > last.id)),
            )

    def latest_picks(self, most: int, stickers: Collection[str]) -> Iterator[tuple[str, list[tuple[str, datetime]]]]:
        """Walk through the users; yield each with their latest picks, the oldest first.

        Users come in the database's order of names, picks of one moment in the order in which they were stored. One
        page of picks is in memory, and of one user at most ``most``. Users without such a pick are left out.

        Args:
            most: Most picks of one user, >= 1.
            stickers: Only picks of these stickers count.
        """
        table = interactions
        key = tuple_(table.c.user, table.c.time, table.c.id)
        wanted = select(table.c.user, table.c.time, table.c.id, table.c.sticker_id).order_by(*key).limit(_PAGE)
        page = wanted
        user: str | None = None
        latest: deque[tuple[str, datetime]] = deque(maxlen=most)
        while True:
            with self._database.read() as connection:
                rows = connection.execute(page).all()
            for row in rows:
                if row.user != user:
                    if user is not None and latest:
                        yield user, list(latest)
                    user = row.user
                    latest.clear()
                if row.sticker_id in stickers:
                    latest.append((row.sticker_id, row.time))
            if len(rows) < _PAGE:
                break
            last = rows[-1]
            page = wanted.where(key > (last.user, last.time, last.id))
        if user is not None and latest:
            yield user, list(latest)


def _insert(connection: Connection, batch: list[Interaction]) -> int:
    require(connection, {interaction.sticker_id for interaction in batch})
    rows = [_row(interaction) for interaction in batch]
    new = insert_new(connection, interactions, rows, "digest")
    mark(connection, {row["sticker_id"] for row in rows if row["digest"] in new})
    return len(new)


def _row(interaction: Interaction) -> dict[str, Any]:
    user, query = plain(interaction.user), plain(interaction.query)
    if not user.strip():
        raise CatalogError(f"an interaction with {interaction.sticker_id} names no user", "say who picked")
    if interaction.kind not in PICK_KINDS:
        raise CatalogError(f"{interaction.kind!r} is no kind of interaction", f"use one of {', '.join(PICK_KINDS)}")
    time = in_utc(interaction.time)
    same = [user, query, interaction.sticker_id, time.isoformat(timespec="microseconds"), interaction.kind]
    return {
        "digest": hashlib.sha256(json.dumps(same).encode()).hexdigest()[:32],
        "user": user,
        "query": query,
        "folded_query": fold_query(query),
        "sticker_id": interaction.sticker_id,
        "time": time,
        "kind": interaction.kind,
    }


def _timed(pick: SourcePick, sticker_id: str, default: datetime, repeated: Counter[tuple[str, ...]]) -> Interaction:
    interaction = Interaction(pick.user, pick.query, sticker_id, pick.time or default, pick.kind)
    if pick.time is not None:
        return interaction
    same = (pick.user, pick.query, sticker_id, pick.kind)
    repeated[same] += 1
    return replace(interaction, time=default + timedelta(microseconds=repeated[same] - 1))
