"""Groups of near-duplicates from perceptual hashes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from persrv.images.duplicates.alike import alike
from persrv.images.duplicates.candidates import ROUGH_DIMENSION, candidates, rough

Rows = Callable[[Sequence[int]], NDArray[np.float32]]
"""Returns the perceptual hashes at some places, shape (k, 3332)."""

_READ_AT_ONCE = 512
"""Perceptual hashes in memory at once: 7 MB."""

_COMPARED_AT_ONCE = 64
"""Pairs whose arithmetic stays in the processor's caches; 512 at once take twice the time."""


def duplicate_groups(
    ids: Sequence[str], perceptual_hashes: Callable[[Sequence[str]], NDArray[np.floating]]
) -> dict[str, str]:
    """Return each near-duplicate's group: the smallest id among those that are linked; others are left out.

    Each picture is compared with its nearest few (:mod:`~persrv.images.duplicates.candidates`), two are linked where
    :func:`~persrv.images.duplicates.alike.alike` says so, and links are followed from one to the next. Perceptual
    hashes are read in small batches, so memory grows by about a kilobyte for each picture. The order of ``ids``
    does not matter.

    Args:
        ids: Sticker ids, n of them, each once.
        perceptual_hashes: From :class:`~persrv.images.duplicates.perceptual_hash.PerceptualHash`: returns those of
            some ids, shape (k, 3332), as :meth:`persrv.catalog.VectorCache.get` does.
    """
    order = sorted(ids)

    def rows(places: Sequence[int]) -> NDArray[np.float32]:
        return np.asarray(perceptual_hashes([order[i] for i in places]), dtype=np.float32)

    links = links_among(candidates(described(range(len(order)), rows)), rows)
    return named_groups(order, links.tolist())


def described(places: range, rows: Rows, advance: Callable[[int], None] | None = None) -> NDArray[np.float32]:
    """Return rough descriptions, shape (n, 97), of the perceptual hashes at some places.

    Args:
        places: n of them.
        rows: Reads perceptual hashes.
        advance: Is told how many were described since the last call.
    """
    found = np.zeros((len(places), ROUGH_DIMENSION), dtype=np.float32)
    for start in range(0, len(places), _READ_AT_ONCE):
        some = places[start : start + _READ_AT_ONCE]
        found[start : start + len(some)] = rough(rows(some))
        if advance:
            advance(len(some))
    return found


def links_among(pairs: NDArray[np.int64], rows: Rows) -> NDArray[np.int64]:
    """Return those pairs that are copies of one drawing.

    Args:
        pairs: Places, shape (k, 2), sorted.
        rows: Reads perceptual hashes.
    """
    found = [np.zeros((0, 2), dtype=np.int64)]
    for start in range(0, len(pairs), _READ_AT_ONCE):
        some = pairs[start : start + _READ_AT_ONCE]
        places, at = np.unique(some, return_inverse=True)
        read = rows(places.tolist())
        left, right = at.reshape(some.shape).T
        same = [
            alike(read[left[i : i + _COMPARED_AT_ONCE]], read[right[i : i + _COMPARED_AT_ONCE]])
            for i in range(0, len(some), _COMPARED_AT_ONCE)
        ]
        found.append(some[np.concatenate(same)])
    return np.concatenate(found)


def named_groups(names: Sequence[str], links: Iterable[Sequence[int]]) -> dict[str, str]:
    """Return the group of each name that is linked with another: the name of its first member.

    Args:
        names: All of them.
        links: Pairs of places in ``names``.
    """
    parent: dict[int, int] = {}

    def root(place: int) -> int:
        while (above := parent.setdefault(place, place)) != place:
            parent[place] = place = parent[above]
        return place

    for first, second in links:
        top, other = sorted((root(first), root(second)))
        parent[other] = top
    return {names[place]: names[root(place)] for place in sorted(parent)}
