"""Affinity: what people picked for these words, as two sums over the picks of a query.

For a query q and a sticker s,

    exact(q, s) = ln(1 + people who picked s for q)
    words(q, s) = (1 / |q|) * sum over words t of q: idf(t) * ln(1 + people who picked s for a query with t)

People are counted, not picks, so that nobody pushes a sticker alone by repeating. The score that both enter is

    (bm25f + omega * a * words) * (1 + delta * a * exact)

where ``a`` is how far other people's picks count for who asks: 1 for somebody without a style, and for somebody with
styles the closer to 1 the nearer the sticker is to one of them, see :func:`agreement`. What others picked says which
stickers mean the query; it also says which drawings *they* like, and that part is not the asker's
(docs/decisions/0058-picks-of-people-with-another-taste.md).

Counting what was picked for a query is the classic use of click logs (Craswell & Szummer, "Random walks on the click
graph", SIGIR 2007); the words carry it to queries that nobody typed before.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from hashlib import blake2b

import numpy as np
from numpy.typing import ArrayLike, NDArray

from persrv.text.bm25f import SparseVector, idf, token_id

Floats = NDArray[np.float64]

AGREEMENT_POWER = 20.0
"""How sharply other people's picks count less, the farther a sticker is from one's styles."""


def damped_people(people: ArrayLike) -> Floats:
    """Return ``ln(1 + people)``, shape as given; ``people`` may be fractions, where old picks count less."""
    return np.log1p(np.asarray(people, dtype=np.float64))


def word_weights(words: Iterable[str], stickers_of: Mapping[str, int], stickers: int) -> dict[str, float]:
    """Return the weight of each known word of a query: its idf among picked stickers over the query's words.

    Args:
        words: The query's distinct words; those that lead nowhere count in the length and get no weight.
        stickers_of: Word to the number of stickers that were picked for a query with it, >= 1.
        stickers: Stickers of the collection, n.
    """
    distinct = list(dict.fromkeys(words))
    return {word: idf(stickers, stickers_of[word]) / len(distinct) for word in distinct if word in stickers_of}


def covered_share(
    words: Iterable[str], stickers_of: Mapping[str, int], texts_of: Mapping[str, int], stickers: int
) -> float:
    """Return how much of a query people picked for, in [0, 1]: of its words' idf, that of those that led to a pick.

    Args:
        words: The query's words.
        stickers_of: Word to the number of stickers that were picked for a query with it, >= 1.
        texts_of: Other words to the number of stickers whose texts have it; what is not there counts as 0.
        stickers: Stickers of the collection, n.
    """
    distinct = list(dict.fromkeys(words))
    covered = sum(idf(stickers, stickers_of[word]) for word in distinct if word in stickers_of)
    others = sum(idf(stickers, texts_of.get(word, 0)) for word in distinct if word not in stickers_of)
    return covered / (covered + others) if covered else 0.0


def query_dimension(folded_query: str) -> int:
    """Return an exact query's dimension in [0, 2**32), by another hash than that of words."""
    digest = blake2b(folded_query.encode("utf-8", "surrogatepass"), digest_size=4, person=b"query")
    return int.from_bytes(digest.digest(), "big")


def picked_vector(queries: Mapping[str, float], words: Mapping[str, float], factor: float) -> SparseVector:
    """Return what stands in a sticker's sparse vector ``picked``: damped people of its queries and their words.

    Args:
        queries: Folded query to people, > 0.
        words: Word to people, > 0.
        factor: What words are multiplied by, as the vector ``text`` is, see :mod:`persrv.ranking.stored`. Exact
            queries are not: they count as a factor.
    """
    values: defaultdict[int, float] = defaultdict(float)
    for query, people in queries.items():
        values[query_dimension(query)] += math.log1p(people)
    for word, people in words.items():
        values[token_id(word)] += math.log1p(people) * factor
    indices = sorted(values)
    return SparseVector(indices, [values[i] for i in indices])


def agreement(similarity: Floats) -> Floats:
    """Return how far other people's picks of a sticker count for somebody with styles, in (0, 1].

    With ``y = s / (1 + |s|)`` it is ``((1 + y) / 1.5) ** 20``: 1 for a picture that is the style, 0.09 at a cosine of
    0.5, 0.0003 where there is nothing in common or no picture. It is never 0, so that a sticker that picks alone lead
    to is still found.

    Args:
        similarity: Weighted cosine to the nearest style, in [-1, 1], any shape.
    """
    return np.asarray(((1.0 + similarity / (1.0 + np.abs(similarity))) / 1.5) ** AGREEMENT_POWER)


def with_affinity(
    text: Floats, exact: Floats, words: Floats, omega: float, delta: float, agreed: Floats | float = 1.0
) -> Floats:
    """Return ``(text + omega * agreed * words) * (1 + delta * agreed * exact)``, shape (n,).

    Args:
        text: BM25F scores, shape (n,), >= 0.
        exact: Affinities of the exact query, shape (n,), >= 0.
        words: Affinities of its words, shape (n,), >= 0.
        omega: Weight of the words, >= 0.
        delta: Weight of the exact query, >= 0.
        agreed: What :func:`agreement` gives for who asks, shape (n,); 1 for somebody without a style.
    """
    return (text + omega * agreed * words) * (1.0 + delta * agreed * exact)
