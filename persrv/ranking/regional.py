"""Words by region of style: how stickers in somebody's styles are found by words at the price of few postings.

A frequent word stands in tens of thousands of stickers; of those a page needs the ones in the styles of who asks. A
sticker's vector ``regional`` has, for each of its frequent words, a dimension for the word and the sticker's region of
the space of style, with the value that the word has in its vector ``text``. The query for somebody names their regions
only, each weighted by the largest style factor in it: its score is about what the final one can be at most, and the
best come in nearly their final order. A filter would look at every sticker that has a word, and words alone let in
whole runs of nearly equal texts (docs/decisions/0059-words-by-region-of-style.md).

Rare words are left out: few stickers have them, which words alone let in, and dimensions take time to open.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from heapq import nsmallest

import numpy as np

from persrv.text.bm25f import SparseVector, token_id

MOST_FREQUENT, FREQUENT = 1_200, 500
"""Words that have dimensions by region at most, and stickers that such a word has at least."""

_WORD, _REGION = np.uint64(0x9E3779B1), np.uint64(0x85EBCA6B)
"""Odd numbers whose multiples spread over 32 bits: the golden ratio's, and one of MurmurHash3's."""

_MASK = np.uint64(2**32 - 1)


def frequent_words(document_frequencies: Mapping[str, int]) -> list[int]:
    """Return the dimensions, ascending, of the words that have one for each region.

    Args:
        document_frequencies: Token to the number of stickers that have it.
    """
    enough = ((-count, token) for token, count in document_frequencies.items() if count >= FREQUENT)
    return sorted({token_id(token) for _, token in nsmallest(MOST_FREQUENT, enough)})


def regional_text(text: SparseVector, region: int, frequent: Set[int]) -> SparseVector:
    """Return a sticker's vector ``regional``, which may be empty.

    Two pairs in one dimension, which is rare, add up: no score is smaller for it.

    Args:
        text: Its vector ``text``.
        region: Number of its region, see :mod:`persrv.ranking.style_clusters`.
        frequent: Dimensions of :func:`frequent_words`.
    """
    return regional_query(text, {region: 1.0}, frequent)


def regional_query(words: SparseVector, factors: Mapping[int, float], frequent: Set[int]) -> SparseVector:
    """Return the query for stickers in some regions.

    Args:
        words: The query, weights >= 0.
        factors: Number of a region to what its stickers' scores are multiplied by.
        frequent: Dimensions of :func:`frequent_words`; other words are left out.
    """
    often = [(index, value) for index, value in zip(*words, strict=True) if index in frequent]
    dimensions, values = np.array(often, np.float64).reshape(-1, 2).T
    regions = np.fromiter(factors, np.uint64, len(factors))
    pairs = (dimensions.astype(np.uint64)[:, None] * _WORD + regions * _REGION) & _MASK
    weights = values[:, None] * np.fromiter(factors.values(), np.float64, len(factors))
    distinct, places = np.unique(pairs.ravel(), return_inverse=True)
    summed = np.bincount(places, weights.ravel(), len(distinct))
    return SparseVector(distinct.tolist(), summed.tolist())
