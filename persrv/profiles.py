"""Users' style profiles as points: one point a centroid, so that taste can be looked at in the Qdrant dashboard.

The point's vector is the centroid's direction; the payload holds what is needed to go on moving it.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qdrant_client import models as m

from persrv.index.engine import Collection
from persrv.index.schema import IMAGE, centroid_id
from persrv.index.vectors import vector_of
from persrv.online import NO_TASTE, Taste
from persrv.style import StyleProfile

CACHED_USERS = 10_000
"""Profiles kept in memory; at 5 centroids of 128 numbers that is about 50 MB."""

FRESH_SECONDS = 30.0
"""How long a cached profile is served before it is read again: another process may have moved it."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """The picked sticker that shows a style best: its payload for the dashboard and its cosine to the centroid."""

    sticker_id: str
    title: str
    image_url: str
    cosine: float


def points_of(user: str, profile: StyleProfile, likenesses: Sequence[Likeness]) -> list[m.PointStruct]:
    """Return a profile's points.

    Args:
        user: Whose it is.
        profile: With k styles.
        likenesses: One for each style, k of them.
    """
    directions, lengths = profile.centroids, np.linalg.norm(profile.sums, axis=1)
    shares = profile.shares
    return [
        m.PointStruct(
            id=centroid_id(user, number),
            vector={IMAGE: directions[number].tolist()},
            payload={
                "image_url": likeness.image_url,
                "user": user,
                "share": float(shares[number]),
                "number": number,
                "sticker_id": likeness.sticker_id,
                "title": likeness.title,
                "likeness": likeness.cosine,
                "mass": float(profile.mass[number]),
                "resultant": float(lengths[number]),
                "day": profile.day,
            },
        )
        for number, likeness in enumerate(likenesses)
    ]


def nearest_picks(
    profile: StyleProfile, vectors: NDArray[np.floating], shown: Sequence[tuple[str, str, str]]
) -> list[Likeness]:
    """Return, for each style, the pick nearest to its centroid; equal cosines go to the smaller id.

    Args:
        profile: With k styles.
        vectors: The picks' unit vectors, shape (n, d), n >= 1.
        shown: Sticker id, title and picture URL of each pick, n of them.
    """
    cosines = np.round(np.asarray(vectors, dtype=np.float64) @ profile.centroids.T, 9)
    best = [min(range(len(shown)), key=lambda i: (-column[i], shown[i][0])) for column in cosines.T]
    return [Likeness(*shown[i], cosine=float(cosines[i, c])) for c, i in enumerate(best)]


Known = tuple[StyleProfile, list[Likeness]]


class Profiles:
    """Reads and moves profiles in the users' collection, with a bounded cache. Safe for several threads.

    Args:
        collection: The users' collection.
        dimension: Length of a centroid.
        most: Largest number of styles a user may have.
        half_life_days: After so many days a pick counts half, ``None`` for never.
    """

    def __init__(self, collection: Collection, dimension: int, most: int, half_life_days: float | None) -> None:
        self._collection = collection
        self._dimension = dimension
        self._most = most
        self._half_life = half_life_days
        self._cache: OrderedDict[str, tuple[float, Known]] = OrderedDict()
        self._lock = Lock()

    def taste(self, user: str | None) -> Taste:
        """Return what ranking needs of a user's profile; no centroids for somebody unknown."""
        profile = self.get(user)[0] if user else None
        return Taste(profile.centroids, profile.weights) if profile is not None and len(profile.mass) else NO_TASTE

    def get(self, user: str) -> Known:
        """Return a user's profile and the stickers that show it; an empty profile for somebody unknown."""
        with self._lock:
            cached = self._cache.get(user)
            if cached and time.monotonic() - cached[0] < FRESH_SECONDS:
                self._cache.move_to_end(user)
                return cached[1]
        found = self._read(user)
        with self._lock:
            self._remember(user, found)
        return found

    def move(self, user: str, vector: NDArray[np.floating], day: float, shown: tuple[str, str, str]) -> StyleProfile:
        """Write the profile after one more pick and return it.

        Args:
            user: Who picked.
            vector: The sticker's vector in the space of style, shape (d,); a zero vector changes nothing.
            day: When, in days since the Unix epoch.
            shown: The sticker's id, title and picture URL.
        """
        with self._lock:
            old, likenesses = self._read(user)
            new = old.after(vector, day, most=self._most, half_life_days=self._half_life)
            if new is old:
                return old
            pick = Likeness(*shown, cosine=1.0)
            cosines = new.centroids @ np.asarray(vector, dtype=np.float64)
            kept = [*likenesses, pick][: len(new.mass)]
            joined = int(cosines.argmax())
            if cosines[joined] >= kept[joined].cosine:
                kept[joined] = Likeness(*shown, cosine=float(cosines[joined]))
            self._collection.upsert(points_of(user, new, kept))
            self._remember(user, (new, kept))
            return new

    def forget(self, user: str) -> None:
        """Remove every point of a user."""
        with self._lock:
            self._collection.delete([centroid_id(user, number) for number in range(self._most)])
            self._cache.pop(user, None)

    def _remember(self, user: str, found: Known) -> None:
        self._cache[user] = time.monotonic(), found
        self._cache.move_to_end(user)
        while len(self._cache) > CACHED_USERS:
            self._cache.popitem(last=False)

    def _read(self, user: str) -> Known:
        ids = [centroid_id(user, number) for number in range(self._most)]
        records = self._collection.retrieve(ids, with_vectors=(IMAGE,))
        rows = sorted(records, key=lambda record: int(_payload(record)["number"]))
        if not rows:
            return StyleProfile.empty(self._dimension), []
        payloads = [_payload(record) for record in rows]
        directions = np.array([vector_of(record, IMAGE) for record in rows])
        profile = StyleProfile(
            sums=directions * np.array([[p["resultant"]] for p in payloads]),
            mass=np.array([p["mass"] for p in payloads]),
            day=float(payloads[0]["day"]),
        )
        return profile, [Likeness(p["sticker_id"], p["title"], p["image_url"], float(p["likeness"])) for p in payloads]


def _payload(record: m.Record) -> dict[str, Any]:
    return record.payload or {}
