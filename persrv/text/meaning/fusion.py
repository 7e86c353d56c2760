"""Words and meaning in one score: the reference that the engine's request is tested against.

    score = bm25f + weight · most · max(0, cos - floor) / spread

``most`` is what BM25F could give the query at most. It makes both parts grow alike with the number and the rarity of
the query's words, whatever the size of the collection, so that one weight serves all. Each sticker's score depends on
that sticker alone, never on which others were recalled, unlike min-max or z-scores over a pool and unlike RRF.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from persrv.text.bm25f import CorpusCounts, idf_weights
from persrv.text.meaning.space import MeaningSpace

WEIGHT = 0.2
"""What one standard deviation of likeness adds, as a share of the best possible text score."""

WHERE_PICKED = 0.1
"""Share of the weight that is left where people picked for all of a query's words: they know what these mean."""

USUAL_LIKENESS = 2.0
"""Standard deviations by which what somebody picks is nearer in meaning than what they could have: for stickers whose
texts say what they mean it is more, and for films and what they are tagged with 0.4."""

PICKS_OF_PRIOR = 50
"""Picks whose weight that has beside a collection's own."""

LEAST_BORNE_OUT = 0.25
"""Share of the weight that meaning keeps whatever people pick: made-up people must not silence it."""

REACH = 1.0
"""Standard deviations above the floor from which a sticker that has none of the words is let in."""


@dataclass(frozen=True, slots=True)
class Blend:
    """How the likeness of meanings counts for one query.

    Attributes:
        slope: Score for each 1 of cosine above the floor, >= 0.
        floor: Cosine that counts as nothing.
        entry: Cosine from which a sticker without any of the query's words is let in, >= ``floor``.
    """

    slope: float
    floor: float
    entry: float

    @classmethod
    def of(cls, space: MeaningSpace, most: float, weight: float = WEIGHT, reach: float = REACH) -> Self:
        """Return the blend for a query.

        Args:
            space: Knows how alike things are by chance.
            most: See :func:`best_text_score`.
            weight: Share of ``most`` for each standard deviation, >= 0.
            reach: Standard deviations, >= 0.
        """
        return cls(weight * most / space.spread, space.floor, space.floor + reach * space.spread)


def borne_out(likeness: NDArray[np.floating[Any]]) -> float:
    """Return how far a collection's picks bear meaning out, in [0.25, 1]: what its weight is multiplied by.

    Where what is right lies ``d`` standard deviations above what is wrong, the best weight of a likeness grows with
    ``d`` (Fisher's discriminant). The mean is smoothed by :data:`PICKS_OF_PRIOR` picks as near as usual, which hold
    where nobody picked.

    Args:
        likeness: Of picks, how much nearer the query was to the sticker than to any other, in standard deviations of
            likeness by chance, shape (n,); n may be 0.
    """
    total = float(np.sum(likeness)) + PICKS_OF_PRIOR * USUAL_LIKENESS
    return round(min(1.0, max(LEAST_BORNE_OUT, total / (len(likeness) + PICKS_OF_PRIOR) / USUAL_LIKENESS)), 4)


def beside_picks(weight: float, covered: float) -> float:
    """Return the weight of meaning beside what people picked.

    Args:
        weight: Where nobody picked for the query's words, >= 0.
        covered: How much of the query people picked for, in [0, 1], see :func:`persrv.ranking.affinity.covered_share`.
    """
    return weight * (1.0 - (1.0 - WHERE_PICKED) * covered)


def best_text_score(tokens: Mapping[str, float], counts: CorpusCounts) -> float:
    """Return what BM25F gives a query at most, ``Σ_t weight_t · idf_t``; 1 for a query without tokens.

    Args:
        tokens: All tokens of the query, unknown ones too, with their weights.
        counts: Of the collection.
    """
    return sum(idf_weights(tokens, counts).values()) or 1.0


def meaning_score(cosine: NDArray[np.floating[Any]], blend: Blend) -> NDArray[np.float64]:
    """Return what meaning adds to each sticker's score, shape (n,), >= 0.

    Args:
        cosine: Shape (n,), one row of :func:`persrv.text.meaning.rows.cosines`.
        blend: The query's.
    """
    return blend.slope * np.maximum(np.asarray(cosine, np.float64) - blend.floor, 0.0)


def recalled(bm25: NDArray[np.floating[Any]], cosine: NDArray[np.floating[Any]], blend: Blend) -> NDArray[np.bool_]:
    """Return which stickers answer a query: those with one of its words, and those that are like it enough.

    Args:
        bm25: Shape (n,), 0 for stickers without any of the words.
        cosine: Shape (n,).
        blend: The query's.
    """
    return (np.asarray(bm25) > 0) | (np.asarray(cosine) >= blend.entry)


def fused(bm25: NDArray[np.floating[Any]], cosine: NDArray[np.floating[Any]], blend: Blend) -> NDArray[np.float64]:
    """Return the recall score of each sticker, shape (n,), >= 0; arguments as for :func:`recalled`."""
    return np.asarray(bm25, np.float64) + meaning_score(cosine, blend)
