"""Regions of the space of style, so that what is drawn in a user's styles can be recalled apart from the rest.

The centroids are those of spherical k-means (Dhillon & Modha 2001) on a sample, Lloyd's steps from k-means++ starts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

LEAST = 10_000
"""Stickers from which a collection has clusters: a smaller one is recalled whole."""

COUNT = 256
"""Clusters."""

SAMPLE = 10_000
"""Stickers that they are fitted on, and up to twice as many."""

NEAR = 0.15
"""A cluster is near a user whose weighted cosine to it is at least this share of the largest one."""

NEAREST = 0.4
"""The same where all stickers of the near clusters are compared with the styles: twice as many take twice as long."""

MOST_NEAR = 64
"""Clusters that are near at most."""

DEVIATIONS = 2.0
"""Standard deviations of a random direction's cosine by which a sticker is hardly ever nearer than its cluster: what is
random in it is less than the whole."""

_STEPS = 20

Floats = NDArray[np.float32]


def sampled(ids: Sequence[str]) -> Sequence[str]:
    """Return the stickers that clusters are fitted on, evenly from all of a collection; none of a small one."""
    return ids[:: max(1, len(ids) // SAMPLE)] if len(ids) >= LEAST else ()


def fit_clusters(vectors: NDArray[np.floating], seed: int, count: int = COUNT) -> Floats:
    """Return the clusters' directions.

    Args:
        vectors: Shape (n, d), unit rows; zero rows are left out.
        seed: Of the start.
        count: Largest number of clusters, >= 1.

    Returns:
        Unit rows, shape (k, d), k <= ``count``.
    """
    rows = np.asarray(vectors, dtype=np.float32)
    rows = rows[rows.any(axis=1)]
    if not len(rows):
        return rows
    rng = np.random.default_rng(seed)
    centroids = rows[rng.integers(len(rows))][None, :]
    nearest = rows @ centroids[0]
    for _ in range(min(count, len(rows)) - 1):
        distance = np.maximum(1.0 - nearest, 0.0).astype(np.float64)
        if distance.sum() <= 0:
            break
        chosen = rows[rng.choice(len(rows), p=distance / distance.sum())]
        centroids = np.vstack([centroids, chosen])
        nearest = np.maximum(nearest, rows @ chosen)
    labels = np.full(len(rows), -1)
    for _ in range(_STEPS):
        closest = (rows @ centroids.T).argmax(axis=1)
        if (closest == labels).all():
            break
        labels = closest
        sums = np.zeros_like(centroids)
        np.add.at(sums, labels, rows)
        lengths = np.linalg.norm(sums, axis=1, keepdims=True)
        centroids = np.where(lengths > 0, sums / np.maximum(lengths, 1e-12), centroids).astype(np.float32)
    rounded: Floats = np.round(centroids, 4)
    return rounded


def cluster_of(vector: NDArray[np.floating] | None, centroids: Floats) -> int | None:
    """Return the number of a sticker's cluster, ``None`` without a picture or without clusters."""
    if vector is None or not len(centroids) or not vector.any():
        return None
    return int((centroids @ np.asarray(vector, dtype=np.float32)).argmax())


def cluster_similarity(
    styles: NDArray[np.float64], weights: NDArray[np.float64], centroids: Floats
) -> NDArray[np.float64]:
    """Return how near each cluster's direction is to a user's styles, shape (k,); empty without styles.

    Args:
        styles: Unit rows, shape (s, d).
        weights: Shape (s,), in (0, 1].
        centroids: Shape (k, d).
    """
    if not len(styles) or not len(centroids):
        return np.zeros(0)
    nearest: NDArray[np.float64] = ((centroids.astype(np.float64) @ styles.T) * weights).max(axis=1)
    return nearest


def near_clusters(similarity: NDArray[np.float64], share: float = NEAR) -> tuple[int, ...]:
    """Return the numbers of the clusters in which a user's styles lie, ascending.

    Args:
        similarity: From :func:`cluster_similarity`.
        share: Smallest share of the largest similarity.
    """
    order: Sequence[int] = np.argsort(-similarity, kind="stable")[:MOST_NEAR].tolist()
    return tuple(sorted(i for i in order if similarity[i] >= share * similarity[order[0]]))


def largest_similarity(
    similarity: NDArray[np.float64], dimension: int, deviations: float = DEVIATIONS
) -> NDArray[np.float64]:
    """Return what the weighted cosine of a sticker in each cluster hardly ever exceeds, shape (k,), in [0, 1].

    That of the cluster's direction, and some standard deviations of a random direction's cosine, ``1 / sqrt(d)`` each.

    Args:
        similarity: From :func:`cluster_similarity`.
        dimension: Of the space of style.
        deviations: How many.
    """
    largest: NDArray[np.float64] = np.minimum(np.maximum(similarity, 0.0) + deviations / math.sqrt(dimension), 1.0)
    return largest


def far_similarity(similarity: NDArray[np.float64], near: Sequence[int], dimension: int) -> float:
    """Return what the weighted cosine of a sticker outside the near clusters hardly ever exceeds, 0 if all are near.

    Args:
        similarity: From :func:`cluster_similarity`.
        near: From :func:`near_clusters`.
        dimension: Of the space of style.
    """
    far = np.delete(similarity, np.asarray(near, dtype=np.int64))
    return float(largest_similarity(far, dimension).max(initial=0.0))
