"""Are stickers found by what a model said of them? The ablation of texts, without utility and taste."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from persrv.reading.describe.describer import Description
from persrv.recipe import Text
from persrv.text import CorpusStatistics, document_vector, query_tokens, score, score_vector
from persrv.training.examples import Example

DEPTH = 20
"""Hits looked at: MRR@20, as in the paper."""

Document = Mapping[str, Sequence[str]]


def document(description: Description | None, ocr: Sequence[str] = (), queries: Sequence[str] = ()) -> Document:
    """Return a sticker's text fields for BM25F; fields without phrases are left out."""
    fields: dict[str, Sequence[str]] = {"ocr": ocr, "queries": queries}
    if description:
        fields |= {
            "description": (description.description,),
            "keywords": description.keywords,
            "emotions": description.emotions,
        }
    return {name: [phrase for phrase in phrases if phrase] for name, phrases in fields.items() if any(phrases)}


def reciprocal_ranks(examples: Sequence[Example], documents: Sequence[Document]) -> NDArray[np.float64]:
    """Ask every query of every sticker, and return 1 / rank of that sticker, 0 below :data:`DEPTH` or unmatched.

    Equal scores are ordered by id. Statistics are counted over these documents.

    Args:
        examples: The stickers, in the order of ``documents``.
        documents: Their texts; a query's own sticker must not have that query among its ``queries``, see
            :func:`without_query`.

    Returns:
        Shape (n,), one value for each query of each sticker, in that order.
    """
    settings = Text()
    statistics = CorpusStatistics(settings)
    for one in documents:
        statistics.add(one)
    vectors = [document_vector(one, settings, statistics.average_lengths) for one in documents]
    found = []
    for number, example in enumerate(examples):
        for query in example.queries:
            tokens = query_tokens(query.text)
            mine = score(tokens, without_query(documents[number], query.text), statistics).total
            better = 0
            if mine > 0:
                for other, vector in enumerate(vectors):
                    value = score_vector(tokens, vector, statistics).total if other != number else 0.0
                    better += value > mine or (value == mine and examples[other].id < example.id)
            found.append(1.0 / (better + 1) if mine > 0 and better < DEPTH else 0.0)
    return np.array(found)


def without_query(text: Document, query: str) -> Document:
    """Return a document without one historical query: what somebody is about to type was not typed yet."""
    if query not in text.get("queries", ()):
        return text
    left = [phrase for phrase in text["queries"] if phrase != query]
    return {name: phrases for name, phrases in text.items() if name != "queries"} | ({"queries": left} if left else {})
