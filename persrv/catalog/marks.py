"""What people set stickers apart by: favourites, pins, hidden ones, and those that say nothing of their taste."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Literal, get_args

from sqlalchemy import delete, select

from persrv.catalog.batches import chunks, upsert
from persrv.catalog.database import Part
from persrv.catalog.semantics import require
from persrv.catalog.tables import marks
from persrv.records import check_user

MarkKind = Literal["favourite", "pin", "hidden", "not_my_style"]
"""A favourite; one that stays in front; one that is not shown among recent ones; a pick that shapes no style."""

MARK_KINDS: tuple[MarkKind, ...] = get_args(MarkKind)


class Marks(Part):
    """Marks of users on stickers; each stands once."""

    def put_marks(self, user: str, sticker_ids: Iterable[str], kind: MarkKind) -> None:
        """Mark stickers; one that is marked so already counts as marked now.

        Raises:
            NotFoundError: The catalog does not know a sticker; nothing is marked then.
            QueryError: No user's id.
        """
        name, now = check_user(user), datetime.now(UTC)
        with self._database.write() as connection:
            for chunk in chunks(sticker_ids):
                require(connection, chunk)
                rows = [{"user": name, "kind": kind, "sticker_id": each, "marked_at": now} for each in chunk]
                upsert(connection, marks, rows)

    def remove_mark(self, user: str, sticker_id: str, kind: MarkKind) -> bool:
        """Take a mark away; return whether it was there."""
        chosen = (marks.c.user == check_user(user), marks.c.kind == kind, marks.c.sticker_id == sticker_id)
        with self._database.write() as connection:
            return connection.execute(delete(marks).where(*chosen)).rowcount > 0

    def marked(self, user: str, kind: MarkKind, limit: int = 1000) -> list[str]:
        """Return the stickers that a user marked, the last first, of one moment by id."""
        wanted = select(marks.c.sticker_id).where(marks.c.user == check_user(user), marks.c.kind == kind)
        with self._database.read() as connection:
            ordered = wanted.order_by(marks.c.marked_at.desc(), marks.c.sticker_id).limit(max(limit, 0))
            return list(connection.execute(ordered).scalars())
