"""What the interactions add up to: for each user, each sticker, and each sticker's queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, case, exists, func, or_, select

from persrv.catalog.database import Part
from persrv.catalog.ownership import placed_here_by_sticker
from persrv.catalog.pick_totals import summed
from persrv.catalog.tables import interactions, pick_totals, placements
from persrv.text.privacy import looks_private

_SPARE = 20
"""Queries of a sticker that are read beyond those wanted, in place of some that look private."""


LATELY = 50_000
"""Picks that trending is counted from, at most."""


@dataclass(frozen=True, slots=True)
class UserSummary:
    """One user's interactions: how many, the first and the last, UTC."""

    user: str
    picks: int
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class PickCounts:
    """How often a sticker was picked.

    Attributes:
        picks: Interactions of any kind.
        users: Different users.
        queries: Different queries, regardless of case, width and spacing; browsing is none.
        last: The last pick, UTC.
    """

    picks: int
    users: int
    queries: int
    last: datetime


class Statistics(Part):
    """Sums over all interactions."""

    def users(self) -> list[UserSummary]:
        """Return everybody who picked something, sorted by name."""
        table = interactions
        with self._database.read() as connection:
            rows = connection.execute(
                select(table.c.user, func.count(), func.min(table.c.time), func.max(table.c.time)).group_by(
                    table.c.user
                )
            )
            return sorted((UserSummary(*row) for row in rows), key=lambda summary: summary.user)

    def user_names(self, after: str | None, limit: int) -> list[str]:
        """Return names of users who picked something, ascending, from behind ``after`` on.

        Args:
            after: A name; ``None`` begins with the first one.
            limit: Most names, >= 0.
        """
        column = interactions.c.user
        wanted = select(column).distinct().order_by(column).limit(max(limit, 0))
        if after is not None:
            wanted = wanted.where(column > after)
        with self._database.read() as connection:
            return list(connection.execute(wanted).scalars())

    def recent(self, user: str, limit: int) -> list[str]:
        """Return those of the collection's stickers that a user picked last, newest first, each once.

        Args:
            user: Whose.
            limit: Most stickers, >= 0.
        """
        table = interactions
        last = func.max(table.c.time)
        with self._database.read() as connection:
            here = exists().where(placed_here_by_sticker(connection), placements.c.sticker_id == table.c.sticker_id)
            wanted = select(table.c.sticker_id).where(table.c.user == user, here).group_by(table.c.sticker_id)
            return list(
                connection.execute(wanted.order_by(last.desc(), table.c.sticker_id).limit(max(limit, 0))).scalars()
            )

    def most_picked(self, since: datetime, query: str = "", limit: int = 1000) -> dict[str, int]:
        """Return the stickers that most people picked lately, the first most, with the number of people.

        Of all picks the latest :data:`LATELY` are looked at; for one query as many of its picks, so that the time that
        it takes does not grow with the log. Who may see what a query led to is not asked here.

        Args:
            since: Only from this moment on.
            query: Folded; only picks for just this query, ``""`` for all.
            limit: Most stickers, >= 0.

        Raises:
            CatalogError: ``since`` has no time zone.
        """
        table = interactions
        wanted = select(table.c.sticker_id, table.c.user, table.c.time).limit(LATELY)
        if query:
            wanted = wanted.where(table.c.folded_query == query)
        else:
            wanted = wanted.where(table.c.time >= since).order_by(table.c.time.desc(), table.c.id.desc())
        latest = wanted.subquery()
        people = func.count(latest.c.user.distinct())
        chosen = select(latest.c.sticker_id, people).where(latest.c.time >= since).group_by(latest.c.sticker_id)
        with self._database.read() as connection:
            ordered = chosen.order_by(people.desc(), latest.c.sticker_id).limit(max(limit, 0))
            return {str(row[0]): int(row[1]) for row in connection.execute(ordered)}

    def pick_counts(
        self, until: datetime | None = None, stickers: Sequence[str] | None = None
    ) -> dict[str, PickCounts]:
        """Return the counts of each sticker that was picked at all; without a moment, at a price that no pick raises.

        Args:
            until: Only picks before this moment, so that an evaluation learns nothing from its future.
            stickers: Only of these, at most 500; all where it is ``None``.

        Raises:
            CatalogError: ``until`` has no time zone.
        """
        if until is None:
            of, wanted = pick_totals.c, select(pick_totals)
        else:
            of, wanted = interactions.c, summed(interactions.c.time < until)
        if stickers is not None:
            wanted = wanted.where(of.sticker_id.in_(stickers))
        with self._database.read() as connection:
            found = {sticker_id: PickCounts(*counts) for sticker_id, *counts in connection.execute(wanted)}
        return dict(sorted(found.items()))

    def newest_pick(self) -> datetime | None:
        """Return the time of the newest pick, ``None`` without picks."""
        with self._database.read() as connection:
            return connection.execute(select(func.max(pick_totals.c.last))).scalar()


def typed_queries(
    connection: Connection, sticker_ids: Sequence[str], limit: int, min_users: int, until: datetime | None
) -> dict[str, list[str]]:
    """Return what users typed before they picked each of at most one chunk of stickers.

    The queries are case-folded and ordered by their number of different users, then by their last use, newest first,
    then by their text.

    Args:
        connection: Inside a transaction.
        sticker_ids: Full ids.
        limit: Most queries of one sticker, >= 0.
        min_users: Least number of different users of a query, >= 1; queries of simulated picks need none, since they
            are nobody's. Whatever looks private is left out.
        until: Only picks before this moment.
    """
    if limit <= 0:
        return {}
    table = interactions
    simulated = func.max(case((table.c.kind == "simulated", 1), else_=0))
    users, last = func.count(table.c.user.distinct()), func.max(table.c.time)
    chosen = [table.c.sticker_id.in_(sticker_ids), table.c.folded_query != ""]
    if until is not None:
        chosen.append(table.c.time < until)
    # By code point on every database, whatever the language that PostgreSQL was set up for.
    by_code_point = table.c.folded_query.collate("C" if connection.dialect.name == "postgresql" else "BINARY")
    order = [users.desc(), last.desc(), by_code_point]
    place = func.row_number().over(partition_by=table.c.sticker_id, order_by=order).label("place")
    ranked = (
        select(table.c.sticker_id, table.c.folded_query, place)
        .where(*chosen)
        .group_by(table.c.sticker_id, table.c.folded_query)
        .having(or_(users >= min_users, simulated == 1))
        .subquery()
    )
    found: dict[str, list[str]] = {}
    wanted = select(ranked).where(ranked.c.place <= limit + _SPARE).order_by(ranked.c.place)
    for row in connection.execute(wanted):
        queries = found.setdefault(row.sticker_id, [])
        if len(queries) < limit and not looks_private(row.folded_query):
            queries.append(row.folded_query)
    return {sticker_id: queries for sticker_id, queries in found.items() if queries}
