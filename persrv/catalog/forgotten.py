"""Who was forgotten: keyed marks that tell nobody's name, so that no later reading of old picks brings them back."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from sqlalchemy import Connection, delete, select

from persrv.catalog.batches import CHUNK, chunks, upsert
from persrv.catalog.database import Part
from persrv.catalog.tables import clean_builds, forgotten, notes

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

    def clean_builds(self, user: str, place: str) -> frozenset[str] | None:
        """Return the builds in which nothing is left of somebody, as far as is known.

        Args:
            user: Who may have been forgotten.
            place: Where the index is, see :attr:`persrv.workspace.Workspace.place`.

        Returns:
            No builds for somebody who was never forgotten; ``None`` where a forgetting has not come to its end.
        """
        with self._database.read() as connection:
            if not forgotten_at(connection, [user]):
                return frozenset()
            of = clean_builds.c
            wanted = select(of.builds).where(of.mark == _marker(connection)(user), of.place == place)
            found = connection.execute(wanted).scalar()
        return None if found is None else frozenset(found)

    def note_clean(self, user: str, place: str, builds: Iterable[str], forgotten: datetime) -> None:
        """Say in which builds nothing is left of somebody, in place of what was said of this place before.

        Args:
            user: Who was forgotten.
            place: Where the index is.
            builds: All that were looked through.
            forgotten: When they were forgotten; nothing is noted where they were forgotten anew since.
        """
        with self._database.write() as connection:
            if forgotten_at(connection, [user]).get(user) == forgotten:
                row = {"mark": _marker(connection)(user), "place": place, "builds": sorted(builds)}
                upsert(connection, clean_builds, [row])


def note_forgotten(connection: Connection, user: str) -> None:
    """Leave a mark of somebody who is being forgotten, in place of an earlier one."""
    mark = _marker(connection, make=True)
    upsert(connection, forgotten, [{"mark": mark(user), "forgotten_at": datetime.now(UTC)}])


def is_left(connection: Connection, user: str) -> bool:
    """Return whether somebody was forgotten, and no index is known that nothing of them is left in."""
    if not forgotten_at(connection, [user]):
        return False
    wanted = select(clean_builds.c.mark).where(clean_builds.c.mark == _marker(connection)(user)).limit(1)
    return connection.execute(wanted).scalar() is None


def note_left(connection: Connection, user: str) -> None:
    """Say that something of somebody who is being forgotten may be left in every build."""
    connection.execute(delete(clean_builds).where(clean_builds.c.mark == _marker(connection)(user)))


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
