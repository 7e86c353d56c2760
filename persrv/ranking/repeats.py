"""A person's own earlier picks: what people pick again, and what they never pick twice.

For a person, a query and a sticker that they picked before, three strengths say how:

    x_c = log2(1 + sum of 2 ** (-age / half-life)),  one for each kind c of earlier pick

for just this query, for another one that shares a word, and for any other; a pick counts once, by the first that
holds. The sticker's score is multiplied by ``exp(own * sum_c w_c * x_c)``, within bounds. The weights are learnt from
the collection's own picks as a conditional logit (McFadden 1974): in a chat people repeat themselves, and where one
tags films nobody tags the same film twice. Anderson et al., "The dynamics of repeat consumption" (WWW 2014), find
recency to count most.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

LEAST, MOST = 0.02, 10.0
"""Bounds of the factor."""

_MOST_OF = (10.0, 2.0, 1.5)
"""Bounds of what each kind of earlier pick multiplies by. The weights are learnt among stickers that people picked for
the query; where they multiply what only shares a word with it, a large one would outweigh what the query says."""

_WITHOUT_STYLES, _MOST_ELSEWHERE = 1.5, 4.0
"""How much more own picks say of somebody without styles, and the bound of those that share no word: nothing else says
what they like. With styles, they would say it twice (docs/decisions/0051-own-picks.md)."""

_PRIOR = (float(np.log(3.0)), float(np.log(1.5)), float(np.log(1.2)))
_SPREAD = 1.0
_ELSE_SPREAD = 3.0
_STEPS = 50
_LONGEST_STEP = 1.0
_LARGEST_EXPONENT = 30.0
"""Beyond it, either way, a chance is 0 or 1 in double precision."""


@dataclass(frozen=True, slots=True)
class RepeatWeights:
    """How much an own earlier pick counts, by its kind: logarithms of factors, below 0 where it counts against.

    Attributes:
        exact: For just this query.
        near: For another query that shares a word.
        anywhere: For any other query, or for none.
    """

    exact: float = _PRIOR[0]
    near: float = _PRIOR[1]
    anywhere: float = _PRIOR[2]

    @classmethod
    def fit(cls, events: Sequence[RepeatEvent]) -> Self:
        """Return the weights that make the picks most likely; without events, what is assumed in advance.

        Args:
            events: Picks of people with a history, each against what they could have picked.
        """
        if not events:
            return cls()
        base = np.concatenate([event.base for event in events])
        strengths = np.concatenate([event.strengths for event in events])
        sizes = np.array([len(event.base) for event in events])
        of = np.repeat(np.arange(len(events)), sizes)
        chosen = np.array([event.chosen for event in events])
        found = chosen >= 0
        rows = (np.cumsum(sizes) - sizes)[found] + chosen[found]
        prior = np.array([*_PRIOR, 0.0])
        spread = np.array([_SPREAD] * 3 + [_ELSE_SPREAD])
        wanted = np.append(strengths[rows].sum(axis=0), float((~found).sum()))
        value = prior.copy()
        for _ in range(_STEPS):
            scores = base * np.exp(np.clip(strengths @ value[:3], -_LARGEST_EXPONENT, _LARGEST_EXPONENT))
            other = float(np.exp(np.clip(value[3], -_LARGEST_EXPONENT, _LARGEST_EXPONENT)))
            total = np.bincount(of, scores, len(events)) + other
            chance, rest = scores / total[of], other / total
            means = np.zeros((len(events), 4))
            for c in range(3):
                means[:, c] = np.bincount(of, chance * strengths[:, c], len(events))
            means[:, 3] = rest
            gradient = means.sum(axis=0) - wanted + (value - prior) / spread**2
            second = np.zeros((4, 4))
            second[:3, :3] = (strengths * chance[:, None]).T @ strengths
            second[3, 3] = rest.sum()
            second += np.diag(1.0 / spread**2) - means.T @ means
            step = np.clip(np.linalg.solve(second, gradient), -_LONGEST_STEP, _LONGEST_STEP)
            value = value - step
            if np.abs(step).max() < 1e-9:
                break
        return cls(*(float(weight) for weight in value[:3]))

    def factors(self, strengths: ArrayLike, own: float, *, styled: bool = True) -> Floats:
        """Return what scores are multiplied by, shape (n,), in [:data:`LEAST`, :data:`MOST`].

        Args:
            strengths: Shape (n, 3), each >= 0; zeros give 1.
            own: How far the weights count, >= 0.
            styled: Whether the person has styles, which say what they like as well.
        """
        table = np.asarray(strengths, dtype=np.float64).reshape(-1, 3)
        stronger, most = (1.0, _MOST_OF[2]) if styled else (_WITHOUT_STYLES, _MOST_ELSEWHERE)
        weights = stronger * np.array([self.exact, self.near, self.anywhere])
        parts = np.minimum(own * table * weights, np.log([*_MOST_OF[:2], most]))
        return np.asarray(np.clip(np.exp(parts.sum(axis=1)), LEAST, MOST))


@dataclass(frozen=True, slots=True)
class RepeatEvent:
    """One pick of somebody with a history.

    Attributes:
        base: What could be picked: scores without the person, shape (k,), > 0.
        strengths: Their strengths for the person, shape (k, 3).
        chosen: Which of them it was, -1 for something else.
    """

    base: Floats
    strengths: Floats
    chosen: int


def strengths(
    of: Sequence[int], kinds: Sequence[int], ages: Floats, count: int, half_life_days: float | None
) -> Floats:
    """Return the three strengths of stickers that somebody picked before, shape (count, 3).

    Args:
        of: Each pick's sticker, a number below ``count``.
        kinds: Each pick's kind, 0 to 2.
        ages: Each pick's age in days, shape (n,), >= 0.
        count: Stickers.
        half_life_days: After so many days a pick counts half, ``None`` for never.
    """
    fade = 0.0 if half_life_days is None else 1.0 / half_life_days
    places = 3 * np.asarray(of, dtype=np.int64) + np.asarray(kinds, dtype=np.int64)
    sums = np.bincount(places, 2.0 ** (-fade * ages), 3 * count)
    return np.asarray(np.log2(1.0 + sums.reshape(count, 3)))
