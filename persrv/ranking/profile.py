"""Style profiles: what a user's picks look like, as a few weighted centroids in the space of style.

Picks are clustered by spherical k-means (Dhillon & Modha 2001) with k chosen by the silhouette (Rousseeuw 1987).
Each pick's mass halves with every half-life, so taste may drift. After a new pick the nearest centroid moves at once;
nothing is fitted anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

RESTARTS = 4
"""k-means starts per k; the best is kept. More changed no profile of the demo's users."""

MIN_SILHOUETTE = 0.1
"""A split into several styles must separate at least this well (mean silhouette), else one style is assumed."""

ONE_STYLE_ABOVE = 0.9
"""Picks whose mean cosine to their common direction is above this are one style: the silhouette cannot see k = 1."""

NEW_STYLE_BELOW = 0.0
"""A pick whose cosine to every centroid is below this opens a style of its own while there is room."""


def days_since_epoch(time: datetime) -> float:
    """Return a timezone-aware time in days since 1970-01-01 UTC."""
    return time.timestamp() / 86_400.0


def unit(vectors: Floats) -> Floats:
    """Return rows scaled to length 1, shape as given; zero rows stay zero."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(np.divide(vectors, lengths, out=np.zeros_like(vectors, dtype=np.float64), where=lengths > 0))


def spherical_kmeans(vectors: Floats, mass: Floats, k: int, seed: int) -> tuple[Indices, float]:
    """Cluster directions; maximises ``sum_i mass_i * cos(vector_i, centroid_of_i)``.

    Args:
        vectors: Shape (n, d), unit rows, n >= 1.
        mass: Shape (n,), > 0.
        k: Number of clusters, 1 <= k <= n; fewer come back when there are fewer distinct directions.
        seed: Seeds the k-means++ starts.

    Returns:
        Labels, shape (n,), and the objective.
    """
    rng = np.random.default_rng(seed)
    best: tuple[Indices, float] | None = None
    for _ in range(RESTARTS if k > 1 else 1):
        labels, objective = _one_start(vectors, mass, _plus_plus(vectors, mass, k, rng))
        if best is None or objective > best[1] + 1e-12:
            best = labels, objective
    if best is None:
        raise ValueError("k-means needs at least one start")
    return best


def _plus_plus(vectors: Floats, mass: Floats, k: int, rng: np.random.Generator) -> Floats:
    chosen = [int(rng.choice(len(vectors), p=mass / mass.sum()))]
    for _ in range(k - 1):
        distance = np.clip(1.0 - (vectors @ vectors[chosen].T).max(axis=1), 0.0, None) * mass
        total = distance.sum()
        if total <= 1e-12:
            break
        chosen.append(int(rng.choice(len(vectors), p=distance / total)))
    return vectors[chosen]


def _one_start(vectors: Floats, mass: Floats, centroids: Floats) -> tuple[Indices, float]:
    labels = np.full(len(vectors), -1, dtype=np.int64)
    cosines = np.zeros(len(vectors))
    for _ in range(100):
        similarity = vectors @ centroids.T
        new = similarity.argmax(axis=1)
        cosines = similarity[np.arange(len(vectors)), new]
        if np.array_equal(new, labels):
            break
        labels = new.astype(np.int64)
        sums = np.zeros_like(centroids)
        np.add.at(sums, labels, vectors * mass[:, None])
        moved = unit(sums)
        centroids = np.where(np.linalg.norm(moved, axis=1, keepdims=True) > 0, moved, centroids)
    return labels, float(mass @ cosines)


def silhouette(vectors: Floats, labels: Indices) -> float:
    """Return the mean silhouette under cosine distance, in [-1, 1]; singletons count 0, as Rousseeuw defines.

    Args:
        vectors: Shape (n, d), unit rows.
        labels: Shape (n,); at least two different ones.
    """
    distance = 1.0 - vectors @ vectors.T
    found = np.unique(labels)
    member = labels[:, None] == found[None, :]
    sizes = member.sum(axis=0)
    to_cluster = distance @ member
    own_size = sizes[np.searchsorted(found, labels)]
    inside = to_cluster[member] / np.maximum(own_size - 1, 1)
    outside = np.where(member, np.inf, to_cluster / sizes).min(axis=1)
    larger = np.maximum(inside, outside)
    scores = np.divide(outside - inside, larger, out=np.zeros_like(larger), where=larger > 0)
    return float(np.where(own_size > 1, scores, 0.0).mean())


def choose_labels(vectors: Floats, mass: Floats, most: int, seed: int) -> Indices:
    """Return cluster labels, shape (n,), with k between 1 and ``most`` chosen by the best mean silhouette.

    One cluster is returned when there are fewer than four picks, when all point the same way
    (:data:`ONE_STYLE_ABOVE`), or when no split reaches :data:`MIN_SILHOUETTE`.
    """
    best, best_score = np.zeros(len(vectors), dtype=np.int64), MIN_SILHOUETTE
    if len(vectors) < 4 or np.linalg.norm(mass @ vectors) > ONE_STYLE_ABOVE * mass.sum():
        return best
    for k in range(2, min(most, len(vectors) - 1) + 1):
        labels, _ = spherical_kmeans(vectors, mass, k, seed)
        if len(np.unique(labels)) < k:
            break
        score = silhouette(vectors, labels)
        if score > best_score + 1e-12:
            best, best_score = labels, score
    return best


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
            day: When, in days since the Unix epoch; a pick older than the profile enters with its decayed mass.
            most: Largest number of styles.
            half_life_days: As in :meth:`fit`.
        """
        pick = unit(np.asarray(vector, dtype=np.float64))
        if not pick.any():
            return self
        now = max(self.day, day) if len(self.mass) else day
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
