"""Ways to make a page less alike: pure functions on an answer that is ranked already."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def marginal_relevance(scores: Floats, likeness: Floats, strength: float, k: int) -> list[int]:
    """Return positions in the order of maximal marginal relevance.

    Each next place goes to the largest ``(1 - strength) · score / best score - strength · likeness`` to the nearest of
    those above; equal values keep their order. J. Carbonell, J. Goldstein: The use of MMR (SIGIR 1998).

    Args:
        scores: Shape (n,), descending, all > 0.
        likeness: Shape (n, n), symmetric, in [0, 1].
        strength: In [0, 1]; 0 changes nothing.
        k: How many places are given anew, >= 0; the others follow in their old order.

    Returns:
        A permutation of ``range(n)``.
    """
    left = list(range(len(scores)))
    relevance = (1 - strength) * scores / scores[0] if len(scores) else scores
    nearest = np.zeros(len(scores))
    chosen: list[int] = []
    while left and len(chosen) < k:
        best = left[int(np.argmax((relevance - strength * nearest)[left]))]
        left.remove(best)
        chosen.append(best)
        nearest = np.maximum(nearest, likeness[best])
    return chosen + left


def few_in_a_row(groups: Sequence[Hashable], most: int) -> list[int]:
    """Return positions so that at most some of one group follow each other, else in their old order.

    Args:
        groups: What each belongs to, best first; ``""`` belongs nowhere and is never too many.
        most: >= 1.

    Returns:
        A permutation of ``range(n)``. Where nothing but one group is left, it follows all the same.
    """
    left = list(range(len(groups)))
    chosen: list[int] = []
    while left:
        last = [groups[at] for at in chosen[-most:]]
        full = len(last) == most and len(set(last)) == 1 and bool(last[0])
        best = next((at for at in left if groups[at] != last[0]), left[0]) if full else left[0]
        left.remove(best)
        chosen.append(best)
    return chosen


def different(groups: Sequence[Hashable], k: int) -> int:
    """Return how many groups stand in the first k."""
    return len(set(groups[:k]))
