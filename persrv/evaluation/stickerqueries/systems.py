"""The two rankings that are compared: the product's own, and plain BM25."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from persrv.evaluation.stickerqueries.dataset import Dataset, Search
from persrv.evaluation.stickerqueries.meanings import HeldOutMeanings
from persrv.evaluation.stickerqueries.plain import plain_tokens
from persrv.evaluation.stickerqueries.words import HeldOutWords
from persrv.meaning.fusion import Blend, fused, recalled
from persrv.ranking import rounded
from persrv.recipe import Recipe
from persrv.text import CorpusStatistics, tokenize
from persrv.understanding import Lexicon

Scores = Callable[[Search], NDArray[np.float64]]
"""Gives every sticker's score, shape (n,), 0 for those that do not answer, as if the search's phrase had never been."""


def plain(dataset: Dataset) -> Scores:
    """Return BM25 with k1 = 1.2 and b = 0.75 over plain tokens."""
    words = HeldOutWords([sticker.queries for sticker in dataset.stickers], plain_tokens)

    def scores(search: Search) -> NDArray[np.float64]:
        return words.scores(dict.fromkeys(plain_tokens(search.query), 1.0), search.sticker, search.kept)

    return scores


def product(dataset: Dataset, recipe: Recipe, meanings: HeldOutMeanings | None) -> Scores:
    """Return what :meth:`persrv.Retriever.search` ranks by for somebody unknown, in a collection without picks.

    Args:
        dataset: The collection.
        recipe: Its settings.
        meanings: ``None`` where the recipe has no text encoder.
    """
    field = recipe.text.fields["queries"]
    documents = [sticker.queries for sticker in dataset.stickers]
    words = HeldOutWords(documents, tokenize, recipe.text.k1, field.b, field.weight)
    statistics = CorpusStatistics(recipe.text)
    for queries in documents:
        statistics.add({"queries": queries})

    def scores(search: Search) -> NDArray[np.float64]:
        statistics.remove({"queries": documents[search.sticker]})
        statistics.add({"queries": search.kept})
        try:
            lexicon = Lexicon(statistics.document_frequencies, statistics.surfaces)
            understood = lexicon.understand(search.query)
            best = lexicon.ceiling(understood, len(documents))
        finally:
            statistics.remove({"queries": search.kept})
            statistics.add({"queries": documents[search.sticker]})
        found = words.scores(understood.known, search.sticker, search.kept)
        if meanings is None:
            return found
        blend = Blend.of(meanings.space(search), best, recipe.meaning.weight, recipe.meaning.reach)
        near = meanings.cosines(search, understood.query)
        return np.where(recalled(found, near, blend), fused(found, near, blend), 0.0)

    return scores


def rank(scores: NDArray[np.float64], number: int) -> float:
    """Return the rank of a sticker among those that answer, from 1; infinity where it does not answer.

    Scores are compared as searches compare them, see :func:`persrv.ranking.rounded`; ties go to the first in order.

    Args:
        scores: Shape (n,), stickers in the order of their ids.
        number: The sticker's place.
    """
    values = rounded(scores)
    own = values[number]
    if own <= 0:
        return float("inf")
    return 1.0 + float(np.count_nonzero(values > own) + np.count_nonzero(values[:number] == own))
