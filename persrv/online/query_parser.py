"""From what somebody typed to where answers may come from."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from persrv.catalog import Catalog
from persrv.catalog.affinity import TypedQuery
from persrv.catalog.phrases import fold_query
from persrv.index.language import Filter
from persrv.index.manifest import Manifest
from persrv.online.candidate_source import meaning_source, picked_sources, text_source
from persrv.online.parsed_query import ParsedQuery
from persrv.online.recall import Recall
from persrv.ranking.affinity import covered_share, query_dimension, word_weights
from persrv.recipe import Ranking, Recipe
from persrv.text import normalise, query_tokens, query_vector, tokenize
from persrv.text.bm25f import CorpusCounts, CountedOnce, idf, idf_weights, token_id
from persrv.text.meaning.encoder import TextEncoder
from persrv.text.meaning.fusion import Blend, beside_picks
from persrv.text.meaning.space import MeaningSpace
from persrv.text.query_forms import halves, joined_tokens, take_apart, unwanted_tokens
from persrv.text.spelling import Speller, unknown_words
from persrv.text.words import forms

_UNWANTED = 1e4

COMPARED = 25_000
"""Stickers up to which a search is compared with all of them by meaning: the engine's graph is less than twice as fast
there, and misses one in ten of the nearest twenty."""

SMALL_WORD = 4
"""Letters up to which an unknown word is not corrected when other words of the query are known."""

SPELLER_SECONDS = 0.05
"""What corrects words is made anew after every change of a sticker where that takes no longer than this."""

SPELLER_SHARE = 100
"""Else a hundredth of the time is spent on that at most."""


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

    @property
    def counts(self) -> CorpusCounts:
        """How many stickers have which word."""
        return self._counts

    def parse(self, query: str, picked: Collection[str] = (), counts: CorpusCounts | None = None) -> ParsedQuery:
        """Return the query's tokens that some sticker has; unknown words are corrected where something is near.

        Beside known words, short ones are left alone: they are more often small words, like "your", than typos.

        Args:
            query: As typed.
            picked: Words that no text need have, since people's picks lead from them to stickers.
            counts: :attr:`counts`, or what remembers them.
        """
        counts = counts or self._counts
        wanted, unwanted = take_apart(query)
        tokens, documents = query_tokens(wanted), counts.documents
        joined, left_out = joined_tokens(wanted), unwanted_tokens(unwanted)
        frequencies = counts.frequencies([*tokens, *joined, *left_out])
        known = {token: weight for token, weight in tokens.items() if token in frequencies}
        known |= {token: 1.0 for token in joined if token in frequencies}
        leading, some = {**frequencies, **dict.fromkeys(picked, 1)}, bool(known or picked)
        unknown = [word for word in unknown_words(wanted, leading) if not some or len(word) > SMALL_WORD]
        if not some and (syllables := _spaced_pinyin(wanted, unknown)) and self._speller.pinyin.spelt(syllables):
            wanted, unknown = syllables, [syllables]
        corrections: dict[str, str] = {}
        sounds: dict[str, str] = {}
        for word in unknown:
            used, found = self._second_guess(word, alone=not known)
            if used:
                corrections[word] = used
                frequencies = {**frequencies, **self._counts.frequencies(found)}
                known |= {token: weight for token, weight in found.items() if token in frequencies}
                sounds |= {word: used} if not used.isascii() else {}
        used = _with(wanted, corrections)

        def weighed(weights: Mapping[str, float]) -> dict[str, float]:
            return {token: w * idf(documents, frequencies.get(token, 0)) for token, w in weights.items()}

        most = sum(weighed({**query_tokens(used), **known}).values())
        without = tuple(token for token in left_out if token in frequencies)
        finds = sum(frequencies.get(token, 0) for token in known)
        typed = _with(wanted, sounds)
        return ParsedQuery(typed, used, known, weighed(known), most or 1.0, corrections, without, finds=finds)

    def _second_guess(self, word: str, *, alone: bool) -> tuple[str, Mapping[str, float]]:
        """Return what an unknown word may stand for, and the tokens to search; ``""`` where nothing is found.

        In this order: two known words written as one, Chinese by its pinyin, a known word but for a typo, and, where
        the query has nothing else that is known, part of a known word, and Chinese by the initials of its pinyin.

        Args:
            word: A word that no sticker has.
            alone: Whether nothing else of the query is known.
        """
        if parts := self._two_words(word):
            return " ".join(parts), {form: 1.0 for part in parts for form in forms(part)}
        speller = self._speller
        if spelt := speller.pinyin.spelt(word):
            return spelt, query_tokens(spelt)
        if near := speller.nearest(word, parts=alone):
            return speller.readable(near), {near: 1.0}
        guesses = speller.pinyin.abbreviated(word) if alone else ()
        # The guesses share the weight of one word.
        shared = {token: w / len(guesses) for guess in guesses for token, w in query_tokens(guess).items()}
        return " ".join(guesses), shared

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
        self._frequent = frozenset(manifest.regional_words)
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
        counts, wanted = CountedOnce(self.lexicon.counts), take_apart(query)[0]
        picked = self._picked(wanted, user, counts)
        parsed = self.lexicon.parse(query, picked.words, counts)
        if parsed.corrections:
            picked = self._picked(parsed.query, user, counts)
        words = tokenize(parsed.query)
        weights = word_weights(words, picked.words, counts.documents)
        share = covered_share(words, picked.words, counts.frequencies(words), counts.documents) if weights else 0.0
        exact = query_dimension(fold_query(parsed.query)) if picked.exact else None
        if self._encoder is not None:
            parsed = parsed.without_small_part()
        finds = sum(picked.words[word] for word in weights)
        rare = [token for token in parsed.token_weights if token_id(token) not in self._frequent]
        return replace(
            parsed,
            picked_words=weights,
            picked_query=exact,
            picked_share=share,
            picked_finds=finds,
            rare_finds=sum(counts.frequencies(rare).values()),
        )

    def may_answer(self, query: str) -> bool:
        """Return whether enough people typed just this query, so that anybody may see what it led to."""
        return self._picked(query, None, self.lexicon.counts).exact

    def _picked(self, query: str, user: str | None, counts: CorpusCounts) -> TypedQuery:
        words = tokenize(query)
        # The pairs of words are asked for together with them: the next who counts wants both.
        known = counts.frequencies([*words, *joined_tokens(query)])
        return self._catalog.typed_query(fold_query(query), words, user, known.keys() & set(words))

    def recall(self, parsed: ParsedQuery, where: Filter | None, ranking: Ranking) -> Recall | None:
        """Return where answers may come from; ``None`` where there is nothing to ask by.

        Args:
            parsed: The query.
            where: The search's filter.
            ranking: Says how much picks count.
        """
        # An unwanted word outweighs everything, and what scores below 0 is no answer.
        unwanted = dict.fromkeys(parsed.without, -_UNWANTED * parsed.most)
        words = query_vector(parsed.picked_words) if parsed.picked_words else None
        others = [*picked_sources(parsed.picked_query, words, ranking.omega, ranking.delta, parsed.picked_finds)]
        meant = self._meaning(parsed.typed)
        if meant is not None:
            settings = self._recipe.meaning
            weight = beside_picks(settings.weight * self._manifest.borne_out, parsed.picked_share)
            blend = Blend.of(self._space, parsed.most, weight, settings.reach)
            others.append(meaning_source(meant, blend, exact=self._manifest.stickers <= COMPARED))
        own = parsed.token_weights
        text = query_vector({**own, **unwanted}) if own or (unwanted and others) else None
        sources = (text_source(text, parsed.finds, parsed.rare_finds), *others) if text else (*others,)
        return Recall(sources, where) if sources else None

    def _meaning(self, query: str) -> NDArray[np.float32] | None:
        if self._encoder is None:
            return None
        vector = self._space.search(self._encoder.encode_query(query))
        return vector if vector.any() else None

    @cached_property
    def _space(self) -> MeaningSpace:
        return MeaningSpace.from_dict(self._manifest.meaning_space)


def _spaced_pinyin(wanted: str, unknown: Sequence[str]) -> str:
    """Return the words of a query written as one, where it has several and none is known: ``jia ban``."""
    return "".join(unknown) if len(unknown) > 1 and unknown == normalise(wanted).split() else ""


def _with(query: str, corrections: Mapping[str, str]) -> str:
    for typed, used in corrections.items():
        query = re.sub(rf"\b{re.escape(typed)}\b", used.replace("\\", ""), query, flags=re.IGNORECASE)
    return query
