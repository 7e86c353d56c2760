"""The two rankings that are compared: the product's own, and plain BM25."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from persrv.lab.stickerqueries.dataset import Dataset, Search
from persrv.lab.stickerqueries.meanings import HeldOutMeanings
from persrv.lab.stickerqueries.plain import plain_tokens
from persrv.lab.stickerqueries.words import HeldOutWords
from persrv.online.query_parser import Lexicon, ParsedQuery
from persrv.ranking.formula import rounded
from persrv.recipe import Recipe
from persrv.text import CorpusStatistics, tokenize
from persrv.text.meaning.fusion import Blend, fused, recalled
from persrv.text.spelling import Speller

Floats = NDArray[np.float64]


def plain(dataset: Dataset, wanted: Sequence[Search]) -> Iterator[Floats]:
    """Yield the scores of BM25 with k1 = 1.2 and b = 0.75 over plain tokens, see :func:`product`."""
    words = HeldOutWords([sticker.queries for sticker in dataset.stickers], plain_tokens)
    for search in wanted:
        yield words.scores(dict.fromkeys(plain_tokens(search.query), 1.0), search.sticker, search.kept)


def product(
    dataset: Dataset, wanted: Sequence[Search], recipe: Recipe, meanings: HeldOutMeanings | None
) -> Iterator[Floats]:
    """Yield what :meth:`persrv.Retriever.search` ranks by for somebody unknown, in a collection without picks.

    Args:
        dataset: The collection.
        wanted: What is asked.
        recipe: The collection's settings.
        meanings: ``None`` where the recipe has no text encoder.

    Yields:
        For each search every sticker's score, shape (n,), as if the search's phrase had never been; 0 for stickers
        that do not answer.
    """
    field = recipe.text.fields["queries"]
    documents = [sticker.queries for sticker in dataset.stickers]
    words = HeldOutWords(documents, tokenize, recipe.text.k1, field.b, field.weight)
    statistics = CorpusStatistics(recipe.text)
    for queries in documents:
        statistics.add({"queries": queries})
    cosines = meanings.cosines(wanted) if meanings else None
    for number, search in enumerate(wanted):
        parsed = _parsed(statistics, documents[search.sticker], search)
        found = words.scores(parsed.known, search.sticker, search.kept)
        if meanings is not None and cosines is not None:
            blend = Blend.of(meanings.space(search), parsed.most, recipe.meaning.weight, recipe.meaning.reach)
            answers = recalled(found, cosines[number], blend)
            found = np.where(answers, fused(found, cosines[number], blend), 0.0)
        yield found


def _parsed(statistics: CorpusStatistics, whole: Sequence[str], search: Search) -> ParsedQuery:
    """Return what is made of a query, without the words that only it brought in."""
    statistics.remove({"queries": whole})
    statistics.add({"queries": search.kept})
    try:
        lexicon = Lexicon(statistics, lambda: Speller(statistics.document_frequencies, statistics.surfaces()))
        return lexicon.parse(search.query)
    finally:
        statistics.remove({"queries": search.kept})
        statistics.add({"queries": whole})


def rank(scores: Floats, number: int) -> float:
    """Return the rank of a sticker among those that answer, from 1; infinity where it does not answer.

    Scores are compared as searches compare them, see :func:`persrv.ranking.formula.rounded`; ties go to the first
    in order.

    Args:
        scores: Shape (n,), stickers in the order of their ids.
        number: The sticker's place.
    """
    values = rounded(scores)
    own = values[number]
    if own <= 0:
        return float("inf")
    return 1.0 + float(np.count_nonzero(values > own) + np.count_nonzero(values[:number] == own))
