"""Picks in: written to the catalog first, then the user's profile moves at once."""

from __future__ import annotations

from datetime import datetime

import numpy as np

from persrv.catalog import Catalog
from persrv.errors import QueryError
from persrv.index.schema import point_id
from persrv.index.vectors import vector_of
from persrv.online.open_version import OpenVersion
from persrv.ranking.profile import StyleProfile, days_since_epoch
from persrv.records import Interaction, PickKind, Sticker

LONGEST_USER = 200
"""Characters of a user's name."""


def write_pick(
    catalog: Catalog, user: str, query: str, sticker_id: str, kind: PickKind, time: datetime
) -> Sticker | None:
    """Write one pick down.

    This comes before :func:`learn_pick`: when the index cannot be reached, the pick is kept and the next build catches
    up.

    Returns:
        What was picked; ``None`` where this pick (same user, query, sticker, time and kind) was written before.

    Raises:
        NotFoundError: No such sticker.
        QueryError: An empty or overlong user, or a time without a zone.
    """
    if not user.strip() or len(user) > LONGEST_USER:
        raise QueryError(f"user {user[:40]!r} is empty or too long", f"use 1 to {LONGEST_USER} characters")
    if time.tzinfo is None:
        raise QueryError(f"time {time.isoformat()} has no time zone", "give an offset, such as +00:00")
    sticker = catalog.sticker(sticker_id)
    return sticker if catalog.record(Interaction(user, query, sticker.id, time, kind)) else None


def learn_pick(version: OpenVersion, user: str, sticker: Sticker, time: datetime) -> StyleProfile:
    """Move a user's profile by one pick and return it; a sticker without a picture moves nothing.

    Raises:
        BuildGoneError: The version is gone; nothing was moved.
    """
    using = version.manifest.taste_vector
    found = version.stickers.retrieve([point_id(sticker.id)], with_vectors=(using,))
    vector = vector_of(found[0], using) if found else None
    if vector is None:
        return version.profiles.get(user)[0]
    image_url = str((found[0].payload or {}).get("image_url", ""))
    shown = (sticker.id, sticker.title, image_url)
    return version.profiles.move(user, np.array(vector), days_since_epoch(time), shown)
