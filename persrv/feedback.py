"""Picks in: written to the catalog first, then the user's profile moves at once."""

from __future__ import annotations

from datetime import datetime

import numpy as np

from persrv.catalog import Catalog
from persrv.errors import QueryError
from persrv.index.engine import Collection
from persrv.index.schema import point_id
from persrv.index.vectors import vector_of
from persrv.profiles import Profiles
from persrv.records import Interaction, PickKind
from persrv.style import StyleProfile

LONGEST_USER = 200
"""Characters of a user's name."""


def days_since_epoch(time: datetime) -> float:
    """Return a timezone-aware time in days since 1970-01-01 UTC."""
    return time.timestamp() / 86_400.0


def record_pick(
    catalog: Catalog,
    stickers: Collection,
    profiles: Profiles,
    user: str,
    query: str,
    sticker_id: str,
    kind: PickKind,
    time: datetime,
) -> StyleProfile:
    """Write one pick down and return the moved profile.

    The catalog is written first: when the index cannot be reached, the pick is kept and the next build catches up. A
    pick that is already in the catalog (same user, query, sticker, time and kind) changes nothing.

    Raises:
        NotFoundError: No such sticker.
        QueryError: An empty or overlong user, or a time without a zone.
    """
    if not user.strip() or len(user) > LONGEST_USER:
        raise QueryError(f"user {user[:40]!r} is empty or too long", f"use 1 to {LONGEST_USER} characters")
    if time.tzinfo is None:
        raise QueryError(f"time {time.isoformat()} has no time zone", "give an offset, such as +00:00")
    sticker = catalog.sticker(sticker_id)
    if not catalog.record(Interaction(user, query, sticker.id, time, kind)):
        return profiles.get(user)[0]
    using = stickers.manifest.taste_vector
    found = stickers.retrieve([point_id(sticker.id)], with_vectors=(using,))
    vector = vector_of(found[0], using) if found else None
    if vector is None:
        return profiles.get(user)[0]
    image_url = str((found[0].payload or {}).get("image_url", ""))
    return profiles.move(user, np.array(vector), days_since_epoch(time), (sticker.id, sticker.title, image_url))
