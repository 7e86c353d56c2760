"""BM25 of a collection from which any one phrase is missing, without counting the collection again for each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from persrv.text import idf

Tokens = Callable[[str], Iterable[str]]
"""Gives a phrase's tokens with repeats."""


class HeldOutWords:
    """Term counts of one-field documents.

    Args:
        documents: Each document's phrases.
        tokens: Takes a phrase apart.
        k1: Of BM25, > 0.
        b: Of BM25, in [0, 1].
        weight: What each occurrence counts, > 0; 1 is BM25 as Lucene has it.
        delta: What presence counts, see :func:`persrv.text.bm25f.document_vector`; 0 is BM25 as Lucene has it.
    """

    def __init__(
        self,
        documents: Sequence[Sequence[str]],
        tokens: Tokens,
        *,
        k1: float = 1.2,
        b: float = 0.75,
        weight: float = 1.0,
        delta: float = 0.0,
    ) -> None:
        self._tokens, self._k1, self._b, self._weight, self._delta = tokens, k1, b, weight, delta
        self._counts = [self._counted(phrases) for phrases in documents]
        self._lengths = np.array([counts.total() for counts in self._counts], np.float64)
        rows: dict[str, list[int]] = {}
        for row, counts in enumerate(self._counts):
            for token in counts:
                rows.setdefault(token, []).append(row)
        self._rows = {token: np.array(found, np.int64) for token, found in rows.items()}

    def scores(self, query: Mapping[str, float], document: int, kept: Sequence[str]) -> NDArray[np.float64]:
        """Return every document's score, shape (n,), >= 0, as if one of them had fewer phrases.

        Args:
            query: Token to weight.
            document: The number of that document.
            kept: Those of its phrases that stay.
        """
        own = self._counted(kept)
        lengths = self._lengths.copy()
        lengths[document] = own.total()
        known = int(np.count_nonzero(lengths))
        norms = 1 - self._b + self._b * lengths / (lengths.sum() / known if known else 1.0)
        total = np.zeros(len(lengths))
        for token, weight in query.items():
            rows = self._rows.get(token, np.zeros(0, np.int64))
            frequency = np.array([self._counts[row][token] for row in rows.tolist()], np.float64)
            frequency[rows == document] = own[token]
            holders = int(np.count_nonzero(frequency))
            saturated = self._weight * frequency / norms[rows]
            present = self._delta * min(self._weight, 1.0) * (frequency > 0)
            value = (saturated / (self._k1 + saturated) + present) / (1.0 + self._delta)
            total[rows] += weight * idf(len(lengths), holders) * value
        return total

    def _counted(self, phrases: Sequence[str]) -> Counter[str]:
        return Counter(token for phrase in phrases for token in self._tokens(phrase))
