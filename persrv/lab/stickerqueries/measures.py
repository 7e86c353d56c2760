"""What the ranks of one right sticker a search are worth, and how sure that is.

Searches for the same sticker are not independent, so stickers are what is drawn: each resample takes as many stickers
as there are, with all their searches, and divides their sum by the number of their searches.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from persrv.lab.evaluation.intervals import RESAMPLES, sign_flip

Floats = NDArray[np.float64]
_ROWS = 500
"""Resamples drawn at once."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its 95 % interval: percentiles of the bootstrap over stickers."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many times the baseline a system has.

    Attributes:
        value: Above 1 where the system is better; infinite where the baseline has 0.
        low: Lower end of the 95 % interval.
        high: Upper end.
        p: Two-sided p-value of the paired sign-flip test over stickers that both have the same.
    """

    value: float
    low: float
    high: float
    p: float


def _reciprocal(cutoff: int) -> Callable[[Floats], Floats]:
    return lambda ranks: np.where(ranks <= cutoff, 1.0 / ranks, 0.0)


def _found(cutoff: int) -> Callable[[Floats], Floats]:
    return lambda ranks: (ranks <= cutoff).astype(np.float64)


def _gain(cutoff: int) -> Callable[[Floats], Floats]:
    return lambda ranks: np.where(ranks <= cutoff, 1.0 / np.log2(ranks + 1.0), 0.0)


MEASURES: Mapping[str, Callable[[Floats], Floats]] = {
    "MRR@20": _reciprocal(20),
    "MRR@10": _reciprocal(10),
    "MRR@1": _reciprocal(1),
    "nDCG@10": _gain(10),
    "Recall@20": _found(20),
    "HitRate@5": _found(5),
    "HitRate@10": _found(10),
}
"""Name to the value of each rank; infinity is worth 0. With one right sticker, recall and hit rate are the same."""


def estimate(values: Floats, stickers: NDArray[np.int64], *, seed: int = 0) -> Estimate:
    """Return the mean over searches.

    Args:
        values: Shape (q,), q >= 1.
        stickers: The sticker of each search, shape (q,).
        seed: Of the resamples, >= 0.
    """
    drawn = _resampled(np.stack([values, np.ones_like(values)]), stickers, seed)
    low, high = np.quantile(drawn[0] / drawn[1], [0.025, 0.975])
    return Estimate(float(values.mean()), float(low), float(high))


def ratio(mine: Floats, theirs: Floats, stickers: NDArray[np.int64], *, seed: int = 0) -> Ratio:
    """Return how many times ``theirs`` the mean of ``mine`` is; both of shape (q,), arguments as :func:`estimate`."""
    drawn = _resampled(np.stack([mine, theirs]), stickers, seed)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.float64(mine.sum()) / theirs.sum()
        quotients = np.nan_to_num(drawn[0] / drawn[1], nan=1.0, posinf=np.inf)
    low, high = np.quantile(quotients, [0.025, 0.975], method="nearest")
    differences = _sums(mine - theirs, stickers)
    return Ratio(
        float(np.nan_to_num(value, nan=1.0, posinf=np.inf)), float(low), float(high), sign_flip(differences, seed=seed)
    )


def _sums(values: Floats, stickers: NDArray[np.int64]) -> Floats:
    _, places = np.unique(stickers, return_inverse=True)
    return np.asarray(np.bincount(places, values), np.float64)


def _resampled(rows: Floats, stickers: NDArray[np.int64], seed: int) -> Floats:
    """Return the sums of each row in each resample, shape (r, resamples)."""
    sums = np.stack([_sums(row, stickers) for row in rows])
    random = np.random.default_rng(seed)
    drawn = [
        sums[:, random.integers(sums.shape[1], size=(_ROWS, sums.shape[1]))].sum(axis=2)
        for _ in range(RESAMPLES // _ROWS)
    ]
    return np.concatenate(drawn, axis=1)
