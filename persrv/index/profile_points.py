"""Users' style profiles as points: one point a centroid, so that taste can be looked at in the Qdrant dashboard.

The point's vector is the centroid's direction. The payload shows a person the user, the share, and the picture and
title of the pick that shows the style best; under :data:`STATE` stands what is needed to go on moving it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from persrv.errors import VectorIndexError
from persrv.index.language import Point, Record
from persrv.index.schema import IMAGE, centroid_id
from persrv.ranking.profile import StyleProfile

STATE = "state"
"""Payload key of what only the program needs."""


@dataclass(frozen=True, slots=True)
class StyleExample:
    """The picked sticker that shows a style best: its payload for the dashboard and its cosine to the centroid."""

    sticker_id: str
    title: str
    image_url: str
    cosine: float


def points_of(user: str, profile: StyleProfile, likenesses: Sequence[StyleExample]) -> list[Point]:
    """Return a profile's points.

    Args:
        user: Whose it is.
        profile: With k styles.
        likenesses: One for each style, k of them.
    """
    directions, lengths = profile.centroids, np.linalg.norm(profile.sums, axis=1)
    shares = profile.shares
    return [
        Point(
            id=centroid_id(user, number),
            vectors={IMAGE: directions[number].tolist()},
            payload={
                "image_url": likeness.image_url,
                "title": likeness.title,
                "user": user,
                "share": float(shares[number]),
                STATE: {
                    "number": number,
                    "sticker_id": likeness.sticker_id,
                    "likeness": likeness.cosine,
                    "mass": float(profile.mass[number]),
                    "resultant": float(lengths[number]),
                    "day": profile.day,
                },
            },
        )
        for number, likeness in enumerate(likenesses)
    ]


def profile_of(records: Sequence[Record]) -> tuple[StyleProfile, list[StyleExample]]:
    """Return the profile whose points these are, in any order, with their vectors; the inverse of :func:`points_of`.

    Args:
        records: One for each style, at least one.

    Raises:
        VectorIndexError: One has lost its vector or its state.
    """
    if not all(is_whole(record) for record in records):
        raise VectorIndexError(
            "the index is damaged: a style of a user has lost its vector or state", "run persrv build --rebuild"
        )
    rows = sorted(records, key=lambda record: int(record.payload[STATE]["number"]))
    states = [record.payload[STATE] for record in rows]
    directions = np.array([record.dense(IMAGE) for record in rows])
    profile = StyleProfile(
        sums=directions * np.array([[state["resultant"]] for state in states]),
        mass=np.array([state["mass"] for state in states]),
        day=float(states[0]["day"]),
    )
    shown = (record.payload for record in rows)
    return profile, [
        StyleExample(state["sticker_id"], payload["title"], payload["image_url"], float(state["likeness"]))
        for payload, state in zip(shown, states, strict=True)
    ]


def is_whole(record: Record) -> bool:
    """Return whether a style's point, read with its vectors, has all that :func:`profile_of` wants."""
    state = record.payload.get(STATE)
    wanted = {"number", "sticker_id", "likeness", "mass", "resultant", "day"}
    return isinstance(state, dict) and wanted <= state.keys() and record.dense(IMAGE) is not None


def nearest_picks(
    profile: StyleProfile, vectors: NDArray[np.floating], shown: Sequence[tuple[str, str, str]]
) -> list[StyleExample]:
    """Return, for each style, the pick nearest to its centroid; equal cosines go to the smaller id.

    Args:
        profile: With k styles.
        vectors: The picks' unit vectors, shape (n, d), n >= 1.
        shown: Sticker id, title and picture URL of each pick, n of them.
    """
    cosines = np.round(np.asarray(vectors, dtype=np.float64) @ profile.centroids.T, 9)
    best = [
        min(np.flatnonzero(column == column.max()).tolist(), key=lambda i: shown[i][0]) if len(column) else 0
        for column in cosines.T
    ]
    return [StyleExample(*shown[i], cosine=float(cosines[i, c])) for c, i in enumerate(best)]
