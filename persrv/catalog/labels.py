"""The short texts that a search box can suggest: what stickers are called, and what several people typed."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import func, select

from persrv.catalog.batches import CHUNK
from persrv.catalog.edits import edits_of
from persrv.catalog.listing import Listing
from persrv.catalog.semantics import readings_of
from persrv.catalog.tables import interactions

_FIELDS = ("name", "tags")


class Labels(Listing):
    """Listing, and labels without everything else that is known of stickers."""

    def labels(self) -> Iterator[str]:
        """Walk through the names and tags of listed stickers, each phrase once for every sticker that has it."""
        for page in self._pages(CHUNK):
            with self._database.read() as connection:
                readings, edited = readings_of(connection, page), edits_of(connection, page)
            for sticker_id in page:
                for field in _FIELDS:
                    read = (getattr(reading.semantics, field) for reading in readings.get(sticker_id, ()))
                    corrected = edited.get(sticker_id, {}).get(field)
                    yield from {phrase for phrases in read for phrase in phrases} if corrected is None else corrected

    def public_queries(self, min_users: int, limit: int) -> list[tuple[str, int]]:
        """Return what several people typed before a pick, with how many they were, the most first.

        Args:
            min_users: Least number of different users, >= 1; what fewer typed may say who they are.
            limit: Most queries.
        """
        table = interactions
        users = func.count(table.c.user.distinct())
        wanted = (
            select(table.c.folded_query, users)
            .where(table.c.folded_query != "", table.c.kind != "simulated")
            .group_by(table.c.folded_query)
            .having(users >= min_users)
            .order_by(users.desc(), table.c.folded_query)
            .limit(limit)
        )
        with self._database.read() as connection:
            return [(query, count) for query, count in connection.execute(wanted)]
