"""Users' style profiles while people search: read from their points, moved by each pick, with a bounded cache."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from persrv.index.engine import Collection
from persrv.index.profile_points import StyleExample, points_of, profile_of
from persrv.index.schema import IMAGE, centroid_id
from persrv.online.request import NO_TASTE, Taste
from persrv.ranking.profile import StyleProfile

CACHED_USERS = 10_000
"""Profiles kept in memory; at 5 centroids of 128 numbers that is about 50 MB."""

FRESH_SECONDS = 30.0
"""How long a cached profile is served before it is read again: another process may have moved it."""


Known = tuple[StyleProfile, list[StyleExample]]


@dataclass(slots=True)
class _UserTurns:
    """One user's turns at writing: who writes holds the lock; it is dropped when nobody waits for it."""

    lock: Lock = field(default_factory=Lock)
    waiting: int = 0


@dataclass(slots=True)
class _ProfileRead:
    """A profile that is being read; outdated as soon as it is written or deleted meanwhile."""

    outdated: bool = False


class Profiles:
    """Reads and moves profiles in the users' collection, with a bounded cache. Safe for several threads.

    Nobody waits for another user's profile: the lock of the cache is never held while the index is asked, and the
    moves of one user take turns among themselves only. A search never waits for a move.

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
        self._turns: dict[str, _UserTurns] = {}
        self._reads: dict[str, list[_ProfileRead]] = {}

    def taste(self, user: str | None) -> Taste:
        """Return what ranking needs of a user's profile; no centroids for somebody unknown."""
        profile = self.get(user)[0] if user else None
        return Taste(profile.centroids, profile.weights) if profile is not None and len(profile.mass) else NO_TASTE

    def known(self, user: str) -> StyleProfile:
        """Return a user's profile as it is in memory, an empty one where it is not; asks nobody."""
        with self._lock:
            cached = self._cache.get(user)
        return cached[1][0] if cached else StyleProfile.empty(self._dimension)

    def get(self, user: str) -> Known:
        """Return a user's profile and the stickers that show it; an empty profile for somebody unknown."""
        with self._lock:
            cached = self._cache.get(user)
            if cached and time.monotonic() - cached[0] < FRESH_SECONDS:
                self._cache.move_to_end(user)
                return cached[1]
            read = _ProfileRead()
            self._reads.setdefault(user, []).append(read)
        try:
            found = self._read(user)
        finally:
            with self._lock:
                self._reads[user] = [other for other in self._reads[user] if other is not read]
                if not self._reads[user]:
                    del self._reads[user]
        with self._lock:
            if not read.outdated:
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
        with self._turn(user):
            old, likenesses = self._read(user)
            new = old.after(vector, day, most=self._most, half_life_days=self._half_life)
            if new is old:
                return old
            pick = StyleExample(*shown, cosine=1.0)
            cosines = new.centroids @ np.asarray(vector, dtype=np.float64)
            kept = [*likenesses, pick][: len(new.mass)]
            joined = int(cosines.argmax())
            if cosines[joined] >= kept[joined].cosine:
                kept[joined] = StyleExample(*shown, cosine=float(cosines[joined]))
            self._collection.upsert(points_of(user, new, kept))
            with self._lock:
                self._outdate(user)
                self._remember(user, (new, kept))
            return new

    def read_again(self, users: Iterable[str]) -> None:
        """Let go of what is in memory of some users: it was written by somebody else."""
        with self._lock:
            for user in users:
                self._outdate(user)
                self._cache.pop(user, None)

    def forget(self, user: str, *, left: bool = True) -> None:
        """Remove every point of a user, and its bytes, see :func:`persrv.indexing.users.remove_profiles`."""
        with self._turn(user):
            # Imported here: a search forgets nobody.
            from persrv.indexing.users import remove_profiles

            remove_profiles(self._collection, [user], left=left)
            with self._lock:
                self._outdate(user)
                self._cache.pop(user, None)

    def reread(self, user: str) -> None:
        """Read a user's profile anew when it is wanted next: something else has written it."""
        with self._lock:
            self._outdate(user)
            self._cache.pop(user, None)

    @contextmanager
    def _turn(self, user: str) -> Iterator[None]:
        with self._lock:
            turns = self._turns.setdefault(user, _UserTurns())
            turns.waiting += 1
        try:
            with turns.lock:
                yield
        finally:
            with self._lock:
                turns.waiting -= 1
                if not turns.waiting:
                    del self._turns[user]

    def _outdate(self, user: str) -> None:
        for read in self._reads.get(user, ()):
            read.outdated = True

    def _remember(self, user: str, found: Known) -> None:
        self._cache[user] = time.monotonic(), found
        self._cache.move_to_end(user)
        while len(self._cache) > CACHED_USERS:
            self._cache.popitem(last=False)

    def _read(self, user: str) -> Known:
        ids = [centroid_id(user, number) for number in range(self._most)]
        records = self._collection.retrieve(ids, with_vectors=(IMAGE,))
        return profile_of(records) if records else (StyleProfile.empty(self._dimension), [])
