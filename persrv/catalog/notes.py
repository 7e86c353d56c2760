"""Small facts that must outlive a process, such as the last stage that a build completed."""

from __future__ import annotations

from sqlalchemy import select

from persrv.catalog.batches import upsert
from persrv.catalog.columns import Json
from persrv.catalog.database import Part
from persrv.catalog.tables import notes


class Notes(Part):
    """A value of JSON under each key."""

    def note(self, key: str, content: Json) -> None:
        """Store a value in place of the one before."""
        with self._database.write() as connection:
            upsert(connection, notes, [{"key": key, "content": content}])

    def noted(self, key: str) -> Json:
        """Return the value under a key, ``None`` where there is none."""
        with self._database.read() as connection:
            content: Json = connection.execute(select(notes.c.content).where(notes.c.key == key)).scalar()
            return content
