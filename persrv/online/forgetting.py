"""Takes a person out of the catalog and of every version of the index, but never twice."""

from __future__ import annotations

from persrv.catalog import Catalog
from persrv.online.comparison.serving import Serving
from persrv.online.current_version import CurrentVersion
from persrv.online.live_index import LiveIndex


def forget_user(user: str, catalog: Catalog, newest: CurrentVersion, live: LiveIndex, serving: Serving | None) -> int:
    """Delete all that is held of somebody, and return how many interactions there were.

    The catalog says of each person who was forgotten in which builds nothing is left of them. Whoever has come back to
    nothing costs a few look-ups; a forgetting that was broken off is done again from its beginning.

    Args:
        user: Who, checked.
        catalog: Has the truth.
        newest: The version that is open.
        live: Writes it; its ``learning`` is held.
        serving: The comparison that is going on.

    Raises:
        IndexLockedError: An older build is open elsewhere; nothing was deleted.
        PersrvError: Something is left, which the next call deletes.
    """
    deleted = _forget_once(user, catalog, newest, live, serving)
    # A build may have been published meanwhile, and the one before it have been passed over.
    while not newest.builds() <= (catalog.clean_builds(user, live.place) or set()):
        deleted += _forget_once(user, catalog, newest, live, serving)
    return deleted


def _forget_once(user: str, catalog: Catalog, newest: CurrentVersion, live: LiveIndex, serving: Serving | None) -> int:
    from persrv.indexing.users import remove_profiles

    known = catalog.clean_builds(user, live.place)
    interrupted = known is None
    left = interrupted or catalog.holds(user)
    passed = frozenset() if left or known is None else known
    with newest.others(passed, users_only=not left) as kept:
        touched = catalog.picked([user])
        if serving is not None:
            serving.log.drop(user)
        deleted = catalog.forget(user)
        if deleted and not left:
            return deleted  # picked since we looked: now it counts as a forgetting that was broken off
        number = catalog.forgettings()
        # A build that was published a moment ago has read the picks before they were deleted.
        newest.refresh()
        if interrupted:
            live.catch_up()
        elif touched:
            live.refresh(touched)
        newest.ask(lambda version: version.profiles.forget(user, left=left))
        for users in kept.users:
            remove_profiles(users, [user], left=left)
        if touched or interrupted:
            # Points hold what they picked for: as words where others typed it too, else as the hash of a query.
            for stickers in kept.stickers:
                live.refresh_kept(stickers, None if interrupted else touched)
                stickers.purge()
            newest.ask(lambda version: version.stickers.purge())
        clean = {*(passed & newest.builds()), *kept.builds, *newest.version.builds}
        catalog.note_clean(user, live.place, clean, number)
    return deleted
