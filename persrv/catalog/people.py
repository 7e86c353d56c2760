"""A person's rights over what the catalog knows about them."""

from __future__ import annotations

from sqlalchemy import Connection, delete, literal, select, update

from persrv.catalog.affinity_counts import uncount
from persrv.catalog.edits import Edit, edit_of
from persrv.catalog.forgotten import ForgottenUsers, is_left, note_forgotten, note_left
from persrv.catalog.interactions import Interactions
from persrv.catalog.pick_totals import take_picks
from persrv.catalog.revisions import mark_changed, one_by_one
from persrv.catalog.tables import (
    edits,
    impressions,
    interactions,
    marks,
    pick_totals,
    picked_queries,
    picked_words,
    query_words,
    typed_words,
    unfitted_users,
)
from persrv.records import Interaction, check_user


class UserData(Interactions, ForgottenUsers):
    """Export and forget."""

    def export(self, user: str) -> list[Interaction]:
        """Return all of a user's interactions by time; none for somebody unknown."""
        return list(self.interactions(user=user))

    def forget(self, user: str) -> int:
        """Delete all of a user's interactions, impressions and marks, and take their name off their edits.

        The edits themselves stay: they say something about stickers, not about the person. A keyed mark stays, so that
        picks from before this moment are not taken in again. In SQLite no byte of what was deleted is left in the
        file or its log afterwards, unless another process reads just then: the next call removes it. Whoever is not
        held costs a few look-ups and a moment in their mark.

        Returns:
            How many interactions were deleted.
        """
        name = check_user(user)
        with self._database.write(durable=True) as connection:
            held = _is_held(connection, name)
            left = held or is_left(connection, name)
            note_forgotten(connection, name)
            if held:
                note_left(connection, name)
            connection.execute(update(edits).where(edits.c.editor == name).values(editor=""))
            for table in (impressions, marks, unfitted_users):
                connection.execute(delete(table).where(table.c.user == name))
            one_by_one(connection)
            mark_changed(connection, uncount(connection, name))
            take_picks(connection, name)
            deleted = connection.execute(delete(interactions).where(interactions.c.user == name)).rowcount
        self._database.scrub(rows=left)
        return deleted

    def holds(self, user: str) -> bool:
        """Return whether the catalog has anything that somebody left: picks, impressions, marks or edits."""
        with self._database.read() as connection:
            return _is_held(connection, check_user(user))

    def clear_picks(self) -> None:
        """Delete everybody's interactions, such as in a copy for an evaluation; nobody counts as forgotten for it."""
        with self._database.write() as connection:
            mark_changed(connection, connection.execute(select(interactions.c.sticker_id).distinct()).scalars())
            for table in (pick_totals, picked_queries, picked_words, query_words, typed_words, interactions):
                connection.execute(delete(table))

    def edits_by(self, editor: str) -> list[tuple[str, Edit]]:
        """Return the edits that somebody made, each with its sticker's id, oldest first."""
        with self._database.read() as connection:
            rows = connection.execute(select(edits).where(edits.c.editor == check_user(editor)).order_by(edits.c.id))
            return [(row.sticker_id, edit_of(row)) for row in rows]


def _is_held(connection: Connection, user: str) -> bool:
    theirs = [table.c.user == user for table in (interactions, impressions, marks, unfitted_users)]
    return any(
        connection.execute(select(literal(1)).where(condition).limit(1)).scalar()
        for condition in (*theirs, edits.c.editor == user)
    )
