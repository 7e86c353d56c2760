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
from persrv.catalog.revisions import counted, next_number
from persrv.catalog.tables import clean_builds, forgotten, notes

KEY = "forgotten-key"
"""The note that holds the key. Without it nobody can tell a mark's person, not even by trying names."""

_FORGETTINGS = "forgotten"
"""The counter that numbers forgettings: what is asked is the order, which no clock tells that may be set back."""

_ANYBODY = select(forgotten.c.mark).limit(1)  # built once: every pick asks


class ForgottenUsers(Part):
    """Marks of the people who were forgotten."""

    def forgettings(self) -> int:
        """Return the number of the last forgetting; 0 before the first."""
        with self._database.read() as connection:
            return counted(connection, _FORGETTINGS)

    def forgotten_users(self, users: Iterable[str], since: int = -1) -> dict[str, datetime]:
        """Return those of the users who were forgotten, each with the moment.

        Args:
            users: Whom to look for.
            since: Only those who were forgotten after the forgetting of this number.
        """
        with self._database.read() as connection:
            return forgotten_at(connection, users, since)

    def anybody_forgotten(self, since: int) -> bool:
        """Return whether anybody was forgotten after the forgetting of this number."""
        wanted = select(forgotten.c.mark).where(forgotten.c.number > since).limit(1)
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

    def note_clean(self, user: str, place: str, builds: Iterable[str], since: int) -> None:
        """Say in which builds nothing is left of somebody, in place of what was said of this place before.

        Args:
            user: Who was forgotten.
            place: Where the index is.
            builds: All that were looked through.
            since: The number of a forgetting from before they were looked through; nothing is noted where this person
                was forgotten anew since.
        """
        with self._database.write() as connection:
            if not forgotten_at(connection, [user], since):
                row = {"mark": _marker(connection)(user), "place": place, "builds": sorted(builds)}
                upsert(connection, clean_builds, [row])


def note_forgotten(connection: Connection, user: str) -> None:
    """Leave a mark of somebody who is being forgotten, in place of an earlier one."""
    mark = _marker(connection, make=True)
    row = {"mark": mark(user), "forgotten_at": datetime.now(UTC), "number": next_number(connection, _FORGETTINGS)}
    upsert(connection, forgotten, [row])


def is_left(connection: Connection, user: str) -> bool:
    """Return whether somebody was forgotten, and no index is known that nothing of them is left in."""
    if not forgotten_at(connection, [user]):
        return False
    wanted = select(clean_builds.c.mark).where(clean_builds.c.mark == _marker(connection)(user)).limit(1)
    return connection.execute(wanted).scalar() is None


def note_left(connection: Connection, user: str) -> None:
    """Say that something of somebody who is being forgotten may be left in every build."""
    connection.execute(delete(clean_builds).where(clean_builds.c.mark == _marker(connection)(user)))


def forgotten_at(connection: Connection, users: Iterable[str], since: int = -1) -> dict[str, datetime]:
    """Return those of the users who were forgotten after the forgetting of a number, each with the moment."""
    found: dict[str, datetime] = {}
    if connection.execute(_ANYBODY).scalar() is None:
        return found
    mark = _marker(connection)
    for chunk in chunks(users, CHUNK):
        by_mark = {mark(user): user for user in chunk}
        wanted = select(forgotten.c.mark, forgotten.c.forgotten_at).where(
            forgotten.c.mark.in_(by_mark), forgotten.c.number > since
        )
        found |= {by_mark[row.mark]: row.forgotten_at for row in connection.execute(wanted)}
    return found


def _marker(connection: Connection, make: bool = False) -> Callable[[str], str]:
    found = connection.execute(select(notes.c.content).where(notes.c.key == KEY)).scalar()
    if found is None and make:
        found = secrets.token_hex(32)
        upsert(connection, notes, [{"key": KEY, "content": found}])
    key = bytes.fromhex(str(found or ""))
    return lambda user: hmac.new(key, user.encode(), hashlib.sha256).hexdigest()
