"""BM25 over many queries in memory: each token's stickers and values, as an inverted index."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import NDArray

from persrv.recipe import FieldSettings, Text
from persrv.records import FIELDS
from persrv.text import CorpusStatistics, document_vector, query_tokens, token_id

Floats = NDArray[np.float64]
Document = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Postings:
    """A scored collection of texts.

    Attributes:
        statistics: Words and lengths of the collection.
        lists: Token id to rows, shape (m,), and values, shape (m,).
        size: Number of documents.
        known: Query to scores that were asked for: many systems are asked the same questions.
    """

    statistics: CorpusStatistics
    lists: Mapping[int, tuple[NDArray[np.int64], Floats]]
    size: int
    known: dict[str, Floats] = field(default_factory=dict)

    @classmethod
    def of(cls, documents: Sequence[Document], settings: Text) -> Self:
        """Index documents, given as field to phrases.

        Raises:
            RecipeError: A document has a field that the settings do not know.
        """
        statistics = CorpusStatistics(settings)
        for document in documents:
            statistics.add(document)
        averages = statistics.average_lengths
        rows: dict[int, list[int]] = {}
        values: dict[int, list[float]] = {}
        for row, document in enumerate(documents):
            vector = document_vector(document, settings, averages)
            for token, value in zip(vector.indices, vector.values, strict=True):
                rows.setdefault(token, []).append(row)
                values.setdefault(token, []).append(value)
        lists = {token: (np.array(places, dtype=np.int64), np.array(values[token])) for token, places in rows.items()}
        return cls(statistics, lists, len(documents))

    def scores(self, query: str) -> Floats:
        """Return each document's BM25F score, shape (n,), 0 for those without any of the query's words; read-only."""
        if query in self.known:
            return self.known[query]
        total = np.zeros(self.size)
        for token, weight in query_tokens(query).items():
            listed = self.lists.get(token_id(token))
            if listed is not None:
                total[listed[0]] += weight * self.statistics.idf(token) * listed[1]
        total.flags.writeable = False
        self.known[query] = total
        return total


def one_field(phrases: Sequence[str]) -> Document:
    """Return a document whose phrases are all in one field, for :func:`plain_bm25`."""
    return {"tags": phrases}


def plain_bm25(k1: float = 1.2, b: float = 0.75) -> Text:
    """Return the settings under which :class:`Postings` is Lucene's BM25 over one field.

    Args:
        k1: > 0.
        b: In [0, 1].
    """
    off = FieldSettings(weight=0.0)
    return Text(k1=k1, delta=0.0, fields={name: FieldSettings(b=b) if name == "tags" else off for name in FIELDS})
