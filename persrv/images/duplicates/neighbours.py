"""Pairs of points that lie near each other, in a time that grows little faster than the number of points.

The points are cut in two across the direction in which they spread most, until a few hundred are left together, and
these are compared all with all. Both halves keep what lies near the cut, so that no near pair is parted. Where points
lie so close that every cut has too many near it, the strip along the cut is narrower, and only the nearest pairs are
sure to be found (docs/decisions/0036-near-duplicates-in-near-linear-time.md).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float32]
Places = NDArray[np.int64]

_LEAF = 256
"""Points that are compared all with all."""

_BOTH_HALVES = 0.2
"""Largest part of the points that a cut leaves in both halves: all leaves together hold at most n ** 1.36 points."""

_SAMPLE = 1024
"""Points from which the direction of a cut is found."""

_FEW = 2048
"""So many new points are compared with all others directly, which costs less than cutting all."""

_BLOCK = 1 << 22
"""Distances in memory at once: 16 MB."""

_WAITING = 1 << 22
"""Pairs that are taken in before each point's farther ones are dropped: 50 MB."""

_STEPS = 1000.0
"""Distances are compared in thousandths, so that equal ones go by place whatever the rounding of sums."""


def near_pairs(
    points: NDArray[np.floating],
    nearest: int,
    farthest: float,
    *,
    first: int = 0,
    side: NDArray[np.bool_] | None = None,
) -> Places:
    """Return pairs of points less than ``farthest`` apart, of each point those with its ``nearest`` nearest.

    Of equal distances the earlier place counts as nearer. Points that are equal are paired in the order of their
    places and with the first of them, so that a crowd of equals hangs together.

    Args:
        points: Shape (n, d), finite; compared in single precision.
        nearest: Most pairs that a point brings in, >= 1.
        farthest: Largest distance, > 0.
        first: Only pairs with a place from here on, 0 <= first <= n.
        side: Only pairs of which one is marked here and the other is not, shape (n,); ``None`` for all pairs.

    Returns:
        Places, the smaller first, sorted, each pair once, shape (k, 2), k <= (nearest + 2) n.
    """
    found = _Nearest(nearest)
    new = len(points) - first
    if new <= _FEW:
        size = max(1, _BLOCK // max(new, 1))
        for start in range(0, len(points), size):
            others = np.arange(start, min(start + size, len(points)))
            _compare(found, points, np.arange(first, len(points)), others, farthest, side)
        return found.pairs()
    distinct, chain = _distinct(points.astype(np.float32), side)
    values = points[distinct].astype(np.float32)
    sides = None if side is None else side[distinct]
    for leaf in _leaves(values, farthest):
        _compare(found, values, leaf, leaf, farthest, sides)
    pairs = np.unique(np.concatenate([distinct[found.pairs()], chain]), axis=0)
    return pairs[pairs[:, 1] >= first]


def _distinct(points: Points, side: NDArray[np.bool_] | None) -> tuple[Places, Places]:
    """Return the first place of each different point, sorted, and pairs that join the equal ones."""
    marked = points if side is None else np.concatenate([points, side[:, None]], axis=1, dtype=np.float32)
    whole = np.ascontiguousarray(marked + np.float32(0)).view(np.dtype((np.void, 4 * marked.shape[1]))).ravel()
    _, firsts, which = np.unique(whole, return_index=True, return_inverse=True)
    order = np.argsort(which, kind="stable")
    again = np.flatnonzero(np.diff(which[order]) == 0)
    following = np.stack([order[again], order[again + 1]], axis=1)
    from_first = np.stack([firsts[which[order[again + 1]]], order[again + 1]], axis=1)
    chain = np.concatenate([following, from_first]) if side is None else np.zeros((0, 2), dtype=np.int64)
    return np.sort(firsts), chain.astype(np.int64)


def _leaves(points: Points, farthest: float) -> Iterator[Places]:
    """Yield overlapping groups of places, each sorted: a near pair is together in at least one."""
    waiting = [np.arange(len(points))]
    while waiting:
        places = waiting.pop()
        if len(places) <= _LEAF:
            yield places
            continue
        sample = points[places[:: max(1, len(places) // _SAMPLE)]]
        sample -= sample.mean(axis=0)
        _, directions = np.linalg.eigh(sample.T @ sample)
        along = points[places] @ directions[:, -1]
        order = np.argsort(along, kind="stable")
        along, middle = along[order], len(order) // 2
        most = int(len(order) * _BOTH_HALVES / 2)
        start, end = np.searchsorted(along, along[middle] + np.array([-farthest, farthest]) / 2)
        waiting.append(np.sort(places[order[max(int(start), middle - most) :]]))
        waiting.append(np.sort(places[order[: min(int(end), middle + most)]]))


class _Nearest:
    """Each point's nearest, of all that were found.

    Args:
        most: Neighbours of a point that are kept.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._found: list[NDArray[np.int32]] = []
        self._room = _WAITING

    def add(self, left: Places, right: Places, steps: Places) -> None:
        """Take in pairs and their distances in steps, shape (k,) each."""
        self._found.append(np.stack([left, right, steps], axis=1).astype(np.int32))
        self._room -= len(left)
        if self._room < 0:
            self._drop()

    def pairs(self) -> Places:
        """Return the pairs, the smaller place first, sorted, each once, shape (k, 2)."""
        self._drop()
        return np.unique(np.sort(self._found[0][:, :2].astype(np.int64), axis=1), axis=0)

    def _drop(self) -> None:
        found = np.concatenate([np.zeros((0, 3), dtype=np.int32), *self._found])
        found = found[np.lexsort((found[:, 1], found[:, 2], found[:, 0]))]
        again = np.zeros(len(found), dtype=bool)
        again[1:] = (found[1:] == found[:-1]).all(axis=1)
        found = found[~again]
        begins = np.searchsorted(found[:, 0], found[:, 0])
        found = found[np.arange(len(found)) - begins < self.most]
        self._found, self._room = [found], _WAITING


def _compare(
    found: _Nearest,
    points: NDArray[np.floating],
    left: Places,
    right: Places,
    farthest: float,
    side: NDArray[np.bool_] | None,
) -> None:
    """Add the near pairs between two sorted lists of places, whose product is at most :data:`_BLOCK`."""
    if not len(left) or not len(right):
        return
    here, others = points[left].astype(np.float32), points[right].astype(np.float32)
    # Sums of squares of small numbers have small errors.
    middle = others.mean(axis=0)
    here -= middle
    others -= middle
    squares = [np.einsum("nd,nd->n", part, part) for part in (here, others)]
    far = squares[0][:, None] + squares[1] - 2 * (here @ others.T)
    near = far < farthest**2
    near &= left[:, None] != right
    if side is not None:
        near &= side[left][:, None] != side[right]
    rows, columns = np.nonzero(near)
    steps = np.round(np.sqrt(np.maximum(far[rows, columns], 0.0)) * _STEPS).astype(np.int64)
    if len(rows) and np.bincount(rows).max() > found.most:
        keep = _first_of_each_row(rows, steps, found.most)
        rows, columns, steps = rows[keep], columns[keep], steps[keep]
    found.add(left[rows], right[columns], steps)


def _first_of_each_row(rows: Places, steps: Places, most: int) -> Places:
    """Return which entries are among the ``most`` nearest of their row; entries are sorted by row and column."""
    order = np.lexsort((steps, rows))
    begins = np.searchsorted(rows[order], rows[order])
    return order[np.arange(len(order)) - begins < most]
