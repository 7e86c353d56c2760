"""A person's rights over what the catalog knows about them."""

from __future__ import annotations

from sqlalchemy import delete, update

from persrv.catalog.interactions import Interactions
from persrv.catalog.tables import edits, interactions
from persrv.records import Interaction


class People(Interactions):
    """Export and forget."""

    def export(self, user: str) -> list[Interaction]:
        """Return all of a user's interactions by time; none for somebody unknown."""
        return list(self.interactions(user=user))

    def forget(self, user: str) -> int:
        """Delete all of a user's interactions, take their name off their edits, and return how many were deleted.

        The edits themselves stay: they say something about stickers, not about the person.
        """
        with self._database.write() as connection:
            connection.execute(update(edits).where(edits.c.editor == user).values(editor=""))
            return connection.execute(delete(interactions).where(interactions.c.user == user)).rowcount
