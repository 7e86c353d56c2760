"""Picks in: written to the catalog first, then the user's profile moves at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from persrv.index.schema import point_id
from persrv.online.open_version import OpenVersion
from persrv.ranking.profile import StyleProfile, days_since_epoch

DATED_AHEAD = "the pick is dated more than a day ahead and counts as made now; correct the clock that dates it"
FORGOTTEN_SINCE = "the pick is from before its user asked to be forgotten, and is not taken"
STYLE_FOLLOWS = "the pick is stored and counts; the user's style follows, since the index cannot be written now"


@dataclass(frozen=True, slots=True)
class PickReceipt:
    """What became of one pick.

    Attributes:
        sticker_id: The sticker's full id.
        profile: The user's style profile, moved by the pick.
        new: Whether the pick was stored now; false where it had been stored before, and counts once.
        note: A sentence about what went another way than the caller may think, ``""`` for none.
    """

    sticker_id: str
    profile: StyleProfile
    new: bool = True
    note: str = ""


def learn_pick(version: OpenVersion, user: str, sticker_id: str, time: datetime) -> StyleProfile:
    """Move a user's profile by one pick and return it; a sticker without a picture moves nothing.

    Raises:
        BuildGoneError: The version is gone; nothing was moved.
    """
    using = version.manifest.taste_vector
    found = version.stickers.retrieve([point_id(sticker_id)], with_vectors=(using,))
    vector = found[0].dense(using) if found else None
    if vector is None:
        return version.profiles.get(user)[0]
    title, image_url = (str(found[0].payload.get(key, "")) for key in ("title", "image_url"))
    shown = (sticker_id, title, image_url)
    return version.profiles.move(user, np.array(vector), days_since_epoch(time), shown)
