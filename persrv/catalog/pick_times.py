"""When a pick counts as made: a wrong clock must not make all other picks old."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from persrv.catalog.columns import in_utc

AHEAD = timedelta(days=1)
"""How far ahead of this machine's clock a pick may be dated; one dated later counts as made now."""


def counted_time(time: datetime, now: datetime) -> datetime:
    """Return when a pick counts as made: ``now`` where it is dated more than a day ahead, else its own time in UTC.

    A single pick from a wrong clock would else make all others old, in its user's profile and in every sticker's age.

    Raises:
        CatalogError: The time has no zone.
    """
    if time.utcoffset() is None:
        return in_utc(time)
    # Compared before it is brought to UTC, which the last hours of the year 9999 cannot be.
    return now if time > now + AHEAD else in_utc(time)


def as_dated(time: datetime) -> datetime:
    """Return a time ahead as its source dates it, in UTC where it exists there."""
    try:
        return time.astimezone(UTC)
    except OverflowError:  # the last hours of the year 9999
        return time
