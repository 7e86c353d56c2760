"""Who picked which sticker, for which query, when."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, and_, exists, func, or_, select, tuple_

from persrv.catalog.affinity_counts import count, typed_before
from persrv.catalog.batches import chunks, grouped, insert_new
from persrv.catalog.database import Part
from persrv.catalog.forgotten import forgotten_at
from persrv.catalog.pick_rows import dated_pick, interaction_row, usable_pick
from persrv.catalog.pick_times import AHEAD
from persrv.catalog.pick_totals import add_picks, queries_before
from persrv.catalog.placements import resolved
from persrv.catalog.revisions import mark_changed, one_by_one
from persrv.catalog.semantics import require
from persrv.catalog.tables import interactions, marks
from persrv.records import Interaction, Skipped, SourcePick, check_user

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_PAGE = 1000
_PICKS_AT_ONCE = 2000
_BATCHES_ALONE = 100


@dataclass(frozen=True, slots=True)
class PickReport:
    """What became of a loader's picks.

    Attributes:
        new: Picks stored now.
        known: Picks that were stored before.
        skipped: Picks that cannot be used, by the loader's key: of stickers that the catalog does not know, or of
            users whose id is refused.
        ahead: Picks that are dated more than a day ahead and count as made when they were first read.
        forgotten: Picks that are left out, since their user asked to be forgotten after they were made.
    """

    new: int
    known: int
    skipped: tuple[Skipped, ...]
    ahead: int = 0
    forgotten: int = 0


class Interactions(Part):
    """The log of interactions. The same interaction is stored once, however often it is put."""

    def put_interactions(self, batch: Iterable[Interaction]) -> int:
        """Store interactions in one transaction and return how many were new.

        Two are the same if user and caller's id are, or, without an id, if user, query, sticker, time (to the
        microsecond) and kind are. A time more than a day ahead is stored as now, see :func:`counted_time`. What
        somebody did before they asked to be forgotten is left out.

        Raises:
            NotFoundError: The catalog does not know a sticker; nothing is stored then.
            QueryError: A user's id is refused, see :func:`persrv.records.check_user`; nothing is stored then.
            CatalogError: A time has no zone, or a kind is unknown; nothing is stored then.
        """
        with self._database.write(durable=True) as connection:
            return sum(_insert(connection, without_forgotten(connection, chunk)) for chunk in chunks(batch))

    def record(self, interaction: Interaction, *, made_now: bool = False) -> bool:
        """Store one interaction and return whether it was new.

        Args:
            interaction: What somebody did.
            made_now: Whether it was made at this moment: then it comes after every forgetting, also where the clock
                was set back since.

        Raises:
            PersrvError: As :meth:`put_interactions`.
        """
        if not made_now:
            return self.put_interactions([interaction]) == 1
        with self._database.write(durable=True) as connection:
            return _insert(connection, [interaction]) == 1

    def put_picks(
        self,
        loader: str | Sequence[str],
        picks: Iterable[SourcePick],
        default_time: datetime = EPOCH,
        *,
        alone: bool = False,
    ) -> PickReport:
        """Store a loader's picks; those of unknown stickers or impossible users are skipped and reported.

        A transaction holds a few thousand picks, so that a long source keeps nobody waiting. What an interruption
        left out is stored when the source is read again.

        A pick without a time gets ``default_time``, its n-th repetition n microseconds later, so that reading the
        same source again stores nothing twice and yet keeps repeated picks.

        Args:
            loader: The source of the stickers, or several.
            picks: What it yields.
            default_time: Of picks without a time.
            alone: Whether nobody else writes, so that transactions may be large.

        Raises:
            CatalogError: As :meth:`put_interactions`.
        """
        new = known = ahead = forgotten = 0
        skipped: list[Skipped] = []
        repeated: Counter[tuple[str, ...]] = Counter()
        for group in grouped(chunks(picks, _PICKS_AT_ONCE), _BATCHES_ALONE if alone else 1):
            with self._database.write_much() if alone else nullcontext():
                for chunk in group:
                    done = self._put_chunk(loader, chunk, default_time, repeated)
                    new, known = new + done.new, known + done.known
                    ahead, forgotten = ahead + done.ahead, forgotten + done.forgotten
                    skipped.extend(done.skipped)
        return PickReport(new, known, tuple(skipped), ahead, forgotten)

    def _put_chunk(
        self,
        loader: str | Sequence[str],
        chunk: Sequence[SourcePick],
        default_time: datetime,
        repeated: Counter[tuple[str, ...]],
    ) -> PickReport:
        latest = datetime.now(UTC) + AHEAD
        found: list[Interaction] = []
        skipped: list[Skipped] = []
        with self._database.write() as connection:
            ids = resolved(connection, loader, {pick.key for pick in chunk})
            for pick in chunk:
                if isinstance(usable := usable_pick(pick, ids), Skipped):
                    skipped.append(usable)
                else:
                    found.append(dated_pick(usable, ids[pick.key], default_time, repeated))
            kept = without_forgotten(connection, found)
            new = _insert(connection, kept)
        ahead = sum(interaction.time > latest for interaction in kept)
        return PickReport(new, len(kept) - new, tuple(skipped), ahead, len(found) - len(kept))

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
                yield Interaction(row.user, row.query, row.sticker_id, row.time, row.kind, row.pick_id)
            if len(rows) < _PAGE:
                return
            last = rows[-1]
            page = wanted.where(
                table.c.time >= last.time,
                or_(table.c.time > last.time, and_(table.c.time == last.time, table.c.id > last.id)),
            )

    def last_pick(self) -> int:
        """Return the number of the pick that was stored last; 0 before the first."""
        with self._database.read() as connection:
            return int(connection.execute(select(func.max(interactions.c.id))).scalar() or 0)

    def users_since(self, pick: int) -> list[str]:
        """Return the users of picks that were stored after the pick of this number, sorted."""
        wanted = select(interactions.c.user).where(interactions.c.id > pick).distinct()
        with self._database.read() as connection:
            return sorted(connection.execute(wanted).scalars())

    def users_of(self, stickers: Sequence[str]) -> set[str]:
        """Return the users who picked one of the stickers."""
        found: set[str] = set()
        with self._database.read() as connection:
            for chunk in chunks(stickers):
                wanted = select(interactions.c.user).where(interactions.c.sticker_id.in_(chunk)).distinct()
                found.update(connection.execute(wanted).scalars())
        return found

    def picked(self, users: Sequence[str]) -> list[str]:
        """Return the stickers that some users, at most 500, picked, sorted."""
        wanted = select(interactions.c.sticker_id).where(interactions.c.user.in_(users)).distinct()
        with self._database.read() as connection:
            return sorted(connection.execute(wanted).scalars())

    def latest_picks(
        self, most: int, stickers: Collection[str], users: Sequence[str] | None = None
    ) -> Iterator[tuple[str, list[tuple[str, datetime]]]]:
        """Walk through the users; yield each with their latest picks, the oldest first.

        Users come in the database's order of names, picks of one moment in the order in which they were stored. One
        page of picks is in memory, and of one user at most ``most``. Users without such a pick are left out, and
        so are picks of stickers that the user called no style of theirs.

        Args:
            most: Most picks of one user, >= 1.
            stickers: Only picks of these stickers count.
            users: Only these, at most 500; all where it is ``None``.
        """
        table = interactions
        key = tuple_(table.c.user, table.c.time, table.c.id)
        wanted = select(table.c.user, table.c.time, table.c.id, table.c.sticker_id).order_by(*key).limit(_PAGE)
        unlike = (marks.c.user == table.c.user) & (marks.c.kind == "not_my_style")
        wanted = wanted.where(~exists().where(unlike, marks.c.sticker_id == table.c.sticker_id))
        if users is not None:
            wanted = wanted.where(table.c.user.in_(users))
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


def without_forgotten(connection: Connection, batch: Sequence[Interaction]) -> list[Interaction]:
    """Return the interactions without those of people who asked to be forgotten after they were made.

    A pick dated ahead of now was made at an unknown time, so it counts as made before.
    """
    moments = forgotten_at(connection, {check_user(interaction.user) for interaction in batch})
    if not moments:
        return list(batch)
    now = datetime.now(UTC)

    def stays(interaction: Interaction) -> bool:
        moment = moments.get(check_user(interaction.user))
        return moment is None or moment < interaction.time <= now + AHEAD

    return [interaction for interaction in batch if stays(interaction)]


def _insert(connection: Connection, batch: list[Interaction]) -> int:
    require(connection, {interaction.sticker_id for interaction in batch})
    now = datetime.now(UTC)
    rows = [interaction_row(interaction, now) for interaction in batch]
    one_by_one(connection)
    typed, queries = typed_before(connection, rows), queries_before(connection, rows)
    new = insert_new(connection, interactions, rows, "digest")
    stored = [row for row in {row["digest"]: row for row in rows}.values() if row["digest"] in new]
    count(connection, stored, typed)
    add_picks(connection, stored, typed.keys(), queries)
    mark_changed(connection, {row["sticker_id"] for row in stored})
    return len(new)
