"""The ranking formulas in NumPy: the reference that every engine is tested against.

    recall(q, s) = bm25f(q, s) * (1 + beta * utility(s))
    score(q, s, u) = recall(q, s) * (1 + gamma * max_c w_c * cos(style(s), centroid_c))

The second line follows PerSRV (WWW 2025), whose published form has gamma = 0.3, w_c = 1 and a gate by cluster radius.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

SIGNIFICANT = 6
"""Decimal digits of a score that count where many are compared at once."""

SAME = 1e-6
"""Share of a score by which another may be smaller and still be the same: engines compute in float32."""


def utility_factor(utility: Floats, beta: float) -> Floats:
    """Return ``1 + beta * utility``, shape (n,), for utilities in [0, 1]."""
    return 1.0 + beta * utility


def style_similarity(images: Floats, centroids: Floats, weights: Floats) -> tuple[Floats, Indices]:
    """Return the weighted similarity of each sticker to the user's nearest style, and which centroid that is.

    Args:
        images: Shape (n, d), unit rows; a zero row (a sticker without a picture) gives 0.
        centroids: Shape (k, d), unit rows; k may be 0.
        weights: Shape (k,), in (0, 1].

    Returns:
        ``max_c w_c * cos(image, centroid_c)``, shape (n,), in [-1, 1], and its argmax, shape (n,), -1 where k is 0.
    """
    if len(centroids) == 0:
        return np.zeros(len(images)), np.full(len(images), -1, dtype=np.int64)
    similarities = (images @ centroids.T) * weights
    nearest = similarities.argmax(axis=1)
    return similarities[np.arange(len(images)), nearest], nearest.astype(np.int64)


def style_factor(similarity: Floats, gamma: float) -> Floats:
    """Return ``1 + gamma * similarity``, shape (n,), in [0, 2] for gamma in [0, 1]."""
    return 1.0 + gamma * similarity


def final_scores(
    text: Floats, utility: Floats, images: Floats, centroids: Floats, weights: Floats, beta: float, gamma: float
) -> Floats:
    """Return the final score of each of n recalled stickers, shape (n,).

    Args:
        text: BM25F scores, shape (n,), >= 0.
        utility: Shape (n,), in [0, 1].
        images: Shape (n, d), unit or zero rows.
        centroids: Shape (k, d), unit rows.
        weights: Shape (k,), in (0, 1].
        beta: Weight of utility, >= 0.
        gamma: Weight of style, in [0, 1].
    """
    similarity, _ = style_similarity(images, centroids, weights)
    return text * utility_factor(utility, beta) * style_factor(similarity, gamma)


def rounded(scores: Floats) -> Floats:
    """Return the scores with :data:`SIGNIFICANT` significant digits, shape (n,)."""
    values = np.asarray(scores, dtype=np.float64)
    values = np.where(np.abs(values) < 1e-300, 0.0, values)
    magnitude = np.floor(np.log10(np.abs(values), out=np.zeros_like(values), where=values != 0))
    step = np.power(10.0, magnitude - (SIGNIFICANT - 1))
    return np.asarray(np.round(values / step) * step)


def order(scores: Floats, ids: Sequence[str]) -> list[int]:
    """Return positions from best to worst, those with the same score in the order of their ids.

    A score is the same as the first of its run where it is smaller by :data:`SAME` of it at most. Digits are not
    rounded: equal scores would come apart wherever they lie between two rounded ones.
    """
    values = np.asarray(scores, dtype=np.float64).tolist()
    falling = sorted(range(len(ids)), key=lambda i: (-values[i], ids[i]))
    ordered: list[int] = []
    start = 0
    for at in range(1, len(falling) + 1):
        first = values[falling[start]]
        if at == len(falling) or first - values[falling[at]] > SAME * abs(first):
            ordered += sorted(falling[start:at], key=ids.__getitem__)
            start = at
    return ordered
