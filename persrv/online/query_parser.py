"""From what somebody typed to where answers may come from."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from persrv.catalog import Catalog
from persrv.catalog.affinity import TypedQuery
from persrv.catalog.phrases import fold_query
from persrv.index.language import Filter
from persrv.index.manifest import Manifest
from persrv.online.recall import Recall, meaning_source, picked_sources, text_source
from persrv.ranking.affinity import query_dimension, word_weights
from persrv.recipe import Ranking, Recipe
from persrv.text import query_tokens, query_vector, tokenize
from persrv.text.bm25f import CorpusCounts, idf, idf_weights
from persrv.text.meaning.encoder import TextEncoder
from persrv.text.meaning.fusion import Blend
from persrv.text.meaning.space import MeaningSpace
from persrv.text.query_forms import halves, joined_tokens, take_apart, unwanted_tokens
from persrv.text.spelling import Speller, unknown_words
from persrv.text.words import forms

_UNWANTED = 1e4

SMALL_WORD = 4
"""Letters up to which an unknown word is not corrected when other words of the query are known."""

SPELLER_SECONDS = 0.05
"""What corrects words is made anew after every change of a sticker where that takes no longer than this."""

SPELLER_SHARE = 100
"""Else a hundredth of the time is spent on that at most."""


@dataclass(frozen=True, slots=True)
class ParsedQuery:
    """A query, as far as the collection knows its words.

    Attributes:
        typed: What was typed, without the words taken away: meaning is read from it, since encoders know more
            words than the collection.
        query: The query, with corrections put in.
        known: Tokens that some sticker has, with weights in (0, 1].
        token_weights: The same tokens, with their weights times their inverse document frequencies.
        most: What BM25F gives the query at most, words that no sticker has included; 1 for a query without words.
        corrections: Typed word to the word that is searched instead.
        without: Tokens that no answer may have.
        picked_words: Words by which others' picks may answer, with weights.
        picked_query: The exact query's dimension among picks, ``None`` where its picks may not answer.
    """

    typed: str
    query: str
    known: Mapping[str, float]
    token_weights: Mapping[str, float]
    most: float
    corrections: Mapping[str, str]
    without: tuple[str, ...] = ()
    picked_words: Mapping[str, float] = field(default_factory=dict)
    picked_query: int | None = None


class Lexicon:
    """A collection's words.

    Args:
        counts: How many stickers have which word.
        speller: Makes what corrects unknown words; called when a word is unknown for the first time.
    """

    def __init__(self, counts: CorpusCounts, speller: Callable[[], Speller]) -> None:
        self._counts = counts
        self._make_speller = speller
        self._speller_made: tuple[Speller, float, float] | None = None
        self._changed = False

    @property
    def documents(self) -> int:
        """Number of stickers."""
        return self._counts.documents

    def known(self, tokens: Iterable[str]) -> set[str]:
        """Return the tokens that some sticker's text has."""
        return set(self._counts.frequencies(tokens))

    def parse(self, query: str, picked: Collection[str] = ()) -> ParsedQuery:
        """Return the query's tokens that some sticker has; unknown words are corrected where something is near.

        Beside known words, short ones are left alone: they are more often small words, like "your", than typos.

        Args:
            query: As typed.
            picked: Words that no text need have, since people's picks lead from them to stickers.
        """
        wanted, unwanted = take_apart(query)
        tokens, documents = query_tokens(wanted), self._counts.documents
        joined, left_out = joined_tokens(wanted), unwanted_tokens(unwanted)
        frequencies = self._counts.frequencies([*tokens, *joined, *left_out])
        known = {token: weight for token, weight in tokens.items() if token in frequencies}
        known |= {token: 1.0 for token in joined if token in frequencies}
        leading, some = {**frequencies, **dict.fromkeys(picked, 1)}, bool(known or picked)
        unknown = [word for word in unknown_words(wanted, leading) if not some or len(word) > SMALL_WORD]
        corrections = {}
        for word in unknown:
            parts = self._two_words(word)
            found = {form: 1.0 for part in parts for form in forms(part)}
            if not parts and (near := self._speller.nearest(word, parts=not known)):
                found, parts = {near: 1.0}, (self._speller.readable(near),)
            if parts:
                corrections[word] = " ".join(parts)
                frequencies = {**frequencies, **self._counts.frequencies(found)}
                known |= {token: weight for token, weight in found.items() if token in frequencies}
        used = _with(wanted, corrections)

        def weighed(weights: Mapping[str, float]) -> dict[str, float]:
            return {token: w * idf(documents, frequencies.get(token, 0)) for token, w in weights.items()}

        most = sum(weighed({**query_tokens(used), **known}).values())
        without = tuple(token for token in left_out if token in frequencies)
        return ParsedQuery(wanted, used, known, weighed(known), most or 1.0, corrections, without)

    def _two_words(self, word: str) -> tuple[str, ...]:
        """Return the two known words that an unknown one is made of, none where it is not."""
        ways = [*halves(word)]
        known = self._counts.frequencies({form for way in ways for part in way for form in forms(part)}) if ways else {}
        for way in ways:
            if all(any(form in known for form in forms(part)) for part in way):
                return way
        return ()

    def weights(self, tokens: Mapping[str, float]) -> dict[str, float]:
        """Return each token's weight times its inverse document frequency, those that no sticker has left out."""
        known = self._counts.frequencies(tokens)
        return idf_weights({token: weight for token, weight in tokens.items() if token in known}, self._counts)

    def words_changed(self) -> None:
        """Say that stickers changed, so that unknown words are corrected by other ones from now on."""
        self._changed = True

    @property
    def _speller(self) -> Speller:
        now = time.monotonic()
        if self._speller_made is not None:
            speller, took, since = self._speller_made
            # Of a large collection it takes seconds, and picks change words all the time.
            if not self._changed or (took > SPELLER_SECONDS and now - since < took * SPELLER_SHARE):
                return speller
        self._changed = False
        speller = self._make_speller()
        done = time.monotonic()
        self._speller_made = speller, done - now, done
        return speller


