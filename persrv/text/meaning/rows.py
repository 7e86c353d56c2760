"""The few vectors that stand for a sticker's phrases, and how a search is compared with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

MOST_ROWS = 4
"""Vectors of one sticker that are indexed."""

_NO_DIRECTION = 1e-9
"""Length below which a vector has none."""


def indexed_rows(vectors: NDArray[np.floating[Any]], most: int = MOST_ROWS) -> NDArray[np.float32]:
    """Return the vectors that a sticker is indexed by: its phrases, the nearest merged, each moved towards their mean.

    The nearest two are added up until ``most`` are left; then the unit mean of all phrases is added to each. A search
    is compared with the best row, so one maximum holds both how well the best phrase fits and how well all do:
    ``max_j q·(p_j + p̄) = max_j q·p_j + q·p̄`` up to the rows' lengths.

    Args:
        vectors: Unit vectors of the phrases, shape (m, d); zero rows are left out, m may be 0.
        most: At least 1.

    Returns:
        Unit rows, shape (r, d), r <= min(m, ``most``); no rows where all phrases cancel out.
    """
    sums = [row for row in np.asarray(vectors, np.float64) if row.any()]
    if not sums:
        return np.zeros((0, vectors.shape[1]), np.float32)
    middle = unit_rows(np.sum(sums, axis=0)[None, :])
    near_middle = unit_rows(unit_rows(_merged(np.array(sums), most)) + middle)
    return near_middle[near_middle.any(axis=1)].astype(np.float32)


@dataclass(frozen=True, slots=True)
class Stacked:
    """The rows of many stickers in one table, for many searches one after the other.

    Attributes:
        rows: Unit rows of all stickers, shape (sum of the lengths, d).
        lengths: Rows of each sticker, shape (n,), >= 0.
    """

    rows: NDArray[np.float64]
    lengths: NDArray[np.int64]

    @classmethod
    def of(cls, stickers: Sequence[NDArray[np.floating[Any]]]) -> Self:
        """Return the table of unit rows of each sticker, shape (r, d), r >= 0."""
        lengths = np.array([len(indexed) for indexed in stickers], np.int64)
        filled = [np.asarray(indexed, np.float64) for indexed in stickers if len(indexed)]
        return cls(np.concatenate(filled) if filled else np.zeros((0, 0)), lengths)

    def cosines(self, searches: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """As :func:`cosines`."""
        found = np.full((len(searches), len(self.lengths)), -1.0)
        if len(self.rows):
            every = np.asarray(searches, np.float64) @ self.rows.T
            starts, filled = np.cumsum(self.lengths) - self.lengths, self.lengths > 0
            found[:, filled] = np.maximum.reduceat(every, starts[filled], axis=1)
        return found


def cosines(searches: NDArray[np.floating[Any]], stickers: Sequence[NDArray[np.floating[Any]]]) -> NDArray[np.float64]:
    """Return each sticker's likeness to each search, ``max_j q·row_j``: what a multivector index calls MaxSim.

    Args:
        searches: Unit vectors, shape (q, d).
        stickers: Unit rows of each, shape (r, d), r >= 0.

    Returns:
        Shape (q, n), in [-1, 1]; -1 for a sticker without rows, which no search is less like.
    """
    return Stacked.of(stickers).cosines(searches)


def unit_rows(vectors: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Return rows of length 1 for rows of shape (n, d); rows shorter than 1e-9 have no direction and become 0."""
    exact = np.asarray(vectors, np.float64)
    length = np.linalg.norm(exact, axis=1, keepdims=True)
    shortened: NDArray[np.float64] = np.divide(exact, length, out=np.zeros_like(exact), where=length > _NO_DIRECTION)
    return shortened


def _merged(sums: NDArray[np.float64], most: int) -> NDArray[np.float64]:
    """Add up the two rows with the largest cosine until ``most`` are left; a sum goes to the end."""
    # Products of sums are sums of products, so that the rows are multiplied once.
    products = sums @ sums.T if len(sums) > most else np.zeros((0, 0))
    while len(sums) > most:
        lengths = np.sqrt(np.maximum(products.diagonal(), 0.0))
        inverse = np.divide(1.0, lengths, out=np.zeros_like(lengths), where=lengths > _NO_DIRECTION)
        likeness = products * inverse[:, None] * inverse
        likeness[_lower_half(len(sums))] = -np.inf
        left, right = divmod(int(likeness.argmax()), len(sums))
        kept = np.array([at for at in range(len(sums)) if at not in (left, right)], np.intp)
        across = products[left] + products[right]
        own = across[left] + across[right]
        products = np.block([[products[np.ix_(kept, kept)], across[kept, None]], [across[None, kept], own]])
        sums = np.concatenate([sums[kept], (sums[left] + sums[right])[None, :]])
    return sums


@cache
def _lower_half(size: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    return np.tril_indices(size)
