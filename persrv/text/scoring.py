"""The score that an index must give, computed directly: the reference for tests and for explanations."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from persrv.text.bm25f import CorpusStatistics, SparseVector, document_vector, token_id


class Score(NamedTuple):
    """A BM25F score and where it came from.

    Attributes:
        total: The sum of ``matched``, >= 0.
        matched: Query token to its share of ``total``, above 0, largest first, then by token.
    """

    total: float
    matched: dict[str, float]


def score(query: Mapping[str, float], document: Mapping[str, Sequence[str]], statistics: CorpusStatistics) -> Score:
    """Return the BM25F score of one document.

    Args:
        query: Token to weight, as :func:`persrv.text.tokenizer.query_tokens` gives them.
        document: Field to phrases.
        statistics: Counts over the whole corpus.

    Raises:
        RecipeError: The document has a field that the recipe does not know.
    """
    vector = document_vector(document, statistics.text_settings, statistics.average_lengths)
    return score_vector(query, vector, statistics)


def score_vector(query: Mapping[str, float], vector: SparseVector, statistics: CorpusStatistics) -> Score:
    """Return ``Σ_t weight_t · idf_t · vector[t]`` of a document's vector.

    It is what an index answers, except that an index counts the documents of tokens that share an id together.
    """
    values = dict(zip(vector.indices, vector.values, strict=True))
    matched = {
        token: weight * statistics.idf(token) * values[token_id(token)]
        for token, weight in query.items()
        if token_id(token) in values
    }
    return Score(math.fsum(matched.values()), dict(sorted(matched.items(), key=lambda item: (-item[1], item[0]))))
