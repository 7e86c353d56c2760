"""What a collection's words predict of a look, kept for the stickers that come later.

A later sticker changes nothing here: its predicted look is learnt from the stickers that were there when the space was
fitted, those of its own pack left out, as in :mod:`persrv.ranking.style_space.predict`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from persrv.ranking.style_space.predict import PRIOR, word_sums
from persrv.ranking.style_space.words import Floats, Indices, WordTable
from persrv.text.bm25f import SparseVector, idf


@dataclass(frozen=True, slots=True, eq=False)
class WordLooks:
    """The words of n fitted stickers and the looks that came with them.

    Attributes:
        table: The words of the n stickers.
        sums: Weighted sum of the looks of each word's stickers, shape (V, d).
        mass: Sum of those weights, shape (V,).
    """

    table: WordTable
    sums: Floats
    mass: NDArray[np.float64]

    @classmethod
    def learn(cls, looks: Floats, table: WordTable) -> Self:
        """Learn from n stickers with the looks ``looks``, shape (n, d), the average at zero."""
        return cls(table, *word_sums(looks, table))

    def predicted(
        self, document: SparseVector, own: Indices, looks: Callable[[Indices], Floats]
    ) -> NDArray[np.float32]:
        """Return the look that a later sticker's words predict, shape (d,); zero where they say nothing.

        Args:
            document: Its BM25F vector.
            own: Rows of the fitted stickers that it must not learn from: its pack's, and itself, each once.
            looks: Gives the looks of some of those rows, shape (k, d).
        """
        nothing = np.zeros(self.sums.shape[1], np.float32)
        tokens = np.array(document.indices, np.int64)
        if not len(tokens):
            return nothing
        places = np.searchsorted(self.table.tokens, tokens)
        known = places < self.table.size
        known[known] = self.table.tokens[places[known]] == tokens[known]
        unknown = np.float32(idf(len(self.table), 0))
        rarity = np.where(known, self.table.rarity[np.where(known, places, 0)], unknown) if self.table.size else unknown
        weights = np.array(document.values, np.float32) * rarity
        words = places[known]
        sums, mass = np.array(self.sums[words]), np.array(self.mass[words])
        if len(own):
            here, block = self.table.dense(own)
            shared, ours, theirs = np.intersect1d(words, here, assume_unique=True, return_indices=True)
            if len(shared):
                sums[ours] -= block[:, theirs].T @ looks(own)
                mass[ours] -= block[:, theirs].sum(axis=0, dtype=np.float64)
        means = sums / (np.maximum(mass, 0) + PRIOR)[:, None]
        total = weights.sum()
        return np.asarray(weights[known] @ means / total, np.float32) if total > 0 else nothing
