"""Seeded made-up stickers, so that anybody can measure the same thing without fetching anything.

Words follow Zipf's law, as words of people do; pictures lie around a few styles, as drawings of artists do.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from persrv.images.statistics import DIMENSION
from persrv.online.request import Taste
from persrv.ranking.profile import unit
from persrv.text import idf, query_vector, tokenize
from persrv.text.bm25f import SparseVector

VOCABULARY = 30_000
SHORTEST, LONGEST = 8, 30
STYLES = 40
CENTROIDS = 5

_CONSONANTS, _VOWELS = "bcdfghjklmnpqrstvwxz", "aeiou"
_SYLLABLES = [c + v for c in _CONSONANTS for v in _VOWELS]
_NAME_WORDS = 3

Document = dict[str, tuple[str, ...]]


def word(rank: int) -> str:
    """Return the word of a rank below 1,000,000: three syllables."""
    return "".join(_SYLLABLES[rank // 100**place % 100] for place in (2, 1, 0))


def documents(size: int, seed: int = 0) -> Iterator[Document]:
    """Yield texts of stickers, field to phrases: a name of three words, and a tag for each further word.

    Args:
        size: How many.
        seed: Another seed makes other texts.
    """
    rng = np.random.default_rng([seed, 1])
    up_to = np.cumsum(1.0 / (np.arange(VOCABULARY) + 2.7))
    up_to /= up_to[-1]
    for length in rng.integers(SHORTEST, LONGEST + 1, size).tolist():
        words = [word(rank) for rank in np.searchsorted(up_to, rng.random(length), side="right").tolist()]
        yield {"name": (" ".join(words[:_NAME_WORDS]),), "tags": tuple(words[_NAME_WORDS:])}


@dataclass(frozen=True, slots=True)
class Stickers:
    """A made-up collection.

    Attributes:
        ids: Sticker ids, n of them, ascending.
        tokens: Each sticker's tokens, n lists.
        utility: Shape (n,), in [0, 1]; most are near 0.
        images: Shape (n, DIMENSION), unit rows, float32.
        taste: One user's styles, :data:`CENTROIDS` of them.
        frequencies: Token to the number of stickers that have it.
    """

    ids: list[str]
    tokens: list[list[str]]
    utility: NDArray[np.float64]
    images: NDArray[np.float32]
    taste: Taste
    frequencies: Counter[str]

    def words(self, query: Sequence[str]) -> SparseVector:
        """Return a query's vector, each token weighing its inverse document frequency."""
        count = len(self.ids)
        return query_vector({token: idf(count, self.frequencies[token]) for token in query})

    def queries(self, count: int, seed: int = 0) -> list[tuple[str, ...]]:
        """Return searches that find something: one to three different tokens of some sticker."""
        rng = np.random.default_rng([seed, 2])
        chosen = rng.integers(0, len(self.ids), count).tolist()
        return [tuple(rng.permutation(sorted(set(self.tokens[i])))[: int(rng.integers(1, 4))].tolist()) for i in chosen]


def stickers(size: int, seed: int = 0) -> Stickers:
    """Return a collection of ``size`` stickers, >= 1."""
    rng = np.random.default_rng([seed, 3])
    tokens = [
        [token for phrases in document.values() for phrase in phrases for token in tokenize(phrase)]
        for document in documents(size, seed)
    ]
    styles = unit(rng.standard_normal((STYLES, DIMENSION)))
    images = np.empty((size, DIMENSION), np.float32)
    for row, style in enumerate(rng.integers(0, STYLES, size).tolist()):
        images[row] = styles[style] + rng.standard_normal(DIMENSION) / np.sqrt(DIMENSION)
    images /= np.linalg.norm(images, axis=1, keepdims=True)
    weights = np.sort(rng.uniform(0.2, 1.0, CENTROIDS))[::-1]
    taste = Taste(styles[:CENTROIDS], weights / weights[0])
    frequencies = Counter(token for document in tokens for token in set(document))
    ids = sorted(hashlib.sha256(f"{seed}:{i}".encode()).hexdigest()[:32] for i in range(size))
    return Stickers(ids, tokens, rng.beta(0.5, 4.0, size), images, taste, frequencies)
