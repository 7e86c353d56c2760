"""Takes people out of built versions: their profiles, and the bytes of them."""

from __future__ import annotations

from datetime import datetime

from persrv.catalog import Catalog
from persrv.catalog.batches import chunks
from persrv.index.engine import Collection
from persrv.index.schema import centroid_id
from persrv.indexing.users import MOST_STYLES

_POINTS = 2_000


def remove_profile(users: Collection, user: str) -> None:
    """Delete a user's profile: every style that any recipe may have given them, and its bytes."""
    users.delete([centroid_id(user, number) for number in range(MOST_STYLES)])
    users.purge()


def remove_forgotten(catalog: Catalog, users: Collection, since: datetime) -> int:
    """Delete the profiles of everybody who was forgotten since a build began to read picks; return how many.

    Nobody knows their names any more but the collection itself, so that it is walked through, where anybody was.

    Args:
        catalog: Has the marks.
        users: A version of the users' collection.
        since: When the build began.
    """
    if not catalog.anybody_forgotten(since):
        return 0
    names = sorted({str(record.payload["user"]) for record in users.scroll() if record.payload})
    gone = sorted(catalog.forgotten_users(names, since))
    for batch in chunks((centroid_id(user, number) for user in gone for number in range(MOST_STYLES)), _POINTS):
        users.delete(batch)
    if gone:
        users.purge()
    return len(gone)
