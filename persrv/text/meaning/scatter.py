"""How the phrases of a collection vary, among all of them and within their stickers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

_GROUP = 256
"""Stickers whose phrases are summed up at once."""


@dataclass(frozen=True, eq=False)
class Scatter:
    """How phrases vary, summed up group by group: of ten thousand stickers' phrases no copy is held.

    Attributes:
        mean: Of all phrases, shape (d,).
        total: Products of their distances from it, summed, shape (d, d).
        within: The same from their own sticker's mean, each times m / (m - 1), of stickers with m > 1 phrases.
        phrases: How many those stickers have.
    """

    mean: NDArray[np.float64]
    total: NDArray[np.float64]
    within: NDArray[np.float64]
    phrases: int

    @classmethod
    def of(cls, stickers: Sequence[NDArray[np.floating[Any]]], size: int) -> Self:
        """Sum up stickers' phrases, shape (m, d), m >= 1."""
        number = sum(map(len, stickers))
        mean, total, within = np.zeros(size), np.zeros((size, size)), np.zeros((size, size))
        for _, rows in _grouped(stickers):
            mean += rows.sum(axis=0)
        mean /= max(number, 1)
        phrases = 0
        for lengths, rows in _grouped(stickers):
            own = np.add.reduceat(rows, np.cumsum(lengths) - lengths) / lengths[:, None]
            weights = np.where(lengths > 1, lengths / np.maximum(lengths - 1, 1), 0.0)
            apart = (rows - np.repeat(own, lengths, axis=0)) * np.repeat(np.sqrt(weights), lengths)[:, None]
            within += apart.T @ apart
            rows -= mean
            total += rows.T @ rows
            phrases += int(lengths[lengths > 1].sum())
        return cls(mean, total, within, phrases)


def _grouped(
    stickers: Sequence[NDArray[np.floating[Any]]],
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float64]]]:
    """Yield groups of stickers: how many phrases each has, and the phrases' vectors, shape (n, d)."""
    for start in range(0, len(stickers), _GROUP):
        group = stickers[start : start + _GROUP]
        yield np.array([*map(len, group)], np.int64), np.concatenate(group).astype(np.float64)
