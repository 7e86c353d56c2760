"""Takes people out of a built version who were forgotten while it was made."""

from __future__ import annotations

from datetime import datetime

from persrv.catalog import Catalog
from persrv.index.engine import Collection
from persrv.indexing.users import remove_profiles


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
    if gone:
        remove_profiles(users, gone)
    return len(gone)
