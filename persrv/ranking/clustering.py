"""Directions clustered by spherical k-means (Dhillon & Modha 2001), k chosen by the silhouette (Rousseeuw 1987).

All is computed from the matrix of cosines, which is made once. A centroid is a weighted sum of rows, so its cosines
are the same sum of the matrix' rows, and its length follows from them. The starts of all k then move together, in a
few products of small matrices a step: a person of 100 picks takes a tenth of the time of one start after another
(docs/decisions/0035-fitting-profiles.md).
"""

from __future__ import annotations

from collections.abc import Sequence

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

_MOST_STEPS = 100
_TIE = 1e-12
"""A difference of objectives or silhouettes below this is rounding: the earlier start or the smaller k is taken."""


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
    return _kmeans(vectors @ vectors.T, mass, [k], seed)[0]


def silhouette(vectors: Floats, labels: Indices) -> float:
    """Return the mean silhouette under cosine distance, in [-1, 1]; singletons count 0, as Rousseeuw defines.

    Args:
        vectors: Shape (n, d), unit rows.
        labels: Shape (n,); at least two different ones.
    """
    return _silhouette(1.0 - vectors @ vectors.T, labels)


def choose_labels(vectors: Floats, mass: Floats, most: int, seed: int) -> Indices:
    """Return cluster labels, shape (n,), with k between 1 and ``most`` chosen by the best mean silhouette.

    One cluster is returned when there are fewer than four picks, when all point the same way
    (:data:`ONE_STYLE_ABOVE`), or when no split reaches :data:`MIN_SILHOUETTE`.
    """
    one = np.zeros(len(vectors), dtype=np.int64)
    numbers = range(2, min(most, len(vectors) - 1) + 1)
    if len(vectors) < 4 or not numbers or np.linalg.norm(mass @ vectors) > ONE_STYLE_ABOVE * mass.sum():
        return one
    cosines = vectors @ vectors.T
    distance = 1.0 - cosines
    splits, scores = [one], [MIN_SILHOUETTE]
    for k, (labels, _) in zip(numbers, _kmeans(cosines, mass, numbers, seed), strict=True):
        if len(np.unique(labels)) < k:
            break
        splits.append(labels)
        scores.append(_silhouette(distance, labels))
    return splits[_first_best(np.array(scores))]


def _kmeans(cosines: Floats, mass: Floats, numbers: Sequence[int], seed: int) -> list[tuple[Indices, float]]:
    """Return labels and objective of the best start for each number of clusters."""
    clusters = np.repeat(numbers, RESTARTS)
    # For each k the draws begin anew from the seed, one for each centre of each start.
    draws = np.random.default_rng(seed).random(RESTARTS * max(numbers))
    uniform = np.zeros((len(numbers), RESTARTS, max(numbers)))
    for row, k in zip(uniform, numbers, strict=True):
        row[:, :k] = draws[: RESTARTS * k].reshape(RESTARTS, k)
    starts = _plus_plus(cosines, mass, clusters, uniform.reshape(len(clusters), -1))
    labels, objectives = _refine(cosines, mass, starts)
    firsts = range(0, len(clusters), RESTARTS)
    best = [first + _first_best(objectives[first : first + RESTARTS]) for first in firsts]
    return [(labels[row], float(objectives[row])) for row in best]


def _first_best(values: Floats) -> int:
    """Return the place of the first of the largest values: what is within rounding of it is as large."""
    return int(np.argmax(values >= values.max() - _TIE))


def _plus_plus(cosines: Floats, mass: Floats, clusters: Indices, uniform: Floats) -> Indices:
    """Return the rows of each start's first centres, shape (starts, k); -1 where a start has no more.

    Args:
        cosines: Shape (n, n).
        mass: Shape (n,).
        clusters: How many centres each start is to have, shape (starts,).
        uniform: A draw in [0, 1) for each of them, shape (starts, k).
    """
    chosen = np.full(uniform.shape, -1, dtype=np.int64)
    # Sums are divided by the last of them, so that it is 1, which no draw reaches.
    sums = np.cumsum(mass)
    chosen[:, 0] = np.searchsorted(sums / sums[-1], uniform[:, 0], side="right")
    nearest = cosines[chosen[:, 0]]
    going = np.arange(len(clusters))
    for place in range(1, uniform.shape[1]):
        far = np.cumsum(np.clip(1.0 - nearest, 0.0, None) * mass, axis=1)
        going = going[(clusters[going] > place) & (far[going, -1] > _TIE)]
        if not len(going):
            break
        share = far[going] / far[going, -1:]
        picked = (share <= uniform[going, place, None]).sum(axis=1)
        chosen[going, place] = picked
        nearest[going] = np.maximum(nearest[going], cosines[picked])
    return chosen


def _refine(cosines: Floats, mass: Floats, centres: Indices) -> tuple[Indices, Floats]:
    """Move centroids until no label changes; return labels, shape (starts, n), and objectives, shape (starts,)."""
    starts, k = centres.shape
    labels = np.full((starts, len(mass)), -1, dtype=np.int64)
    objectives = np.zeros(starts)
    # Row c: the cosines of centroid c to all directions; a centroid that is not there is never the nearest.
    similarity = np.where((centres >= 0)[..., None], cosines[centres], -np.inf)
    going = np.arange(starts)
    for _ in range(_MOST_STEPS):
        new = similarity.argmax(axis=1)
        objectives[going] = similarity.max(axis=1) @ mass
        changed = (new != labels[going]).any(axis=1)
        labels[going] = new
        going, new, similarity = going[changed], new[changed], similarity[changed]
        if not len(going):
            break
        parts = ((new[:, None] == np.arange(k)[:, None]) * mass).reshape(-1, len(mass))
        sums = parts @ cosines
        squares = np.einsum("cn,cn->c", sums, parts)
        # A centroid that lost its rows, or whose rows cancel out, stays where it was.
        moved = squares > (_TIE * mass.sum()) ** 2
        sums[moved] /= np.sqrt(squares[moved])[:, None]
        similarity = np.where(moved.reshape(-1, k, 1), sums.reshape(-1, k, len(mass)), similarity)
    return labels, objectives


def _silhouette(distance: Floats, labels: Indices) -> float:
    found, label = np.unique(labels, return_inverse=True)
    member = label[:, None] == np.arange(len(found))
    sizes = member.sum(axis=0)
    to_cluster = distance @ member
    own_size = sizes[label]
    inside = to_cluster[member] / np.maximum(own_size - 1, 1)
    outside = np.where(member, np.inf, to_cluster / sizes).min(axis=1)
    larger = np.maximum(inside, outside)
    scores = np.divide(outside - inside, larger, out=np.zeros_like(larger), where=larger > 0)
    return float(np.where(own_size > 1, scores, 0.0).mean())