class QueryParser:
    """Knows a collection's words, and its meanings where the recipe asks for them.

    Args:
        catalog: Keeps the words.
        manifest: Says which, and in what space meanings lie.
        recipe: Says how much meaning counts.
        encoder: The recipe's text encoder, ``None`` for recall by words alone.

    Attributes:
        lexicon: The collection's words.

    Raises:
        BuildGoneError: The catalog keeps no words of this build.
    """

    def __init__(self, catalog: Catalog, manifest: Manifest, recipe: Recipe, encoder: TextEncoder | None) -> None:
        self._catalog = catalog
        self._manifest = manifest
        self._recipe = recipe
        self._encoder = encoder
        build = manifest.vocabulary
        self.lexicon = Lexicon(
            catalog.word_counts(build), lambda: Speller(catalog.vocabulary(build), catalog.surfaces(build))
        )

    def parse(self, query: str, user: str | None = None) -> ParsedQuery:
        """Return what the collection's words and people's picks make of a query, see :meth:`Lexicon.parse`.

        Args:
            query: As typed.
            user: Who asks: by what they typed before, their own picks answer.
        """
        picked = self._picked(take_apart(query)[0], user)
        parsed = self.lexicon.parse(query, picked.words)
        if parsed.corrections:
            picked = self._picked(parsed.query, user)
        weights = word_weights(tokenize(parsed.query), picked.words, self.lexicon.documents)
        exact = query_dimension(fold_query(parsed.query)) if picked.exact else None
        return replace(parsed, picked_words=weights, picked_query=exact)

    def _picked(self, query: str, user: str | None) -> TypedQuery:
        words = tokenize(query)
        return self._catalog.typed_query(fold_query(query), words, user, self.lexicon.known(words))

    def recall(self, parsed: ParsedQuery, where: Filter | None, ranking: Ranking) -> Recall | None:
        """Return where answers may come from; ``None`` where there is nothing to ask by.

        Args:
            parsed: The query.
            where: The search's filter.
            ranking: Says how much picks count.
        """
        # An unwanted word outweighs everything, and what scores below 0 is no answer.
        unwanted = dict.fromkeys(parsed.without, -_UNWANTED * parsed.most)
        own = parsed.token_weights
        sources = [text_source(query_vector({**own, **unwanted}))] if own else []
        words = query_vector(parsed.picked_words) if parsed.picked_words else None
        sources += picked_sources(parsed.picked_query, words, ranking.omega, ranking.delta)
        meant = self._meaning(parsed.typed)
        if meant is not None:
            settings = self._recipe.meaning
            blend = Blend.of(self._space, parsed.most, settings.weight, settings.reach)
            sources.append(meaning_source(meant, blend))
        return Recall(tuple(sources), where) if sources else None

    def _meaning(self, query: str) -> NDArray[np.float32] | None:
        if self._encoder is None:
            return None
        vector = self._space.search(self._encoder.encode_query(query))
        return vector if vector.any() else None

    @cached_property
    def _space(self) -> MeaningSpace:
        return MeaningSpace.from_dict(self._manifest.meaning_space)


def _with(query: str, corrections: Mapping[str, str]) -> str:
    for typed, used in corrections.items():
        query = re.sub(rf"\b{re.escape(typed)}\b", used.replace("\\", ""), query, flags=re.IGNORECASE)
    return query
