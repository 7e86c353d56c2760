"""Style profiles: what a user's picks look like, as a few weighted centroids in the space of style.

Picks are clustered by their directions (:mod:`persrv.ranking.clustering`). Each pick's mass halves with every
half-life, so taste may drift. After a new pick the nearest centroid moves at once; nothing is fitted anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Self

import numpy as np
from numpy.typing import NDArray

from persrv.ranking.clustering import choose_labels

Floats = NDArray[np.float64]

NEW_STYLE_BELOW = 0.0
"""A pick whose cosine to every centroid is below this opens a style of its own while there is room."""


def days_since_epoch(time: datetime) -> float:
    """Return a timezone-aware time in days since 1970-01-01 UTC."""
    return time.timestamp() / 86_400.0


def unit(vectors: Floats) -> Floats:
    """Return rows scaled to length 1, shape as given; zero rows stay zero."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(np.divide(vectors, lengths, out=np.zeros_like(vectors, dtype=np.float64), where=lengths > 0))


@dataclass(frozen=True, slots=True)
class StyleProfile:
    """A user's taste.

    Attributes:
        sums: Shape (k, d): the mass-weighted sum of each style's picks, float64; k may be 0.
        mass: Shape (k,), > 0: the recency-weighted number of picks in each style.
        day: Time that the masses refer to, in days since the Unix epoch.
    """

    sums: Floats
    mass: Floats
    day: float

    @classmethod
    def empty(cls, dimension: int) -> Self:
        """Return the profile of a user without picks."""
        return cls(np.zeros((0, dimension)), np.zeros(0), 0.0)

    @classmethod
    def fit(
        cls,
        vectors: NDArray[np.floating],
        days: NDArray[np.floating],
        *,
        most: int = 5,
        half_life_days: float | None = None,
        seed: int = 0,
    ) -> Self:
        """Return the profile of n picks, largest style first.

        Args:
            vectors: Shape (n, d); scaled to unit length here; zero rows (no picture) are left out. n may be 0.
            days: Shape (n,): when each was picked, in days since the Unix epoch.
            most: Largest number of styles, >= 1.
            half_life_days: After so many days a pick counts half; ``None`` for never.
            seed: Seeds the clustering.
        """
        rows = unit(np.asarray(vectors, dtype=np.float64))
        seen = np.linalg.norm(rows, axis=1) > 0
        rows, when = rows[seen], np.asarray(days, dtype=np.float64)[seen]
        if len(rows) == 0:
            return cls.empty(rows.shape[1])
        now = float(when.max())
        mass = np.ones(len(rows)) if half_life_days is None else np.exp2((when - now) / half_life_days)
        mass = np.maximum(mass, 1e-6)
        labels = choose_labels(rows, mass, most, seed)
        sums = np.stack([(rows * mass[:, None])[labels == c].sum(axis=0) for c in np.unique(labels)])
        masses = np.array([mass[labels == c].sum() for c in np.unique(labels)])
        largest_first = np.lexsort((np.arange(len(masses)), -masses))
        return cls(sums[largest_first], masses[largest_first], now)

    @property
    def centroids(self) -> Floats:
        """Unit directions of the styles, shape (k, d)."""
        return unit(self.sums)

    @property
    def shares(self) -> Floats:
        """Each style's part of the whole mass, shape (k,), sums to 1."""
        return self.mass / self.mass.sum() if len(self.mass) else self.mass

    @property
    def weights(self) -> Floats:
        """Ranking weights ``w_c``: mass over the largest mass, shape (k,), in (0, 1]."""
        return self.mass / self.mass.max() if len(self.mass) else self.mass

    def after(
        self, vector: NDArray[np.floating], day: float, *, most: int = 5, half_life_days: float | None = None
    ) -> Self:
        """Return the profile after one more pick, in O(k d).

        The pick joins the nearest style; when it is unlike all of them (cosine below :data:`NEW_STYLE_BELOW`) and there
        is room, it opens a new one. With one style and no half-life the result equals a fit over all picks.

        Args:
            vector: Shape (d,); a zero vector changes nothing.
            day: When, in days since the Unix epoch, >= 0; a pick older than the profile enters with its decayed mass.
            most: Largest number of styles.
            half_life_days: As in :meth:`fit`.
        """
        pick = unit(np.asarray(vector, dtype=np.float64))
        if not pick.any():
            return self
        now = max(self.day, day)
        fade = 1.0 if half_life_days is None else float(np.exp2((self.day - now) / half_life_days))
        fresh = 1.0 if half_life_days is None else max(float(np.exp2((day - now) / half_life_days)), 1e-6)
        sums, mass = self.sums * fade, np.maximum(self.mass * fade, 1e-6)
        cosines = self.centroids @ pick
        if len(mass) == 0 or (cosines.max() < NEW_STYLE_BELOW and len(mass) < most):
            sums, mass = np.vstack([sums, pick * fresh]), np.append(mass, fresh)
        else:
            nearest = int(cosines.argmax())
            sums, mass = sums.copy(), mass.copy()
            sums[nearest] += pick * fresh
            mass[nearest] += fresh
        return type(self)(sums, mass, now)
