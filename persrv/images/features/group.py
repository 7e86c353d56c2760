"""What a group of features is, and the histograms that most of them are made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from persrv.images.features.raster import Raster

Values = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class FeatureGroup:
    """Some neighbouring dimensions of the descriptor that are computed together.

    Attributes:
        name: A short name for tables.
        meanings: What each dimension says, one text a dimension.
        low: Smallest possible value.
        high: Largest possible value.
        compute: Returns the values, shape (len(meanings),); only called for rasters with something visible.
    """

    name: str
    meanings: tuple[str, ...]
    low: float
    high: float
    compute: Callable[[Raster], Values]


def histogram(values: Values, weights: Values, centres: tuple[float, ...]) -> Values:
    """Return a histogram in which a value between two bins' centres is shared by both, linearly.

    A value that moves a little therefore moves the histogram a little, on any machine.

    Args:
        values: Shape (n,); values beyond the outer centres count for the outer bins.
        weights: Shape (n,), >= 0.
        centres: Ascending, at least 2.

    Returns:
        Shape (len(centres),), summing to 1, or all 0 where the weights are.
    """
    bins, share = _place(values, centres)
    size = len(centres)
    sums = np.bincount(bins, weights * (1 - share), size) + np.bincount(bins + 1, weights * share, size)
    return _normalised(sums, weights)


def joint_histogram(
    first: Values, second: Values, weights: Values, first_centres: tuple[float, ...], second_centres: tuple[float, ...]
) -> Values:
    """Return the two-dimensional :func:`histogram`, flattened row by row (``first`` is the row)."""
    rows, down = _place(first, first_centres)
    columns, right = _place(second, second_centres)
    wide = len(second_centres)
    corner = rows * wide + columns
    cells = np.concatenate([corner, corner + 1, corner + wide, corner + wide + 1])
    upper, lower = weights * (1 - down), weights * down
    parts = np.concatenate([upper * (1 - right), upper * right, lower * (1 - right), lower * right])
    return _normalised(np.bincount(cells, parts, len(first_centres) * wide), weights)


def weighted_mean(values: Values, weights: Values) -> float:
    """Return the weighted mean of arrays of equal shape, 0 where the weights are all 0."""
    total = float(weights.sum())
    return float((values * weights).sum()) / total if total > 0 else 0.0


def _place(values: Values, centres: tuple[float, ...]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    position = np.interp(values, centres, np.arange(len(centres)))
    bins = np.minimum(position.astype(np.int64), len(centres) - 2)
    return bins, position - bins


def _normalised(sums: NDArray[Any], weights: Values) -> Values:
    total = float(weights.sum(dtype=np.float64))
    return (sums / total if total > 0 else np.zeros_like(sums)).astype(np.float32)
