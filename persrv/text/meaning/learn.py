"""From a collection's texts to its meaning space, and to the vectors that its stickers are indexed by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from persrv.records import Semantics
from persrv.text.meaning.encoder import TextEncoder
from persrv.text.meaning.phrases import phrases
from persrv.text.meaning.space import DIMENSION, MeaningSpace

_T = TypeVar("_T")

_STICKERS = 10_000
"""Stickers that a space is fitted on; more make it no better."""
_SEARCHES = 400
"""Phrases that are also encoded as searches, to learn where searches lie and how alike things are by chance."""


def learned_space(encoder: TextEncoder, collection: Sequence[Semantics], dimension: int = DIMENSION) -> MeaningSpace:
    """Return the space of a collection, fitted on an even sample of its stickers.

    Deterministic: the same collection in the same order gives the same space.

    Args:
        encoder: Gives the vectors.
        collection: Every sticker's texts; may be empty.
        dimension: Most dimensions that are kept, >= 1.
    """
    texts = [found for found in map(phrases, _evenly(collection, _STICKERS)) if found]
    vectors = list(_split(encoder, texts))
    pairs = _evenly([(owner, phrase) for owner, found in enumerate(texts) for phrase in found], _SEARCHES)
    searches = np.zeros((len(pairs), encoder.dimension), np.float32)
    for row, (_, phrase) in enumerate(pairs):
        searches[row] = encoder.encode_query(phrase)
    return MeaningSpace.fit(vectors, searches, [owner for owner, _ in pairs], dimension)


def sticker_rows(encoder: TextEncoder, space: MeaningSpace, batch: Sequence[Semantics]) -> list[NDArray[np.float32]]:
    """Return the rows that each sticker of a batch is indexed by, shape (r, k), r = 0 without phrases.

    Args:
        encoder: The one that the space was fitted with.
        space: The collection's.
        batch: Texts of some stickers; phrases that several of them share are encoded once.
    """
    return space.stickers([*_split(encoder, [phrases(semantics) for semantics in batch])])


def _split(encoder: TextEncoder, texts: Sequence[Sequence[str]]) -> Iterator[NDArray[np.float32]]:
    """Encode all phrases at once; yield each sticker's vectors, shape (m, d)."""
    vectors = encoder.encode_documents([phrase for found in texts for phrase in found])
    ends = np.cumsum([0, *map(len, texts)]).tolist()
    for start, end in pairwise(ends):
        yield vectors[start:end]


def _evenly(items: Sequence[_T], most: int) -> list[_T]:
    return [items[len(items) * number // most] for number in range(most)] if len(items) > most else list(items)
