"""From what somebody typed to where answers may come from."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from persrv.catalog import Catalog
from persrv.index.language import Filter
from persrv.index.manifest import Manifest
from persrv.online.recall import Recall, meaning_recall, text_recall
from persrv.recipe import Recipe
from persrv.text import query_tokens, query_vector
from persrv.text.bm25f import idf
from persrv.text.meaning.encoder import TextEncoder
from persrv.text.meaning.fusion import Blend, ceiling
from persrv.text.meaning.space import MeaningSpace
from persrv.text.spelling import Speller, unknown_words

SMALL_WORD = 4
"""Letters up to which an unknown word is not corrected when other words of the query are known."""


@dataclass(frozen=True, slots=True)
class ParsedQuery:
    """A query, as far as the collection knows its words.

    Attributes:
        typed: The query as it was typed: meaning is read from it, since encoders know more words than the collection.
        query: The query, with corrections put in.
        known: Tokens that some sticker has, with weights in (0, 1].
        corrections: Typed word to the word that is searched instead.
    """

    typed: str
    query: str
    known: Mapping[str, float]
    corrections: Mapping[str, str]


class Lexicon:
    """A collection's words.

    Args:
        frequencies: Token to the number of stickers that have it, at least 1.
        surfaces: Gives readable spellings of tokens; asked for when a word is unknown for the first time.
    """

    def __init__(self, frequencies: Mapping[str, int], surfaces: Callable[[], Mapping[str, str]]) -> None:
        self.frequencies = frequencies
        self._surfaces = surfaces

    def understand(self, query: str) -> ParsedQuery:
        """Return the query's tokens that some sticker has; unknown words are corrected where something is near.

        Beside known words, short ones are left alone: they are more often small words, like "your", than slips.
        """
        known = {token: weight for token, weight in query_tokens(query).items() if token in self.frequencies}
        unknown = unknown_words(query, self.frequencies)
        unknown = [word for word in unknown if not known or len(word) > SMALL_WORD]
        if not unknown:
            return ParsedQuery(query, query, known, {})
        corrected = self._speller.correct(unknown)
        known |= dict.fromkeys(corrected.values(), 1.0)
        corrections = {typed: self._speller.readable(used) for typed, used in corrected.items()}
        return ParsedQuery(query, _with(query, corrections), known, corrections)

    def ceiling(self, understood: ParsedQuery, stickers: int) -> float:
        """Return what BM25F gives the query at most, see :func:`persrv.text.meaning.fusion.ceiling`."""
        return ceiling({**query_tokens(understood.query), **understood.known}, self.frequencies, stickers)

    @cached_property
    def _speller(self) -> Speller:
        return Speller(self.frequencies, self._surfaces())


class QueryParser:
    """Knows a collection's words, and its meanings where the recipe asks for them.

    Args:
        catalog: Keeps the words.
        manifest: Says which, and in what space meanings lie.
        recipe: Says how much meaning counts.
        encoder: The recipe's text encoder, ``None`` for recall by words alone.
    """

    def __init__(self, catalog: Catalog, manifest: Manifest, recipe: Recipe, encoder: TextEncoder | None) -> None:
        self._catalog = catalog
        self._manifest = manifest
        self._recipe = recipe
        self._encoder = encoder

    @cached_property
    def frequencies(self) -> Mapping[str, int]:
        """Token to the number of stickers that have it."""
        return self._catalog.vocabulary(self._manifest.vocabulary)

    def understand(self, query: str) -> ParsedQuery:
        """Return what the collection's words make of a query, see :meth:`Lexicon.understand`."""
        return self._lexicon.understand(query)

    def token_weights(self, tokens: Mapping[str, float]) -> dict[str, float]:
        """Return each query token's weight times its inverse document frequency.

        Args:
            tokens: Token to weight.
        """
        count = self._manifest.stickers
        return {token: weight * idf(count, self.frequencies.get(token, 0)) for token, weight in tokens.items()}

    def recall(self, understood: ParsedQuery, pool: int, where: Filter | None) -> Recall | None:
        """Return where answers may come from; ``None`` where there is nothing to ask by.

        Args:
            understood: The query.
            pool: Largest number of candidates that each side gives.
            where: The search's filter.
        """
        words = query_vector(understood.known) if understood.known else None
        meant = self._meaning(understood.typed)
        if meant is None:
            return text_recall(words, pool, where) if words else None
        settings = self._recipe.meaning
        best = self._lexicon.ceiling(understood, self._manifest.stickers)
        return meaning_recall(words, meant, Blend.of(self._space, best, settings.weight, settings.reach), pool, where)

    def _meaning(self, query: str) -> NDArray[np.float32] | None:
        if self._encoder is None:
            return None
        vector = self._space.search(self._encoder.encode_query(query))
        return vector if vector.any() else None

    @cached_property
    def _lexicon(self) -> Lexicon:
        return Lexicon(self.frequencies, lambda: self._catalog.surfaces(self._manifest.vocabulary))

    @cached_property
    def _space(self) -> MeaningSpace:
        return MeaningSpace.from_dict(self._manifest.meaning_space)


def _with(query: str, corrections: Mapping[str, str]) -> str:
    for typed, used in corrections.items():
        query = re.sub(rf"\b{re.escape(typed)}\b", used.replace("\\", ""), query, flags=re.IGNORECASE)
    return query
