"""How sure a number is: bootstrap intervals over groups, paired randomisation tests, and Holm's correction.

A group is what was drawn independently: a user, or a sticker where there are no users. Queries of one user are not
independent, so each group enters as one number, its mean.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from persrv.errors import QueryError

Floats = NDArray[np.float64]

RESAMPLES = 10_000
"""Bootstrap samples and random sign flips; more change the third digit of an interval's width."""

_EXACT = 14
"""Largest number of groups whose sign flips are all tried, 2**14 of them."""
_CELLS = 4_000_000
"""Numbers drawn at once, 32 MB of them."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean over groups with its 95 % interval.

    Attributes:
        mean: Of the groups.
        low: The interval's lower end.
        high: Its upper end.
        groups: How many groups.
    """

    mean: float
    low: float
    high: float
    groups: int


@dataclass(frozen=True, slots=True)
class Gain:
    """What one system has over another on the same groups.

    Attributes:
        interval: Of the mean difference.
        p: Two-sided p-value of the paired sign-flip test, in (0, 1].
    """

    interval: Interval
    p: float


def bootstrap_mean(values: ArrayLike, *, seed: int = 0, resamples: int = RESAMPLES, level: float = 0.95) -> Interval:
    """Return the mean and its percentile bootstrap interval (Efron & Tibshirani 1993, chapter 13).

    Args:
        values: One finite number a group, shape (n,), n >= 1; a single group gives an interval without width.
        seed: >= 0.
        resamples: >= 1.
        level: In (0, 1).

    Raises:
        QueryError: No value, one that is not finite, or another argument out of its range.
    """
    table = _checked(values, resamples)
    if not 0 < level < 1:
        raise QueryError(f"level = {level} is impossible", "give a level between 0 and 1, such as 0.95")
    random = np.random.default_rng(seed)
    means = np.empty(resamples)
    step = max(1, _CELLS // len(table))
    for start in range(0, resamples, step):
        rows = min(step, resamples - start)
        means[start : start + rows] = table[random.integers(len(table), size=(rows, len(table)))].mean(axis=1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(table.mean()), float(low), float(high), len(table))


def sign_flip(differences: ArrayLike, *, seed: int = 0, resamples: int = RESAMPLES) -> float:
    """Return the two-sided p-value that paired differences have mean 0, in (0, 1] (Fisher's randomisation test).

    Signs are flipped at random; with few groups in every possible way. A drawn p-value counts the observed arrangement
    among the drawn ones, so it is never 0 (Phipson & Smyth 2010).

    Args:
        differences: One finite number a group, shape (n,), n >= 1.
        seed: >= 0.
        resamples: >= 1.

    Raises:
        QueryError: As :func:`bootstrap_mean`.
    """
    table = _checked(differences, resamples)
    observed = abs(table.sum()) * (1 - 1e-12)  # a sum in another order must not lose against itself
    if len(table) <= _EXACT:
        masks = np.arange(2 ** len(table))[:, None] >> np.arange(len(table)) & 1
        return float(np.mean(np.abs((1 - 2 * masks) @ table) >= observed))
    random = np.random.default_rng(seed)
    beyond = 0
    step = max(1, _CELLS // len(table))
    for start in range(0, resamples, step):
        rows = min(step, resamples - start)
        signs = 1 - 2 * random.integers(2, size=(rows, len(table)))
        beyond += int(np.count_nonzero(np.abs(signs @ table) >= observed))
    return (beyond + 1) / (resamples + 1)


def paired_gain(better: ArrayLike, worse: ArrayLike, *, seed: int = 0, resamples: int = RESAMPLES) -> Gain:
    """Return what one system gains over another, measured on the same groups in the same order.

    Args:
        better: Shape (n,), one number a group.
        worse: Shape (n,), of the system to beat.
        seed: >= 0.
        resamples: >= 1.

    Raises:
        QueryError: The two have different lengths, or as :func:`bootstrap_mean`.
    """
    mine, theirs = _checked(better, resamples), _checked(worse, resamples)
    if len(mine) != len(theirs):
        raise QueryError(f"{len(mine)} groups cannot be compared with {len(theirs)}", "measure both on the same groups")
    interval = bootstrap_mean(mine - theirs, seed=seed, resamples=resamples)
    return Gain(interval, sign_flip(mine - theirs, seed=seed, resamples=resamples))


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Return p-values corrected for having asked several questions, in the given order (Holm 1979).

    Args:
        p_values: Name of the comparison to its p-value in [0, 1].

    Raises:
        QueryError: A p-value outside [0, 1].
    """
    wrong = [name for name, p in p_values.items() if not 0 <= p <= 1]
    if wrong:
        raise QueryError(f"p = {p_values[wrong[0]]} of {wrong[0]!r} is impossible", "give p-values from 0 to 1")
    corrected: dict[str, float] = {}
    largest = 0.0
    for place, name in enumerate(sorted(p_values, key=lambda name: (p_values[name], name))):
        largest = max(largest, min(1.0, (len(p_values) - place) * p_values[name]))
        corrected[name] = largest
    return {name: corrected[name] for name in p_values}


def _checked(values: ArrayLike | Sequence[float], resamples: int) -> Floats:
    table = np.asarray(values, dtype=np.float64)
    if table.ndim != 1 or not len(table) or not np.isfinite(table).all():
        raise QueryError(f"values of shape {table.shape} are no finite numbers, one a group", "measure a group first")
    if resamples < 1:
        raise QueryError(f"resamples = {resamples} draws nothing", "give resamples >= 1")
    return table
