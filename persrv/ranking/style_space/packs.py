"""Which stickers came together, and whether that says anything about their drawing style."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from persrv.ranking.style_space.words import Floats, Indices

_ROWS = 2_048


def pack_numbers(packs: Sequence[str]) -> Indices:
    """Return each sticker's pack as a number in [0, n), shape (n,); a sticker without one (``""``) gets its own."""
    numbers: dict[tuple[str, int], int] = {}
    keys = [(pack, -1) if pack else ("", row) for row, pack in enumerate(packs)]
    return np.array([numbers.setdefault(key, len(numbers)) for key in keys], np.int64)


def usable(owners: Indices) -> Indices:
    """Return the rows whose owner has at least two, ascending; none where fewer than two owners have.

    Args:
        owners: Shape (n,), >= 0.
    """
    sizes = np.bincount(owners)
    if np.count_nonzero(sizes >= 2) < 2:
        return np.zeros(0, np.int64)
    return np.flatnonzero(sizes[owners] >= 2)


def covariance_within(values: Floats, owners: Indices) -> NDArray[np.float64]:
    """Return the covariance around each owner's own mean, pooled over all rows, shape (d, d).

    Args:
        values: Shape (n, d), n >= 1.
        owners: Shape (n,), >= 0.
    """
    squares = np.zeros((values.shape[1],) * 2)
    for start in range(0, len(values), _ROWS):
        block = values[start : start + _ROWS].astype(np.float64)
        squares += block.T @ block
    means = _scaled_sums(values, owners)
    return np.asarray((squares - means.T @ means) / len(values))


def intraclass_correlation(values: Floats, owners: Indices) -> float:
    """Return which part of the variance lies between owners: the intraclass correlation, at most 1.

    The one-way estimate for groups of unequal sizes (Donner, International Statistical Review 54, 1986), with squared
    lengths in place of squares. 0 where it is undefined: fewer than two owners, nobody with two stickers, no variance.

    Args:
        values: Shape (n, d).
        owners: Shape (n,), >= 0.
    """
    sizes = np.unique(owners, return_counts=True)[1].astype(np.float64)
    n, groups = len(values), len(sizes)
    if groups < 2 or n == groups:
        return 0.0
    squares = float(np.einsum("ij,ij->", values, values, dtype=np.float64))
    of_owners = float((_scaled_sums(values, owners) ** 2).sum())
    of_all = float((values.sum(axis=0, dtype=np.float64) ** 2).sum()) / n
    within, between = (squares - of_owners) / (n - groups), (of_owners - of_all) / (groups - 1)
    size = (n - float((sizes**2).sum()) / n) / (groups - 1)
    whole = between + (size - 1) * within
    return (between - within) / whole if whole > 0 else 0.0


def _scaled_sums(values: Floats, owners: Indices) -> NDArray[np.float64]:
    """Return each owner's sum over the square root of its size, so that their squares are those of the means."""
    numbers, sizes = np.unique(owners, return_inverse=True, return_counts=True)[1:]
    sums = np.zeros((len(sizes), values.shape[1]))
    np.add.at(sums, numbers, values)
    return np.asarray(sums / np.sqrt(sizes)[:, None])
