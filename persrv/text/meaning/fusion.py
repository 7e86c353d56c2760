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
"""Share of the weight where people picked for just this query: they know what it means."""

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
