"""Is one model better than another? Bootstrap intervals and a paired randomisation test."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

RESAMPLES = 10_000
_AT_ONCE = 500
"""Resamples drawn together: a matrix of this many rows."""


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Difference:
    """A mean difference with its 95 % interval, and how likely so large a one is by chance."""

    value: float
    low: float
    high: float
    p: float


def mean(values: ArrayLike, seed: int = 0) -> Mean:
    """Return the mean and its percentile bootstrap interval (Efron 1979).

    Args:
        values: Shape (n,), n >= 1.
        seed: Of the resampling.
    """
    given = np.asarray(values, dtype=np.float64)
    low, high = np.quantile(_resampled_means(given, seed), [0.025, 0.975])
    return Mean(float(given.mean()), float(low), float(high))


def difference(values: ArrayLike, others: ArrayLike, seed: int = 0) -> Difference:
    """Return by how much ``values`` exceed ``others`` on average, both of the same things.

    The p value is two-sided, from signs drawn at random for each difference (Fisher's randomisation test; Smucker,
    Allan & Carterette 2007 for retrieval), ``(b + 1) / (n + 1)`` with b of n draws at least as far from 0.

    Args:
        values: Shape (n,), n >= 1.
        others: Shape (n,).
        seed: Of resampling and signs.
    """
    differences = np.asarray(values, dtype=np.float64) - np.asarray(others, dtype=np.float64)
    found = mean(differences, seed)
    random = np.random.default_rng([seed, 1])
    extreme = 0
    for begin in range(0, RESAMPLES, _AT_ONCE):
        signs = random.integers(0, 2, (min(_AT_ONCE, RESAMPLES - begin), len(differences))) * 2 - 1
        by_chance = np.abs((signs * differences).mean(axis=1))
        # Sums of the same numbers in another order differ in their last digits.
        extreme += int((by_chance >= abs(found.value) - 1e-12).sum())
    return Difference(found.value, found.low, found.high, (extreme + 1) / (RESAMPLES + 1))


def _resampled_means(values: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    random = np.random.default_rng([seed, 0])
    parts = [
        values[random.integers(0, len(values), (min(_AT_ONCE, RESAMPLES - begin), len(values)))].mean(axis=1)
        for begin in range(0, RESAMPLES, _AT_ONCE)
    ]
    return np.concatenate(parts)
