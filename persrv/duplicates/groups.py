"""Groups of near-duplicates from thumbprints."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from persrv.duplicates.thumbprint import CELLS

MEAN_DIFFERENCE = 0.02
"""Mean absolute difference of two thumbprints up to which they may be one picture."""

LARGEST_DIFFERENCE = 0.18
"""Difference that no cell may exceed: a small change in one place, such as a mouth turned down, is another sticker.

Measured on the shipped set: all of 150 pictures stay below both bounds when saved with another margin or as poor WebP,
79 in 100 at twice and 52 in 100 at half the size; of 14 pairs of faces that differ in the mouth only, none does.
"""

_BANDS, _BITS = 4, 16
_CROWD = 200
"""Pictures that share a band of bits, beyond which they are compared along a line only: plain discs are many."""


def duplicate_groups(ids: Sequence[str], thumbprints: NDArray[np.floating]) -> dict[str, str]:
    """Return each near-duplicate's group: the smallest id among those that are linked; others are left out.

    Candidates share one of four bands of a 64-bit brightness hash; two are linked when their thumbprints agree within
    :data:`MEAN_DIFFERENCE` and :data:`LARGEST_DIFFERENCE`. Links are followed from one to the next.

    Args:
        ids: Sticker ids, n of them.
        thumbprints: Shape (n, 1024), from :class:`~persrv.duplicates.thumbprint.Thumbprint`.
    """
    rows = np.asarray(thumbprints, dtype=np.float32)
    parent = list(range(len(ids)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    for left, right in _candidates(ids, rows):
        a, b = root(left), root(right)
        if a != b and _alike(rows[left], rows[right]):
            first, second = sorted((a, b), key=lambda i: ids[i])
            parent[second] = first
    members: dict[int, list[int]] = defaultdict(list)
    for i in range(len(ids)):
        members[root(i)].append(i)
    return {ids[i]: ids[top] for top, those in members.items() if len(those) > 1 for i in those}


def _alike(left: NDArray[np.float32], right: NDArray[np.float32]) -> bool:
    difference = np.abs(left - right)
    return bool(difference.mean() <= MEAN_DIFFERENCE and difference.max() <= LARGEST_DIFFERENCE)


def _candidates(ids: Sequence[str], rows: NDArray[np.float32]) -> Iterator[tuple[int, int]]:
    side = CELLS // 8
    cells = rows.reshape(len(rows), 8, side, 8, side, 4).mean(axis=(2, 4)).reshape(len(rows), 64, 4)
    brightness = cells[..., :3].mean(axis=2) + (1.0 - cells[..., 3]) * 0.5
    bits = brightness > np.median(brightness, axis=1, keepdims=True)
    for band in range(_BANDS):
        part = bits[:, band * _BITS : (band + 1) * _BITS]
        keys = part @ (1 << np.arange(_BITS))
        buckets: dict[int, list[int]] = defaultdict(list)
        for i, key in enumerate(keys.tolist()):
            buckets[key].append(i)
        for members in buckets.values():
            yield from _pairs(sorted(members, key=lambda i: (float(rows[i].sum()), ids[i])))


def _pairs(members: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield all pairs of a small bucket; in a crowd, sorted by total colour, each with the few that follow."""
    reach = len(members) if len(members) <= _CROWD else _CROWD // 10
    for at, left in enumerate(members):
        for right in members[at + 1 : at + 1 + reach]:
            yield left, right
