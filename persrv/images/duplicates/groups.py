"""Groups of near-duplicates from perceptual hashes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from persrv.images.duplicates.alike import alike
from persrv.images.duplicates.candidates import described, near_pairs, pairs_in_line
from persrv.images.duplicates.layout import on_white, opaque, shown

_AT_ONCE = 512
"""Pairs that are compared at once: about 40 MB."""


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
    parent = list(range(len(order)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    def rows(places: Sequence[int]) -> NDArray[np.float32]:
        return np.asarray(perceptual_hashes([order[i] for i in places]), dtype=np.float32)

    candidates = _candidates(len(order), rows)
    for start in range(0, len(candidates), _AT_ONCE):
        pairs = np.array(
            [pair for pair in candidates[start : start + _AT_ONCE].tolist() if root(pair[0]) != root(pair[1])]
        )
        if not len(pairs):
            continue
        places, at = np.unique(pairs, return_inverse=True)
        looked = rows(places.tolist())
        left, right = at.reshape(pairs.shape).T
        for first, second in pairs[alike(looked[left], looked[right])].tolist():
            top, other = sorted((root(first), root(second)))
            parent[other] = top
    members: dict[int, list[int]] = defaultdict(list)
    for i in range(len(order)):
        members[root(i)].append(i)
    return {order[i]: order[top] for top, those in members.items() if len(those) > 1 for i in those}


def _candidates(count: int, rows: Callable[[Sequence[int]], NDArray[np.float32]]) -> NDArray[np.int64]:
    """Return pairs of places, the smaller first, sorted, each once, shape (k, 2)."""
    by_alpha, by_white, ground = [], [], []
    for batch in _batches(count):
        looked = rows(batch)
        by_alpha.append(described(shown(looked)))
        by_white.append(described(on_white(looked)))
        ground.append(opaque(looked))
    if not ground:
        return np.zeros((0, 2), dtype=np.int64)
    on_ground = np.concatenate(ground)
    clear, flat = np.flatnonzero(~on_ground), np.flatnonzero(on_ground)
    alpha, white = np.concatenate(by_alpha), np.concatenate(by_white)
    found = [
        pairs_in_line(alpha),
        pairs_in_line(white),
        _placed(near_pairs(alpha[clear], alpha[clear]), clear, clear),
        _placed(near_pairs(white[flat], white[flat]), flat, flat),
        _placed(near_pairs(white[flat], white[clear]), flat, clear),
    ]
    pairs = np.sort(np.concatenate(found), axis=1)
    return np.unique(pairs[pairs[:, 0] < pairs[:, 1]], axis=0)


def _placed(pairs: NDArray[np.int64], left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.stack([left[pairs[:, 0]], right[pairs[:, 1]]], axis=1)


def _batches(count: int) -> Iterator[range]:
    for start in range(0, count, _AT_ONCE):
        yield range(start, min(start + _AT_ONCE, count))
