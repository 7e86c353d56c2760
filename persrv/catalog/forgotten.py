"""Who was forgotten: keyed marks that tell nobody's name, so that no later reading of old picks brings them back."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from sqlalchemy import Connection, select

from persrv.catalog.batches import CHUNK, chunks, upsert
from persrv.catalog.database import Part
from persrv.catalog.tables import forgotten, notes

KEY = "forgotten-key"
"""The note that holds the key. Without it nobody can tell a mark's person, not even by trying names."""


_ANYBODY = select(forgotten.c.mark).limit(1)  # built once: every pick asks


class ForgottenUsers(Part):
    """Marks of the people who were forgotten."""

    def forgotten_users(self, users: Iterable[str], since: datetime | None = None) -> dict[str, datetime]:
        """Return those of the users who were forgotten, each with the moment.

        Args:
            users: Whom to look for.
            since: Only those who were forgotten at this moment or later.
        """
        with self._database.read() as connection:
            found = forgotten_at(connection, users)
        return {user: moment for user, moment in found.items() if since is None or moment >= since}

    def anybody_forgotten(self, since: datetime) -> bool:
        """Return whether anybody was forgotten at this moment or later."""
        wanted = select(forgotten.c.mark).where(forgotten.c.forgotten_at >= since).limit(1)
        with self._database.read() as connection:
            return connection.execute(wanted).scalar() is not None


def note_forgotten(connection: Connection, user: str) -> None:
    """Leave a mark of somebody who is being forgotten, in place of an earlier one."""
    mark = _marker(connection, make=True)
    upsert(connection, forgotten, [{"mark": mark(user), "forgotten_at": datetime.now(UTC)}])


def forgotten_at(connection: Connection, users: Iterable[str]) -> dict[str, datetime]:
    """Return those of the users who were forgotten, each with the moment."""
    found: dict[str, datetime] = {}
    if connection.execute(_ANYBODY).scalar() is None:
        return found
    mark = _marker(connection)
    for chunk in chunks(users, CHUNK):
        by_mark = {mark(user): user for user in chunk}
        wanted = select(forgotten.c.mark, forgotten.c.forgotten_at).where(forgotten.c.mark.in_(by_mark))
        found |= {by_mark[row.mark]: row.forgotten_at for row in connection.execute(wanted)}
    return found


def _marker(connection: Connection, make: bool = False) -> Callable[[str], str]:
    found = connection.execute(select(notes.c.content).where(notes.c.key == KEY)).scalar()
    if found is None and make:
        found = secrets.token_hex(32)
        upsert(connection, notes, [{"key": KEY, "content": found}])
    key = bytes.fromhex(str(found or ""))
    return lambda user: hmac.new(key, user.encode(), hashlib.sha256).hexdigest()
