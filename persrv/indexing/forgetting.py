"""Takes people out of a built version who were forgotten while it was made."""

from __future__ import annotations

from persrv.catalog import Catalog
from persrv.index.engine import Collection
from persrv.indexing.users import remove_profiles


def remove_forgotten(catalog: Catalog, users: Collection, since: int | None) -> int:
    """Delete the profiles of everybody who was forgotten since a build began to read picks; return how many.

    Nobody knows their names any more but the collection itself, so that it is walked through, where anybody was.

    Args:
        catalog: Has the marks.
        users: A version of the users' collection.
        since: The number of the last forgetting when the build began; ``None`` where nobody knows: then of everybody
            who was ever forgotten and has not come back.
    """
    after = -1 if since is None else since
    if not catalog.anybody_forgotten(after):
        return 0
    names = sorted({str(record.payload["user"]) for record in users.scroll() if record.payload})
    gone = sorted(catalog.forgotten_users(names, after))
    if since is None:
        gone = [name for name in gone if not catalog.holds(name)]
    if gone:
        remove_profiles(users, gone)
    return len(gone)
