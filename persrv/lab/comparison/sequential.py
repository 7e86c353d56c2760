"""A test that may be looked at after every observation: betting on a bounded mean.

Whoever bets a share of their money at fair odds against "the mean is m" cannot expect to grow rich while that is true;
that their wealth ever reaches 20 has a chance of at most 1/20 (Ville 1939). So the wealth is evidence (an e-value), its
inverse a p-value, and the means against which nobody grew 20-fold rich are a 95 % interval, each at *any* time, however
often somebody looked before. The bets are those of I. Waudby-Smith & A. Ramdas: Estimating means of bounded random
variables by betting, JRSS-B 2024: on a grid of constant shares, for and against, mixed in equal parts. For wins and
losses that is the mixture sequential probability ratio test (Robbins 1970) with a uniform prior on the chance to win.

Observations must lie in [0, 1] and each have the mean m *given those before*; they need not be alike otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from persrv.errors import QueryError

Floats = NDArray[np.float64]

ALPHA = 0.05
"""Chance of a false alarm over the whole time of a comparison."""

_SHARES = 40
"""Bets on each side; more change wealth by less than 1 %."""
_BISECTIONS = 40
_EDGE = 1e-9
_LARGEST = 700.0
"""Logarithm near the largest double."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the observations say about their mean.

    Attributes:
        mean: Of the observations; the tested one where there are none.
        low: Lower end of the any-time interval, in [0, 1].
        high: Its upper end.
        e_value: Wealth against the tested mean, >= 0; 1 before the first observation.
        p: Any-time p-value, ``min(1, 1 / e_value)``.
    """

    mean: float
    low: float
    high: float
    e_value: float
    p: float


def wealth(values: ArrayLike, mean: float) -> Floats:
    """Return the wealth after each observation of somebody who starts with 1 and bets against a mean.

    Each of 80 bettors stakes a constant share ``g`` in (0, 1) of their money: half of them gain
    ``g · (x / m − 1)``, half ``g · ((1 − x) / (1 − m) − 1)``; returned is the average of all of them.

    Args:
        values: In [0, 1], in the order in which they came, shape (n,), n >= 0.
        mean: The mean under test, in (0, 1).

    Returns:
        Shape (n,), float64, at most 1e304.

    Raises:
        QueryError: A value or the mean is out of its range.
    """
    table = _checked(values, mean)
    returns = np.cumsum(_log_returns(table, mean), axis=0)
    return np.asarray(np.exp(np.minimum(_mixed(returns), _LARGEST)))


def evidence(values: ArrayLike, mean: float = 0.5, alpha: float = ALPHA) -> Evidence:
    """Return what the observations so far say.

    Args:
        values: As :func:`wealth`.
        mean: The mean under test, in (0, 1).
        alpha: Chance that the interval ever misses, in (0, 1).

    Raises:
        QueryError: A value, the mean or ``alpha`` is out of its range.
    """
    if not 0 < alpha < 1:
        raise QueryError(f"alpha = {alpha} is impossible", "give one between 0 and 1, such as 0.05")
    table = _checked(values, mean)
    if not len(table):
        return Evidence(mean, 0.0, 1.0, 1.0, 1.0)
    # Wealth in the end does not depend on the order, and wins and losses are only two different values.
    different, times = np.unique(table, return_counts=True)

    def log_wealth(candidate: float) -> float:
        final = (_log_returns(different, candidate) * times[:, None]).sum(axis=0)
        return float(_mixed(final[None, :])[0])

    def refuted(candidate: float) -> bool:
        return log_wealth(candidate) >= -math.log(alpha)

    e_value = float(np.exp(min(log_wealth(mean), _LARGEST)))

    # Wealth is a convex function of the mean and at most 1 at the observed one: what is not refuted is an interval.
    seen = float(np.clip(table.mean(), _EDGE, 1 - _EDGE))
    low = 0.0 if not refuted(_EDGE) else _boundary(_EDGE, seen, refuted)
    high = 1.0 if not refuted(1 - _EDGE) else _boundary(1 - _EDGE, seen, refuted)
    return Evidence(float(table.mean()), low, high, e_value, 1.0 / max(e_value, 1.0))


def _boundary(outside: float, inside: float, refuted: Callable[[float], bool]) -> float:
    """Return the refuted mean next to the interval: the wider end, so that rounding never narrows it."""
    for _ in range(_BISECTIONS):
        middle = (outside + inside) / 2
        if refuted(middle):
            outside = middle
        else:
            inside = middle
    return outside


def _log_returns(values: Floats, mean: float) -> Floats:
    """Return what each bettor multiplies their money by at each observation, as logarithms, shape (n, bettors)."""
    shares = (np.arange(_SHARES) + 0.5) / _SHARES
    above = 1 + np.outer(values / mean - 1, shares)
    below = 1 + np.outer((1 - values) / (1 - mean) - 1, shares)
    return np.asarray(np.log(np.hstack([above, below])))


def _mixed(log_wealth: Floats) -> Floats:
    """Return the logarithm of the bettors' average wealth, shape (n,)."""
    top = log_wealth.max(axis=1)
    return np.asarray(top + np.log(np.exp(log_wealth - top[:, None]).mean(axis=1)))


def _checked(values: ArrayLike, mean: float) -> Floats:
    if not 0 < mean < 1:
        raise QueryError(f"a mean of {mean} cannot be tested", "give one between 0 and 1")
    table = np.asarray(values, dtype=np.float64)
    if table.ndim != 1 or not np.isfinite(table).all() or (table < 0).any() or (table > 1).any():
        raise QueryError(f"observations of shape {table.shape} are not all numbers from 0 to 1", "bring them into it")
    return table
