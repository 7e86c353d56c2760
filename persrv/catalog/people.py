"""A person's rights over what the catalog knows about them."""

from __future__ import annotations

from sqlalchemy import delete, update

from persrv.catalog.affinity import uncount
from persrv.catalog.interactions import Interactions
from persrv.catalog.tables import edits, impressions, interactions
from persrv.records import Interaction


class UserData(Interactions):
    """Export and forget."""

    def export(self, user: str) -> list[Interaction]:
        """Return all of a user's interactions by time; none for somebody unknown."""
        return list(self.interactions(user=user))

    def forget(self, user: str) -> int:
        """Delete all of a user's interactions and impressions, and take their name off their edits.

        The edits themselves stay: they say something about stickers, not about the person.

        Returns:
            How many interactions were deleted.
        """
        with self._database.write() as connection:
            connection.execute(update(edits).where(edits.c.editor == user).values(editor=""))
            connection.execute(delete(impressions).where(impressions.c.user == user))
            uncount(connection, user)
            return connection.execute(delete(interactions).where(interactions.c.user == user)).rowcount
