"""Utility: how good a sticker is, whoever asks.

Three counts tell it (PerSRV, WWW 2025, section on utility): how often a sticker was picked (popularity), by how many
different users (cross-user adaptability), and for how many different queries (query adaptability). The paper leaves
open how they combine; here each is smoothed by a prior, damped by a logarithm, and added with the recipe's weights.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from persrv.recipe import UtilityWeights
from persrv.records import Utility

Floats = NDArray[np.float64]


def damped(counts: ArrayLike, pseudo: float, largest: float) -> Floats:
    """Return ``ln(1 + c + pseudo) / ln(1 + largest + pseudo)``, clipped to [0, 1].

    Args:
        counts: Shape (n,), each >= 0.
        pseudo: Picks that every sticker is given in advance (prior strength times the mean count), >= 0.
        largest: The count that earns 1; 0 with ``pseudo`` 0 gives 0 everywhere.
    """
    top = np.log1p(largest + pseudo)
    values = np.log1p(np.asarray(counts, dtype=np.float64) + pseudo)
    return np.clip(values / top, 0.0, 1.0) if top > 0 else np.zeros_like(values)


def age_decay(age_days: ArrayLike, half_life_days: float | None) -> Floats:
    """Return ``0.5 ** (age / half_life)`` in (0, 1]; ones where there is no half-life. Negative ages count as 0."""
    ages = np.maximum(np.asarray(age_days, dtype=np.float64), 0.0)
    return np.ones_like(ages) if half_life_days is None else np.exp2(-ages / half_life_days)


@dataclass(frozen=True, slots=True)
class UtilityScale:
    """The collection-wide numbers that turn counts into utility, fixed at build time.

    Fixing them lets one sticker's utility be refreshed after a pick without touching the others.

    Attributes:
        pseudo: Pseudo-counts for picks, users and queries.
        largest: Largest counts of picks, users and queries in the collection.
    """

    pseudo: tuple[float, float, float]
    largest: tuple[float, float, float]

    @classmethod
    def fit(cls, counts: ArrayLike, prior: float) -> Self:
        """Return the scale of a collection.

        Args:
            counts: Shape (n, 3): picks, distinct users, distinct queries of each sticker, zeros included; n may be 0.
            prior: Strength of the prior: every sticker starts with ``prior`` times the mean count, >= 0.
        """
        table = np.asarray(counts, dtype=np.float64).reshape(-1, 3)
        mean = table.mean(axis=0) if len(table) else np.zeros(3)
        top = table.max(axis=0) if len(table) else np.zeros(3)
        a, b, c = (float(x) for x in prior * mean)
        x, y, z = (float(v) for v in top)
        return cls((a, b, c), (x, y, z))

    def parts(self, counts: ArrayLike) -> Floats:
        """Return popularity, cross-user and query adaptability, shape (n, 3), each in [0, 1]."""
        table = np.asarray(counts, dtype=np.float64).reshape(-1, 3)
        columns = [damped(table[:, i], self.pseudo[i], self.largest[i]) for i in range(3)]
        return np.stack(columns, axis=1)


def utilities(
    counts: ArrayLike, weights: UtilityWeights, age_days: ArrayLike | None = None, scale: UtilityScale | None = None
) -> list[Utility]:
    """Return the utility of n stickers.

    With age the counts decay, before they are smoothed: an old favourite comes down to what nobody ever picked, and
    never below it.

    Args:
        counts: Shape (n, 3): picks, distinct users, distinct queries, each >= 0.
        weights: The recipe's ``[utility]``; the three weights are divided by their sum.
        age_days: Shape (n,): days since the last pick; only read when the recipe gives a half-life.
        scale: The collection's scale; fitted on ``counts`` when not given.
    """
    table = np.asarray(counts, dtype=np.float64).reshape(-1, 3)
    fitted = scale or UtilityScale.fit(table, weights.prior)
    if age_days is not None:
        table = table * age_decay(age_days, weights.half_life_days)[:, None]
    parts = fitted.parts(table)
    share = np.array([weights.popularity, weights.cross_user, weights.query])
    total = np.clip(parts @ (share / share.sum()), 0.0, 1.0)
    rows = np.column_stack([parts, total]).tolist()
    return [Utility(popularity, cross_user, query, whole) for popularity, cross_user, query, whole in rows]
