"""The two rankings that are compared: the product's own, and plain BM25."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from persrv.lab.stickerqueries.dataset import Dataset, Search
from persrv.lab.stickerqueries.meanings import HeldOutMeanings
from persrv.lab.stickerqueries.words import HeldOutWords
from persrv.online.parsed_query import ParsedQuery
from persrv.online.query_parser import Lexicon
from persrv.ranking.formula import rounded
from persrv.recipe import Recipe
from persrv.text import CorpusStatistics, tokenize
from persrv.text.characters import UNSPACED
from persrv.text.meaning.fusion import Blend, fused, recalled
from persrv.text.spelling import Speller

Floats = NDArray[np.float64]

_PLAIN = re.compile(rf"[{UNSPACED}]|[^\W{UNSPACED}]+")


def plain_tokens(phrase: str) -> list[str]:
    """Return words in lower case, and Chinese, Japanese and Korean characters one by one; no signs, no emoji."""
    return _PLAIN.findall(phrase.lower())


def plain_bm25(dataset: Dataset, wanted: Sequence[Search]) -> Iterator[Floats]:
    """Yield the scores of BM25 with k1 = 1.2 and b = 0.75 over plain tokens, as if a search's phrase had never been.

    Yields:
        Each search's scores of all stickers, shape (n,).
    """
    words = HeldOutWords([sticker.queries for sticker in dataset.stickers], plain_tokens)
    for search in wanted:
        yield words.scores(dict.fromkeys(plain_tokens(search.query), 1.0), search.sticker, search.kept)


@dataclass(frozen=True, slots=True)
class Scores:
    """What a search gives every sticker, for somebody unknown, in a collection without picks.

    Attributes:
        words: Share of the score that words give, shape (n,), >= 0.
        total: The score, shape (n,); 0 for stickers that do not answer.
        most: The largest score that the query's words could give.
    """

    words: Floats
    total: Floats
    most: float


def product(
    dataset: Dataset, wanted: Sequence[Search], recipe: Recipe, meanings: HeldOutMeanings | None
) -> Iterator[Scores]:
    """Yield what :meth:`persrv.Retriever.search` ranks by.

    Args:
        dataset: The collection.
        wanted: What is asked.
        recipe: The collection's settings.
        meanings: ``None`` where the recipe has no text encoder.

    Yields:
        For each search what the stickers get, as if the search's phrase had never been.
    """
    field = recipe.text.fields["queries"]
    documents = [sticker.queries for sticker in dataset.stickers]
    words = HeldOutWords(
        documents, tokenize, k1=recipe.text.k1, b=field.b, weight=field.weight, delta=recipe.text.delta
    )
    statistics = CorpusStatistics(recipe.text)
    for queries in documents:
        statistics.add({"queries": queries})
    cosines = meanings.cosines(wanted) if meanings else None
    for number, search in enumerate(wanted):
        parsed = _parsed(statistics, documents[search.sticker], search)
        if meanings is None or cosines is None:
            found = words.scores(parsed.known, search.sticker, search.kept)
            yield Scores(found, found, parsed.most)
            continue
        known = {} if parsed.without_small_part().aside else parsed.known
        found = words.scores(known, search.sticker, search.kept)
        blend = Blend.of(meanings.space(search), parsed.most, recipe.meaning.weight, recipe.meaning.reach)
        answers = recalled(found, cosines[number], blend)
        yield Scores(found, np.where(answers, fused(found, cosines[number], blend), 0.0), parsed.most)


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
