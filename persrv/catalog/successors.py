"""Gives what people did to a sticker to the one that took its place."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from sqlalchemy import delete, select, update

from persrv.catalog.affinity import COUNTED_BY
from persrv.catalog.batches import chunks, insert_new, upsert
from persrv.catalog.database import Part
from persrv.catalog.pick_rows import interaction_row
from persrv.catalog.revisions import mark_changed
from persrv.catalog.tables import edits, interactions, marks, notes
from persrv.records import Interaction


class Successors(Part):
    """Stickers whose picture was saved anew: another file, the same pixels."""

    def succeed(self, successors: Mapping[str, str]) -> None:
        """Give edits, interactions and marks of stickers to their successors, in one transaction.

        Interactions that the successor has already stay as they are. What people picked stickers for is counted anew
        by the next :meth:`~persrv.catalog.affinity.Affinities.count_anew`.

        Args:
            successors: Sticker id to the id that takes its place.
        """
        if not successors:
            return
        now = datetime.now(UTC)
        with self._database.write() as connection:
            for old, new in sorted(successors.items()):
                connection.execute(update(edits).where(edits.c.sticker_id == old).values(sticker_id=new))
                chosen = select(marks).where(marks.c.sticker_id == old)
                marked = [dict(row) | {"sticker_id": new} for row in connection.execute(chosen).mappings()]
                upsert(connection, marks, marked)
                connection.execute(delete(marks).where(marks.c.sticker_id == old))
                picks = connection.execute(select(interactions).where(interactions.c.sticker_id == old)).all()
                connection.execute(delete(interactions).where(interactions.c.sticker_id == old))
                for chunk in chunks(picks):
                    given = [Interaction(p.user, p.query, new, p.time, p.kind, p.pick_id) for p in chunk]
                    insert_new(connection, interactions, [interaction_row(each, now) for each in given], "digest")
            mark_changed(connection, {*successors, *successors.values()})
            connection.execute(delete(notes).where(notes.c.key == COUNTED_BY))
